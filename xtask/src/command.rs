//! Running other programs: cargo above all.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// The cargo that runs xtask, at the workspace's root.
///
/// `cargo run` describes xtask to xtask in variables that some build scripts watch. Passed on, they would have those
/// scripts and all that depends on them built again, so they are taken out.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        if is_about_xtask(&name) {
            command.env_remove(&name);
        }
    }
    command
}

fn is_about_xtask(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// Runs a program to its end, its output shown as it comes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| not_started(command))?;
    if !status.success() {
        bail!("`{}` failed: {status}", line(command));
    }
    Ok(())
}

/// Runs a program to its end and gives what it printed; what it says on standard error is shown.
pub(crate) fn capture(command: &mut Command) -> Result<Output> {
    command.stderr(Stdio::inherit()).output().with_context(|| not_started(command))
}

/// Tells whether a program runs and succeeds, showing nothing of it.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The command as one would type it; paths are short where they can be.
pub(crate) fn line(command: &Command) -> String {
    let root = command.get_current_dir();
    let short = |word: &OsStr| match root.and_then(|root| Path::new(word).strip_prefix(root).ok()) {
        Some(inside) => inside.display().to_string(),
        None => word.to_string_lossy().into_owned(),
    };
    let program = Path::new(command.get_program());
    let program = match root.and_then(|root| program.strip_prefix(root).ok()) {
        Some(inside) => inside.display().to_string(),
        None => program.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
    };
    command.get_args().fold(program, |line, word| line + " " + &short(word))
}

fn not_started(command: &Command) -> String {
    format!("`{}` could not be started", line(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_shown_as_one_would_type_it() {
        let root = Path::new("/repo");
        let mut command = Command::new("/repo/target/debug/samebit");
        command.current_dir(root).args(["run", "/repo/target/plugins/gemm.wasm", "--input", "a=/repo/a.npy"]);
        assert_eq!(line(&command), "target/debug/samebit run target/plugins/gemm.wasm --input a=/repo/a.npy");
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = run(cargo(Path::new(".")).arg("no-such-command").stderr(Stdio::null())).expect_err("it must fail");
        assert!(error.to_string().contains("no-such-command"), "{error}");
    }
}
