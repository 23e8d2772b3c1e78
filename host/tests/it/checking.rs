//! `samebit check`.

use serde_json::json;

use crate::guests::{CAT, EXIT_7};
use crate::support::{Desk, plugin};

/// Every invocation but the last writes the element of its neighbor, too.
const RACE: &str = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
    out[id.x] = id.x;
    if id.x < 7u { out[id.x + 1u] = 9u; }
}";

const CLEAN: &str = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
    for (var n = 0u; n < id.x; n++) { out[id.x] += n; }
}";

const LAUNCH: [&str; 4] = ["--groups", "2", "--bind", "0:0=zero:32"];

#[test]
fn a_race_is_shown_with_both_its_lines() {
    let desk = Desk::new();
    desk.file("race.wgsl", RACE);
    let done = desk.samebit("s", &[&["check", "race.wgsl"], &LAUNCH[..]].concat()).exits(1).says(&[
        "error[data-race]: two invocations access the same word of `out`",
        "--> race.wgsl:4:5",
        "4 |     out[id.x] = id.x;",
        "^^^^^^^^^ invocation (1, 0, 0) writes it here",
        "5 |     if id.x < 7u { out[id.x + 1u] = 9u; }",
        "-------------- invocation (0, 0, 0) writes it here",
        "error[order-dependent]",
    ]);
    assert!(!done.stdout.contains('\x1b'), "no colors into a pipe: {done:?}");
    assert_eq!(desk.names("s"), Vec::<String>::new(), "a kernel needs no store");
    desk.samebit("s", &[&["check", "race.wgsl", "--color", "always"], &LAUNCH[..]].concat()).exits(1).says(&["\x1b["]);
}

#[test]
fn what_is_found_can_be_json() {
    let desk = Desk::new();
    desk.file("race.wgsl", RACE);
    let (code, value) = desk.json("s", &[&["check", "race.wgsl"], &LAUNCH[..]].concat());
    assert_eq!((code, &value["findings"]), (1, &json!(2)));
    let race = &value["kernels"][0]["findings"][0];
    assert_eq!((&race["kind"], &race["severity"]), (&json!("data-race"), &json!("error")));
    assert_eq!(race["region"], json!({ "memory": "buffer", "group": 0, "binding": 0, "byte": 4 }));
    assert_eq!(
        race["first"]["place"],
        json!({
            "line": 5, "column": 20, "source": "if id.x < 7u { out[id.x + 1u] = 9u; }",
        })
    );
    assert_eq!(race["second"]["invocation"]["global"], json!([1, 0, 0]));
}

#[test]
fn a_clean_kernel_exits_with_0() {
    let desk = Desk::new();
    desk.file("clean.wgsl", CLEAN);
    desk.samebit("s", &[&["check", "clean.wgsl", "--orders", "2"], &LAUNCH[..]].concat()).exits(0).says(&[
        "clean.wgsl `main`: nothing found",
        "bytes compared in 4 other orders",
        "at most 8 of 16,777,216 iterations",
    ]);
    let few = ["check", "clean.wgsl", "--limit-loop-iterations", "7"];
    desk.samebit("s", &[&few, &LAUNCH[..]].concat()).exits(1).says(&["budget-spent", "--> clean.wgsl:4:5"]);
}

#[test]
fn bad_usage_exits_with_2() {
    let desk = Desk::new();
    desk.file("clean.wgsl", CLEAN);
    desk.file("bad.wgsl", "fn");
    desk.module("cat.wasm", CAT);
    for (args, why) in [
        (&["clean.wgsl"][..], "--groups is missing"),
        (&["clean.wgsl", "--groups", "1"], "0:0 (out, read_write"),
        (&["clean.wgsl", "--groups", "1", "--bind", "0:0=zero:4", "--input", "a=b"], "are for modules"),
        (&["clean.wgsl", "--groups", "1", "--bind", "0:0=zero:4", "--limit-loop-iterations", "3G"], "too large"),
        (&["bad.wgsl", "--groups", "1"], "not valid WGSL"),
        (&["none.wgsl", "--groups", "1"], "cannot be read"),
        (&["cat.wasm", "--groups", "1"], "are for kernels"),
    ] {
        let done = desk.samebit("s", &[&["check"], args].concat()).exits(2);
        assert!(done.stderr.contains(why), "{args:?}: {}", done.stderr);
    }
}

#[test]
fn a_check_that_takes_too_long_exits_with_3() {
    let desk = Desk::new();
    desk.file("clean.wgsl", CLEAN);
    let args = ["check", "clean.wgsl", "--groups", "65535,65535", "--bind", "0:0=zero:32", "--limit-wall-s", "1"];
    // An index is past its end as well, and worth more than the reason why the rest was not looked at.
    desk.samebit("s", &args).exits(1).says(&["out-of-range", "stopped    before its end"]);
    let idle = "out[id.x % 8u] == 9u { out[0] = 1u; }\n}";
    desk.file("short.wgsl", format!("{}\n    if {idle}", CLEAN.lines().take(3).collect::<Vec<_>>().join("\n")));
    let args = args.map(|arg| if arg == "clean.wgsl" { "short.wgsl" } else { arg });
    let (code, value) = desk.json("s", &args);
    assert_eq!((code, &value["error"]["kind"]), (3, &json!("wall-time")), "{value}");
}

#[test]
fn a_job_without_kernels_says_so_and_one_that_fails_exits_with_1() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.module("exit.wasm", EXIT_7);
    desk.file("in.txt", "text");
    desk.samebit("s", &["check", "cat.wasm", "-i", "stdin=in.txt"]).exits(0).says(&["launched no kernel"]);
    desk.samebit("s", &["check", "exit.wasm"]).exits(1).says(&["the job did not succeed"]);
}

#[test]
fn a_jobs_kernels_are_checked_as_it_launches_them() {
    let desk = Desk::new();
    let module = plugin("hello-job.wasm");
    desk.file("numbers", [0; 64]);
    let check = ["check", &module, "-i", "numbers=numbers"];
    desk.samebit("s", &check).exits(0).says(&["nothing found", "1 dispatch, "]);
    let (code, value) = desk.json("s", &check);
    assert_eq!((code, &value["findings"], &value["job"]["status"]), (0, &json!(0), &json!("ok")), "{value}");
    assert!(value["kernels"][0]["work"]["accesses"].as_u64().is_some_and(|count| count > 0), "{value}");
}
