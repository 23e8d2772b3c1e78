//! `samebit new` and `samebit build`: from nothing to a receipt.

use std::process::Command;

use serde_json::json;

use crate::support::{Desk, Done, root, target};

#[test]
fn a_new_job_is_a_crate_with_its_sdk() {
    let desk = Desk::new();
    let (code, value) = desk.json("s", &["new", "my-job"]);
    assert_eq!((code, &value["path"]), (0, &json!("my-job")));
    for path in [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        ".gitignore",
        "src/lib.rs",
        "vendor/samebit-guest/Cargo.toml",
        "vendor/samebit-guest/src/lib.rs",
        "vendor/samebit-guest/macros/src/lib.rs",
        "vendor/wit/gpu.wit",
        "vendor/wit/deps/io.wit",
    ] {
        assert!(desk.path("my-job").join(path).is_file(), "{path}");
    }
    assert!(!desk.path("s").exists(), "no store is needed");
    desk.samebit("s", &["new", "my-job"]).exits(2).says(&["it is not empty"]);
    desk.samebit("s", &["new", "other", "--path", "my-job"]).exits(2);
    std::fs::create_dir(desk.path("empty")).expect("made");
    desk.samebit("s", &["new", "other", "--path", "empty"]).exits(0);
    for name in ["", "../x", "My Job", "std", "-x", "samebit-guest"] {
        desk.samebit("s", &["new", name]).exits(2);
    }
}

#[test]
fn what_is_no_crate_cannot_be_built() {
    let desk = Desk::new();
    desk.samebit("s", &["build"]).exits(2).says(&["is not a crate"]);
    desk.file("Cargo.toml", "[package]\nname = 'x'\nedition = '2024'\n[workspace]\n");
    std::fs::create_dir(desk.path("src")).expect("made");
    desk.file("src/lib.rs", "");
    desk.samebit("s", &["build"]).exits(2).says(&["gives no module", "cdylib"]);
    desk.file("src/lib.rs", "compile_error!(\"on purpose\");");
    desk.samebit("s", &["build"]).exits(2).says(&["on purpose", "does not build"]);
}

mod slow {
    //! Compiles the SDK and its dependencies, from the versions of this repository's lock file.

    use super::*;

    #[test]
    fn slow_new_build_run() {
        let desk = Desk::new();
        desk.samebit("s", &["new", "my-job"]).exits(0);
        let folder = target().join("new-job");
        let mut build = desk.command("s", &["build", "my-job", "--json"]);
        let done = Done::of(build.env("CARGO_TARGET_DIR", &folder).output().expect("the program starts")).exits(0);
        let value: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
        assert_eq!((&value["module"], &value["uses_gpu"]), (&json!("job component"), &json!(true)));
        let module = value["path"].as_str().expect("a path");
        assert!(module.ends_with("my_job.wasm"), "{module}");
        desk.samebit("s", &["inspect", module]).exits(0).says(&["samebit:job/gpu@0.1.0"]);
        // It runs as far as it gets without an input, which needs no GPU.
        desk.samebit("s", &["run", module, "--receipt", "r"]).exits(1).says(&["failed", "numbers"]);
        desk.samebit("s", &["verify", "r"]).exits(0);

        let locked = std::fs::read_to_string(root().join("Cargo.lock")).expect("readable");
        let made = std::fs::read_to_string(desk.path("my-job/Cargo.lock")).expect("readable");
        for line in made.lines().filter(|line| line.starts_with("checksum")) {
            assert!(locked.contains(line), "built from another version than this repository's: {line}");
        }

        let mut test = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        test.arg("test").current_dir(desk.path("my-job")).env("CARGO_TARGET_DIR", &folder);
        Done::of(test.output().expect("cargo starts")).exits(0);
    }
}
