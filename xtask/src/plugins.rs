//! Builds every module of this repository.
//!
//! Which ones there are is asked of cargo: each package under `plugins/` and `examples/` is a guest. Its module takes
//! the folder's name; of `plugins/testing`, which holds a guest per file, each takes its target's name. A module's hash
//! must not depend on what else is built, so each package is built by itself and cargo never merges the features that
//! two of them ask of a shared dependency.

mod wasi_command;

use std::collections::BTreeMap;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::{Message, Package};

use crate::command::{cargo, line};
use crate::setup;
use crate::terminal::{answer, step};
use crate::workspace::Workspace;

const TARGET: &str = "wasm32-wasip2";
/// The folder whose package holds many guests.
const TESTING: &str = "plugins/testing";

/// Arguments of `cargo xtask plugins`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Build only these, by the name of their folder; all if none is given
    names: Vec<String>,
}

/// Builds the modules asked for and prints where they are.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    setup::targets()?;
    if args.names.is_empty() {
        return build_all(workspace);
    }
    for name in &args.names {
        build(workspace, name)?;
    }
    Ok(())
}

/// Builds every module there is.
pub(crate) fn build_all(workspace: &Workspace) -> Result<()> {
    for package in guests(workspace) {
        build_package(workspace, package)?;
    }
    wasi_command::build(workspace)
}

/// Builds the module of one folder.
pub(crate) fn build(workspace: &Workspace, name: &str) -> Result<()> {
    let known = || guests(workspace).map(|package| module_name(workspace, package)).collect::<Vec<_>>().join(", ");
    let package = guests(workspace)
        .find(|package| module_name(workspace, package) == name)
        .with_context(|| format!("no plugin is called `{name}`: there are {}", known()))?;
    build_package(workspace, package)
}

/// Where modules go.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target().join("plugins")
}

fn guests(workspace: &Workspace) -> impl Iterator<Item = &Package> {
    workspace.packages().iter().filter(|package| {
        let folder = workspace.folder(package);
        folder.starts_with("plugins/") || folder.starts_with("examples/")
    })
}

fn module_name(workspace: &Workspace, package: &Package) -> String {
    let folder = workspace.folder(package);
    folder.rsplit('/').next().unwrap_or(&folder).to_owned()
}

fn build_package(workspace: &Workspace, package: &Package) -> Result<()> {
    let is_testing = workspace.folder(package) == TESTING;
    let artifacts = compile(workspace, package, is_testing)?;
    let into = folder(workspace);
    if is_testing {
        let into = into.join("testing");
        for (name, path) in &artifacts {
            install(path, &into.join(format!("{name}.wasm")))?;
        }
        answer(&format!("{}: {} guests", into.display(), artifacts.len()));
        return remove_others(&into, &artifacts);
    }
    let name = module_name(workspace, package);
    let mut paths = artifacts.values();
    let (Some(path), None) = (paths.next(), paths.next()) else {
        bail!("{} makes {} modules, and must make one", workspace.folder(package), artifacts.len());
    };
    let module = into.join(format!("{name}.wasm"));
    install(path, &module)?;
    answer(&module.display().to_string());
    Ok(())
}

/// Compiles a package's guests and gives the modules by their target's name.
fn compile(workspace: &Workspace, package: &Package, with_examples: bool) -> Result<BTreeMap<String, PathBuf>> {
    let mut command = cargo(workspace.root());
    command.args(["build", "--release", "--target", TARGET, "--message-format=json-render-diagnostics"]);
    command.args(["--package", &package.name]);
    if with_examples && package.targets.iter().any(cargo_metadata::Target::is_example) {
        command.args(["--lib", "--bins", "--examples"]);
    }
    step(&line(&command));
    let mut child = command.stdout(Stdio::piped()).spawn().context("cargo could not be started")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut modules = BTreeMap::new();
    for message in Message::parse_stream(BufReader::new(stdout)) {
        let Message::CompilerArtifact(artifact) = message.context("cargo's messages cannot be read")? else { continue };
        if artifact.package_id != package.id {
            continue;
        }
        for file in artifact.filenames.iter().filter(|file| file.extension() == Some("wasm")) {
            let earlier = modules.insert(artifact.target.name.clone(), file.clone().into_std_path_buf());
            ensure!(earlier.is_none(), "two guests are called `{}`: {file} is one of them", artifact.target.name);
        }
    }
    let status = child.wait().context("cargo was lost")?;
    ensure!(status.success(), "`{}` failed: {status}", line(&command));
    Ok(modules)
}

/// Copies a module to its place, by way of a temporary file so that no reader sees half of it. One that is the same
/// already is left alone, and keeps its time.
fn install(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("{} cannot be read", from.display()))?;
    if fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let partial = to.with_extension("partial");
    fs::write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, to))
        .with_context(|| format!("{} cannot be written", to.display()))
}

/// Removes modules of guests that are no more, so that no test runs one.
fn remove_others(folder: &Path, modules: &BTreeMap<String, PathBuf>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "wasm") && !modules.contains_key(&name) {
            fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_of_plugins_is_a_guest() {
        let workspace = Workspace::load().expect("the workspace");
        let names = guests(&workspace).map(|package| module_name(&workspace, package)).collect::<Vec<_>>();
        for entry in fs::read_dir(workspace.root().join("plugins")).expect("plugins/") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            assert!(!entry.path().is_dir() || names.contains(&name), "plugins/{name} is not a workspace member");
        }
    }

    #[test]
    fn installing_replaces_and_forgets() {
        let folder = tempfile::tempdir().expect("a folder");
        let from = folder.path().join("from");
        let into = folder.path().join("modules");
        fs::write(&from, b"one").expect("written");
        install(&from, &into.join("kept.wasm")).expect("installed");
        install(&from, &into.join("gone.wasm")).expect("installed");
        fs::write(&from, b"two").expect("written");
        install(&from, &into.join("kept.wasm")).expect("replaced");
        remove_others(&into, &BTreeMap::from([("kept".to_owned(), from)])).expect("removed");
        assert_eq!(fs::read(into.join("kept.wasm")).expect("kept"), b"two");
        assert_eq!(fs::read_dir(&into).expect("listed").count(), 1);
    }
}
