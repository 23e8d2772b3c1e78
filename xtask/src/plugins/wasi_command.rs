//! Builds a command that nobody here wrote, unchanged, as a job.
//!
//! It comes from crates.io at an exact version with its own lock file, once as a WASI 0.2 component and once as a
//! preview-1 core module. It reads Markdown from standard input and writes HTML to standard output.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{folder, install};
use crate::command::{capture, cargo, line, run};
use crate::terminal::{answer, step};
use crate::workspace::Workspace;

const NAME: &str = "pulldown-cmark";
const VERSION: &str = "0.13.6";
/// Targets, and the name of the module each gives.
const MODULES: [(&str, &str); 2] =
    [("wasm32-wasip2", "pulldown-cmark.wasm"), ("wasm32-wasip1", "pulldown-cmark-p1.wasm")];

/// Builds both modules, unless this compiler has built them already: a second time needs no network.
pub(super) fn build(workspace: &Workspace) -> Result<()> {
    let compiler = compiler()?;
    for (target, file) in MODULES {
        let module = folder(workspace).join("wasi").join(file);
        let root = workspace.target().join("wasi-command").join(target);
        let stamp = root.join("built-with.txt");
        let wanted = format!("{NAME} {VERSION} for {target}\n{compiler}");
        let is_built = module.is_file() && fs::read_to_string(&stamp).is_ok_and(|present| present == wanted);
        if !is_built {
            compile(workspace, target, &root)?;
            install(&root.join("bin").join(format!("{NAME}.wasm")), &module)?;
            fs::write(&stamp, wanted).with_context(|| format!("{} cannot be written", stamp.display()))?;
        }
        answer(&module.display().to_string());
    }
    Ok(())
}

fn compile(workspace: &Workspace, target: &str, root: &Path) -> Result<()> {
    let mut command = cargo(workspace.root());
    command.args([
        "install",
        "--quiet",
        "--locked",
        "--force",
        "--version",
        &format!("={VERSION}"),
        "--target",
        target,
    ]);
    command.arg("--root").arg(root).arg(NAME).env("CARGO_TARGET_DIR", workspace.target().join("wasi-command"));
    step(&line(&command));
    run(&mut command).with_context(|| format!("{NAME} {VERSION} was not built; the first time needs crates.io"))
}

fn compiler() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = capture(Command::new(rustc).arg("-vV"))?;
    ensure!(output.status.success(), "`rustc -vV` failed: {}", output.status);
    String::from_utf8(output.stdout).context("rustc's version is not text")
}
