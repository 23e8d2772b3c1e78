//! The example of three machines, run as it lies in the repository.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::plugins::picture;
use crate::support::{Desk, Done, plugin, root};

fn script(module: &str, picture: &Path) -> Done {
    let mut command = Command::new(root().join("examples/three-machines/run.sh"));
    command.arg(module).arg(picture).env("SAMEBIT", env!("CARGO_BIN_EXE_samebit")).stdin(Stdio::null());
    Done::of(command.output().expect("the script starts"))
}

#[test]
fn three_machines_come_to_the_same() {
    let desk = Desk::new();
    let picture = desk.file("photo.png", picture(97, 61));
    let done = script(&plugin("image-filter.wasm"), &picture).exits(0);
    done.says(&["submitters.allow", "match: ", "bad signature", "mismatch: ", "all as it should be"]);
}

#[test]
fn an_example_that_goes_wrong_says_so_and_ends_otherwise() {
    let desk = Desk::new();
    let gone = desk.path("gone.png");
    script(&plugin("image-filter.wasm"), &gone).exits(1).says(&["gone.png is missing", "cargo xtask demo"]);
    let text = desk.file("photo.png", "this is no picture");
    let done = script(&plugin("image-filter.wasm"), &text);
    assert!(done.code == 1 && !done.stdout.contains("all as it should be"), "{done:?}");
}
