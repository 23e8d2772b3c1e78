//! `samebit run`.

use serde_json::json;

use crate::guests::{CAT, EMPTY, EXIT_7, SPIN, TRAP};
use crate::support::{Desk, Done};

#[test]
fn a_job_writes_its_outputs_and_a_receipt() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("in.txt", "some text");
    let done = desk
        .samebit("s", &["run", "cat.wasm", "-i", "stdin=in.txt", "--out", "out", "--receipt", "r/cat.receipt"])
        .exits(0)
        .says(&["ok", "output", "stdout", "out/stdout", "r/cat.receipt", "made this host's key"]);
    assert_eq!(desk.names("out"), ["stdout"]);
    assert_eq!(std::fs::read(desk.path("out/stdout")).expect("written"), b"some text");
    assert_eq!(desk.names("r"), ["cat.receipt"]);
    assert!(desk.names("s/scratch").is_empty(), "nothing is left in the scratch folder");
    let hash = blake3::hash(b"some text").to_string();
    assert!(done.stdout.contains(&hash), "the hash is b3sum's: {}", done.stdout);
    assert!(done.stderr.contains(r"copied \u{1b}[31m"), "a guest's log cannot color the terminal: {}", done.stderr);
    assert!(!done.stdout.contains('\x1b') && !done.stderr.contains('\x1b'), "no colors into a pipe: {done:?}");
}

#[test]
fn json_is_one_object_with_everything() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("in.txt", "some text");
    let run = ["run", "cat.wasm", "--input", "stdin=in.txt", "--out", "out", "--receipt", "r"];
    let (code, value) = desk.json("s", &run);
    assert_eq!(code, 0);
    let outcome = &value["outcome"];
    assert_eq!((&outcome["status"], &outcome["detail"]), (&json!("ok"), &json!(null)));
    assert_eq!(
        outcome["outputs"]["stdout"],
        json!({ "hash": blake3::hash(b"some text").to_string(), "size_bytes": 9, "path": "out/stdout" })
    );
    assert!(outcome["fuel"].as_u64().is_some_and(|fuel| fuel > 0));
    assert_eq!(value["receipt"]["path"], "r");
    for id in [&value["job"], &outcome["id"], &value["receipt"]["id"], &value["receipt"]["host"]] {
        assert_eq!(id.as_str().map(str::len), Some(64), "{value}");
    }
    assert_eq!(value["measured"]["device"], json!(null));

    let (_, again) = desk.json("other", &run);
    assert_eq!((&again["job"], &again["outcome"]["id"]), (&value["job"], &outcome["id"]), "two hosts agree");
    assert_ne!(again["receipt"]["host"], value["receipt"]["host"], "and sign with their own keys");
}

#[test]
fn a_job_that_fails_has_a_receipt_and_exits_with_1() {
    let desk = Desk::new();
    for (name, text, status, detail) in [
        ("trap", TRAP, "trapped", "unreachable executed"),
        ("spin", SPIN, "exceeded", "fuel"),
        ("exit", EXIT_7, "exited", "1"),
    ] {
        desk.module("m.wasm", text);
        let (code, value) =
            desk.json("s", &["run", "m.wasm", "--limit-fuel", "1M", "--receipt", name, "--out", status]);
        assert_eq!(code, 1, "{value}");
        assert_eq!(value["outcome"]["status"], status);
        assert!(value["outcome"]["detail"].as_str().is_some_and(|text| text.contains(detail) || status == "exited"));
        desk.samebit("s", &["verify", name]).exits(0).says(&["match"]);
    }
    assert_eq!(desk.names("exited"), ["stdout"], "a job that ended by itself keeps its outputs");
    assert!(desk.names("trapped").is_empty() && desk.names("exceeded").is_empty(), "a job that was stopped does not");
}

#[test]
fn a_job_file_is_a_job_and_flags_override_it() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("jobs")).expect("made");
    desk.module("jobs/cat.wasm", CAT);
    desk.file("in.txt", "from the job file");
    desk.file("other.txt", "from the flag");
    desk.file(
        "jobs/job.toml",
        "module = 'cat.wasm'\nargs = ['a', 'b']\nprofile = 'native'\n[inputs]\nstdin = '../in.txt'\n[limits]\nfuel = '20M'\n",
    );
    desk.samebit("s", &["run", "jobs/job.toml", "--out", "out"]).exits(0);
    assert_eq!(std::fs::read(desk.path("out/stdout")).expect("written"), b"from the job file");
    let (_, by_file) = desk.json("s", &["run", "jobs/job.toml"]);
    let flags = ["run", "jobs/cat.wasm", "-i", "stdin=in.txt", "-a", "a", "-a", "b", "--limit-fuel", "20000000"];
    let flags = [&flags[..], &["--profile", "native"]].concat();
    assert_eq!(desk.json("s", &flags).1["job"], by_file["job"], "the same job either way");
    desk.samebit("s", &["run", "jobs/job.toml", "--out", "out", "-i", "stdin=other.txt"]).exits(0);
    assert_eq!(std::fs::read(desk.path("out/stdout")).expect("written"), b"from the flag");
    desk.file("jobs/bad.toml", "module = 'cat.wasm'\nlimit = 3\n");
    desk.samebit("s", &["run", "jobs/bad.toml"]).exits(2).says(&["line 2", "limit"]);
}

