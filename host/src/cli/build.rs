//! `samebit build`.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use samebit_runner::engine::Module;
use samebit_runner::spec::BlobRef;
use serde_json::{Value, json};

use crate::cli::inspect::interface_version;
use crate::cli::report::blob_text;
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::machine::engine;
use crate::output::{GOOD, Output};

const TARGET: &str = "wasm32-wasip2";

const AFTER: &str = "\
This is `cargo build --release --target wasm32-wasip2`, and then a check that the result is a job
that a host can run. The target is added with rustup if it is missing.

Exit codes:
  0    the module is built and is a job
  2    the crate does not compile, or the module is refused
  3    cargo or the target is missing

Examples:
  samebit build
  samebit build path/to/my-job
  samebit run $(samebit build --json | jq -r .path)";

/// Arguments of `samebit build`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The crate's folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Build without optimization, which is quicker
    #[arg(long)]
    debug: bool,
}

/// Runs the command.
pub(crate) async fn run(args: &Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let (folder, is_debug, output, config) = (args.path.clone(), args.debug, output.clone(), config.clone());
    let built = tokio::task::spawn_blocking(move || {
        add_target(&output)?;
        let path = compile(&folder, is_debug)?;
        let bytes = std::fs::read(&path)
            .map_err(|error| Failure::host("output", format!("{} cannot be read: {error}", path.display())))?;
        let module = engine(&config)?.compile(&bytes).map_err(|error| Failure::usage("module", error.to_string()))?;
        show(&path, &BlobRef::of(&bytes), &module, &output);
        Ok(Exit::Ok)
    });
    built.await.map_err(|error| Failure::panicked(&error))?
}

fn show(path: &Path, blob: &BlobRef, module: &Module, output: &Output) {
    output.answer(
        || {
            json!({
                "path": path.display().to_string(),
                "hash": blob.hash.to_string(),
                "size_bytes": blob.size_bytes,
                "module": module.kind().to_string(),
                "uses_gpu": module.uses_gpu(),
                "interface_version": interface_version(module),
            })
        },
        |text| {
            text.headline(GOOD, "built", &format!(" {}", path.display()));
            text.field("module", blob_text(blob));
            text.field("kind", module.kind());
            text.field("uses a GPU", if module.uses_gpu() { "yes" } else { "no" });
        },
    );
}

/// Adds the target where it is missing. It is there if its libraries are, whoever installed them.
fn add_target(output: &Output) -> Result<(), Failure> {
    let advice = format!("install it with `rustup target add {TARGET}`");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let found = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let found = found.map_err(|error| {
        Failure::host("toolchain", format!("rustc cannot be started: {error}; install Rust from https://rustup.rs"))
    })?;
    if found.status.success() && Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir() {
        return Ok(());
    }
    output.note(&format!("the target {TARGET} is missing; adding it"));
    match Command::new("rustup").args(["target", "add", TARGET]).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::host(
            "toolchain",
            format!("the target {TARGET} is missing: rustup failed ({status}); {advice}"),
        )),
        Err(error) => Err(Failure::host("toolchain", format!("the target {TARGET} is missing: {error}; {advice}"))),
    }
}

/// Builds the crate and finds its module.
fn compile(folder: &Path, is_debug: bool) -> Result<PathBuf, Failure> {
    let manifest = folder.join("Cargo.toml");
    let manifest = manifest.canonicalize().map_err(|error| {
        Failure::usage("crate", format!("{} is not a crate: {}: {error}", folder.display(), manifest.display()))
    })?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(folder).args(["build", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    if !is_debug {
        command.arg("--release");
    }
    let failed = |error: std::io::Error| Failure::host("toolchain", format!("cargo cannot be run: {error}"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut modules = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        // A line that is no message is a build script's, which cargo passes on.
        for message in messages(BufReader::new(stdout)) {
            modules.extend(modules_in(&message, &manifest));
        }
    }
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(Failure::usage("crate", format!("the job in {} does not build: see above", folder.display())));
    }
    modules.sort();
    modules.dedup();
    match modules.as_slice() {
        [module] => Ok(module.clone()),
        [] => Err(Failure::usage(
            "crate",
            "the crate gives no module: a job's Cargo.toml has `[lib] crate-type = [\"cdylib\"]`, or a `src/main.rs`",
        )),
        [..] => Err(Failure::usage("crate", format!("the crate gives {} modules: a job is one", modules.len()))),
    }
}

fn messages(reader: impl std::io::BufRead) -> impl Iterator<Item = Value> {
    reader.lines().map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok())
}

/// The modules of the crate itself, not of its dependencies.
fn modules_in(message: &Value, manifest: &Path) -> Vec<PathBuf> {
    let text = |key: &str| message.get(key).and_then(Value::as_str);
    let is_ours = text("reason") == Some("compiler-artifact")
        && text("manifest_path").is_some_and(|path| Path::new(path).canonicalize().is_ok_and(|path| path == manifest));
    if !is_ours {
        return Vec::new();
    }
    let files = message.get("filenames").and_then(Value::as_array).into_iter().flatten();
    let paths = files.filter_map(Value::as_str).map(PathBuf::from);
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "wasm")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_crates_own_modules_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = folder.path().join("Cargo.toml");
        std::fs::write(&manifest, "").expect("written");
        let manifest = manifest.canonicalize().expect("there");
        let artifact = |manifest: &Path| {
            json!({
                "reason": "compiler-artifact",
                "manifest_path": manifest,
                "filenames": ["/t/libjob.rlib", "/t/job.wasm"],
            })
        };
        assert_eq!(modules_in(&artifact(&manifest), &manifest), [PathBuf::from("/t/job.wasm")]);
        assert!(modules_in(&artifact(Path::new("/elsewhere/Cargo.toml")), &manifest).is_empty());
        assert!(modules_in(&json!({ "reason": "build-finished" }), &manifest).is_empty());
    }
}
