//! What a machine with Rust still lacks: the WebAssembly targets and the test runner.
//!
//! `rust-toolchain.toml` names the targets too, but rustup installs from it only where it may do so by itself.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{capture, cargo, run as run_command, succeeds};
use crate::terminal::step;
use crate::workspace::Workspace;

/// What guests are built for: today's, its predecessor (for a preview-1 command), and none at all (for the crates that
/// promise to build for a browser).
const TARGETS: [&str; 3] = ["wasm32-wasip2", "wasm32-wasip1", "wasm32-unknown-unknown"];

/// Sets up everything.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    targets()?;
    test_runner(workspace.root())
}

/// Adds the targets that are missing.
pub(crate) fn targets() -> Result<()> {
    let mut missing = Vec::new();
    for target in TARGETS {
        if !is_installed(target)? {
            missing.push(target);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    step(&format!("adding {}", missing.join(", ")));
    run_command(Command::new("rustup").args(["target", "add"]).args(&missing)).with_context(|| {
        format!("targets missing: {} could not be added; do so with `{}`", missing.join(", "), advice(&missing))
    })
}

/// Installs cargo-nextest if it is missing.
pub(crate) fn test_runner(root: &Path) -> Result<()> {
    if succeeds(cargo(root).args(["nextest", "--version"])) {
        return Ok(());
    }
    step("cargo-nextest is missing; building it takes some minutes, once");
    run_command(cargo(root).args(["install", "--locked", "cargo-nextest"]))
        .context("the test runner is missing; install it with `cargo install --locked cargo-nextest`")
}

/// A target is there if its libraries are, whoever installed them.
fn is_installed(target: &str) -> Result<bool> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = capture(Command::new(rustc).args(["--print", "target-libdir", "--target", target]))?;
    let folder = String::from_utf8(output.stdout).context("rustc gave a path that is not text")?;
    Ok(output.status.success() && Path::new(folder.trim()).is_dir())
}

fn advice(missing: &[&str]) -> String {
    format!("rustup target add {}", missing.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toolchain_file_names_the_same_targets() {
        let file = include_str!("../../rust-toolchain.toml").parse::<toml::Table>().expect("valid TOML");
        let mut named = file["toolchain"]["targets"].as_array().expect("a list").clone();
        let mut wanted = TARGETS.map(toml::Value::from).to_vec();
        named.sort_by_key(ToString::to_string);
        wanted.sort_by_key(ToString::to_string);
        assert_eq!(named, wanted);
    }
}