#[test]
fn a_module_in_the_store_is_named_by_its_hash() {
    let desk = Desk::new();
    let module = std::fs::read(desk.module("m.wasm", EMPTY)).expect("written");
    desk.samebit("s", &["run", "m.wasm"]).exits(0);
    std::fs::remove_file(desk.path("m.wasm")).expect("removed");
    let hash = blake3::hash(&module).to_string();
    desk.samebit("s", &["run", &hash]).exits(0);
    desk.samebit("other", &["run", &hash]).exits(2).says(&["is not in the store"]);
}

#[test]
fn mistakes_exit_with_2_and_say_what_to_do() {
    let desk = Desk::new();
    desk.module("m.wasm", EMPTY);
    desk.file("text.wasm", "not WebAssembly");
    desk.module("no-job.wasm", "(component)");
    let cases: [(&[&str], &[&str]); 11] = [
        (&["run"], &["MODULE"]),
        (&["run", "gone.wasm"], &["gone.wasm", "there is no such file"]),
        (&["run", "text.wasm"], &["not a WebAssembly module"]),
        (&["run", "no-job.wasm"], &["not a job"]),
        (&["run", "."], &["it is a folder"]),
        (&["run", "m.wasm", "-i", "a"], &["NAME=PATH"]),
        (&["run", "m.wasm", "-i", "../a=m.wasm"], &["not a name"]),
        (&["run", "m.wasm", "-i", "a=m.wasm", "-i", "a=m.wasm"], &["given twice"]),
        (&["run", "m.wasm", "-i", "a=gone"], &["gone", "no such file"]),
        (&["run", "m.wasm", "--limit-memory", "5GiB"], &["memory", "over this host's cap"]),
        (&["run", "m.wasm", "--limit-memory", "1G"], &["expected bytes"]),
    ];
    for (args, texts) in cases {
        desk.samebit("s", args).exits(2).says(&["error:"]).says(texts);
    }
    let (code, value) = desk.json("s", &["run", "gone.wasm"]);
    assert_eq!((code, &value["error"]["exit_code"]), (2, &json!(2)));
    assert!(value["error"]["message"].as_str().is_some_and(|text| text.contains("gone.wasm")), "{value}");
    let (code, value) = desk.json("s", &["run", "--no-such-flag"]);
    assert_eq!((code, &value["error"]["kind"]), (2, &json!("usage")), "a mistake in the flags is JSON too");
}

#[test]
fn what_this_machine_cannot_do_exits_with_3_and_signs_nothing() {
    let desk = Desk::new();
    desk.module("spin.wasm", SPIN);
    let args = ["run", "spin.wasm", "--limit-wall-s", "1", "--limit-fuel", "1000T", "--receipt", "r", "--out", "out"];
    desk.samebit("s", &args).exits(3).says(&["error:", "ran longer than the 1 s"]);
    assert!(!desk.path("r").exists() && desk.names("out").is_empty());
    assert!(desk.names("s/scratch").is_empty());
}

#[test]
fn two_runs_on_one_store_at_once_both_finish() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    let started: Vec<_> = (0..4)
        .map(|index| {
            desk.file(&format!("in{index}"), format!("input {index}"));
            let input = format!("stdin=in{index}");
            desk.start("s", &["run", "cat.wasm", "-i", &input, "--out", &format!("out{index}")])
        })
        .collect();
    for (index, child) in started.into_iter().enumerate() {
        Done::of(child.wait_with_output().expect("it ends")).exits(0);
        let output = std::fs::read_to_string(desk.path(&format!("out{index}/stdout"))).expect("written");
        assert_eq!(output, format!("input {index}"));
    }
}

#[test]
fn a_folder_that_is_no_store_is_left_alone() {
    let desk = Desk::new();
    desk.module("m.wasm", EMPTY);
    std::fs::create_dir(desk.path("mine")).expect("made");
    desk.file("mine/letter.txt", "dear");
    desk.samebit("mine", &["run", "m.wasm"]).exits(3).says(&["not a store"]);
    desk.samebit("mine", &["key", "create"]).exits(3).says(&["not a store"]);
    assert_eq!(desk.names("mine"), ["letter.txt"]);
}
