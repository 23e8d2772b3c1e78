//! `samebit inspect`, `key`, `completions` and what every command has.

use serde_json::json;

use crate::guests::{CAT, EMPTY};
use crate::support::Desk;

#[test]
fn a_module_is_described() {
    let desk = Desk::new();
    let bytes = std::fs::read(desk.module("cat.wasm", CAT)).expect("written");
    desk.samebit("s", &["inspect", "cat.wasm"]).exits(0).says(&["module", "WASI preview 1", "uses a GPU"]);
    assert!(!desk.path("s").exists(), "looking at a file needs no store");
    let (_, value) = desk.json("s", &["inspect", "cat.wasm"]);
    assert_eq!((&value["kind"], &value["uses_gpu"]), (&json!("module"), &json!(false)));
    assert_eq!(value["hash"], blake3::hash(&bytes).to_string());
    assert_eq!(value["interface_version"], json!(null));
    desk.module("no-job.wasm", "(component)");
    desk.samebit("s", &["inspect", "no-job.wasm"]).exits(2).says(&["not a job"]);
    desk.file("text", "hello");
    desk.samebit("s", &["inspect", "text"]).exits(2).says(&["neither like a WebAssembly module nor like a receipt"]);
}

#[test]
fn a_receipt_and_its_job_are_described() {
    let desk = Desk::new();
    desk.module("m.wasm", EMPTY);
    desk.file("job.toml", "module = 'm.wasm'\nargs = ['x']\nlimits.fuel = 1000000\n");
    let (_, run) = desk.json("s", &["run", "job.toml", "--receipt", "r"]);
    desk.samebit("s", &["inspect", "r"]).exits(0).says(&["signature good", "fuel 1000000", "argument     x", "exact"]);
    let (_, receipt) = desk.json("s", &["inspect", "r"]);
    assert_eq!((&receipt["kind"], &receipt["signature"]), (&json!("receipt"), &json!("valid")));
    assert_eq!((&receipt["id"], &receipt["host"]), (&run["receipt"]["id"], &run["receipt"]["host"]));
    let (_, job) = desk.json("s", &["inspect", "job.toml"]);
    assert_eq!((&job["kind"], &job["job"]), (&json!("job"), &receipt["job"]), "the same job without running it");
    desk.flip("r", 100);
    desk.samebit("s", &["inspect", "r"]).exits(2);
}

#[test]
fn a_key_is_made_once() {
    let desk = Desk::new();
    desk.samebit("s", &["key", "show"]).exits(2).says(&["samebit key create"]);
    assert!(!desk.path("s").exists());
    let (code, made) = desk.json("s", &["key", "create"]);
    assert_eq!(code, 0);
    desk.samebit("s", &["key", "create"]).exits(2).says(&["exists already"]);
    let public = made["public"].as_str().expect("a key");
    assert_eq!(desk.samebit("s", &["key", "export"]).exits(0).stdout.trim(), public);
    desk.samebit("s", &["key", "show"]).exits(0).says(&[public]);
    let secret = desk.samebit("s", &["key", "export", "--secret"]).exits(0).says(&["warning"]).stdout;
    assert_ne!(secret.trim(), public);
    assert_eq!(std::fs::read_to_string(desk.path("s/key")).expect("readable"), secret);
    desk.module("m.wasm", EMPTY);
    assert_eq!(desk.json("s", &["run", "m.wasm"]).1["receipt"]["host"], public);
    desk.file("s/key", "not a key");
    desk.samebit("s", &["run", "m.wasm"]).exits(3).says(&["not a key"]);
}

#[test]
fn completions_and_man_pages_are_written() {
    let desk = Desk::new();
    desk.samebit("s", &["completions", "bash"]).exits(0).says(&["_samebit()"]);
    desk.samebit("s", &["__generate", "gen"]).exits(0);
    let man = desk.names("gen/man");
    for page in ["samebit.1", "samebit-run.1", "samebit-verify.1", "samebit-key.1"] {
        assert!(man.iter().any(|name| name == page), "{page} is missing: {man:?}");
    }
    assert!(!man.iter().any(|name| name.contains("__generate")), "{man:?}");
    assert_eq!(desk.names("gen/completions").len(), 5);
}

#[test]
fn color_goes_where_it_is_wanted() {
    let desk = Desk::new();
    desk.module("m.wasm", EMPTY);
    let done = desk.samebit("s", &["inspect", "m.wasm", "--color", "always"]).exits(0);
    assert!(done.stdout.contains("\x1b["), "{done:?}");
    let done = desk.samebit("s", &["run", "gone.wasm", "--color", "never", "-q"]).exits(2);
    assert!(done.stderr.starts_with("error: ") && done.stdout.is_empty(), "{done:?}");
    desk.samebit("s", &["run", "m.wasm", "-q", "-v"]).exits(2).says(&["cannot be used with"]);
}
