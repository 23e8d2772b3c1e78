//! `cargo xtask demo`: the main job end to end, on one machine with two stores.
//!
//! A picture is filtered by a sandboxed module on the GPU, the outcome is signed; then the receipt is checked from a
//! store that has never seen the job. Every command is shown as one would type it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, line, run as run_command};
use crate::terminal::{answer, step};
use crate::workspace::Workspace;
use crate::{photo, plugins, setup};

const WIDTH: u32 = 1200;
const HEIGHT: u32 = 800;

/// Where the demo's files are.
struct Files {
    module: PathBuf,
    photo: PathBuf,
    out: PathBuf,
    receipt: PathBuf,
    host_store: PathBuf,
    verifier_store: PathBuf,
}

/// Builds what is needed, runs the job, verifies its receipt.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    setup::targets()?;
    build_samebit(workspace)?;
    plugins::build(workspace, "image-filter")?;
    let files = prepare(workspace)?;

    run_job(workspace, &files)?;
    verify(workspace, &files)?;

    let picture = files.out.join("image.png");
    let bytes = fs::read(&picture).with_context(|| format!("{} cannot be read", picture.display()))?;
    answer("");
    answer(&format!("input    {}", files.photo.display()));
    answer(&format!("picture  {}", picture.display()));
    answer(&format!("hash     {}", blake3::hash(&bytes)));
    answer(&format!("receipt  {}", files.receipt.display()));
    answer("verdict  match");
    Ok(())
}

/// Builds the `samebit` program of the dev profile, with the features that the tests build it with.
pub(crate) fn build_samebit(workspace: &Workspace) -> Result<()> {
    let mut command = cargo(workspace.root());
    command.args(["build", "--workspace", "--bin", "samebit"]);
    step(&line(&command));
    run_command(&mut command)
}

/// Starts from an empty folder, so that the verifier cannot know anything from an earlier demo.
fn prepare(workspace: &Workspace) -> Result<Files> {
    let folder = workspace.target().join("demo");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let photo = folder.join("photo.png");
    step(&format!("painting {}", photo.display()));
    fs::write(&photo, photo::png(WIDTH, HEIGHT)?).with_context(|| format!("{} cannot be written", photo.display()))?;
    Ok(Files {
        module: plugins::folder(workspace).join("image-filter.wasm"),
        photo,
        out: folder.join("out"),
        receipt: folder.join("edges.receipt"),
        host_store: folder.join("host-store"),
        verifier_store: folder.join("verifier-store"),
    })
}

fn run_job(workspace: &Workspace, files: &Files) -> Result<()> {
    let mut command = samebit(workspace, &files.host_store);
    command.arg("run").arg(&files.module).arg("--input").arg(image(files)).args(["--arg", "edges"]);
    command.arg("--out").arg(&files.out).arg("--receipt").arg(&files.receipt);
    step(&line(&command));
    run_command(&mut command)
}

fn verify(workspace: &Workspace, files: &Files) -> Result<()> {
    let mut command = samebit(workspace, &files.verifier_store);
    command.arg("verify").arg(&files.receipt).arg("--module").arg(&files.module).arg("--input").arg(image(files));
    step(&line(&command));
    let status = command.status().context("samebit could not be started")?;
    match status.code() {
        Some(0) => Ok(()),
        Some(1) => bail!("verdict: mismatch, on the very machine that signed; that is a defect, please report it"),
        _ => bail!("`{}` failed: {status}", line(&command)),
    }
}

fn samebit(workspace: &Workspace, store: &Path) -> Command {
    let mut command = Command::new(workspace.samebit());
    command.current_dir(workspace.root()).arg("--store").arg(store);
    // Mesa complains of an error where a session manager has not set this; any folder will do.
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        command.env("XDG_RUNTIME_DIR", workspace.target().join("demo"));
    }
    command
}

fn image(files: &Files) -> String {
    format!("image={}", files.photo.display())
}
