//! Ctrl-C in the middle of a run.
#![cfg(unix)]

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::guests::{EMPTY, SPIN};
use crate::support::{Desk, Done};

#[test]
fn an_interrupted_run_leaves_nothing_half_done() {
    let desk = Desk::new();
    desk.module("spin.wasm", SPIN);
    desk.module("empty.wasm", EMPTY);
    desk.samebit("s", &["run", "empty.wasm"]).exits(0);
    let (_, before) = desk.json("s", &["run", "empty.wasm"]);
    let args = ["run", "spin.wasm", "--limit-fuel", "1000T", "--out", "out", "--receipt", "r"];
    let child = desk.start("s", &args);
    // Long enough to be in the guest, which never ends by itself.
    std::thread::sleep(Duration::from_secs(2));
    interrupt(child);
    assert!(!desk.path("r").exists() && desk.names("out").is_empty());
    assert!(desk.names("s/scratch").is_empty());
    let (code, after) = desk.json("s", &["run", "empty.wasm"]);
    assert_eq!((code, &after["outcome"]), (0, &before["outcome"]), "the store works as before");
}

#[test]
fn an_interrupted_publication_publishes_nothing() {
    let desk = Desk::new();
    // It takes no room on disk, and minutes to be hashed.
    std::fs::File::create(desk.path("large")).and_then(|file| file.set_len(1 << 40)).expect("a sparse file");
    let child = desk.start("s", &["publish", "large", "--offline"]);
    std::thread::sleep(Duration::from_secs(2));
    interrupt(child);
    assert!(desk.names("s/references").is_empty());
}

/// Sends what Ctrl-C sends, and waits for the end that is promised.
fn interrupt(child: Child) {
    let sent = Instant::now();
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill starts");
    assert!(status.success());
    Done::of(child.wait_with_output().expect("it ends")).exits(130).says(&["interrupted"]);
    assert!(sent.elapsed() < Duration::from_secs(10), "{:?}", sent.elapsed());
}
