//! `cargo xtask gpu-report`: does this machine's GPU compute exactly, and how fast, in one file.
//!
//! Machines with an interesting GPU are lent for minutes, and compile slowly. So everything is built beforehand, on any
//! machine of the same system, into a folder (`--prepare`) that the machine with the GPU then runs (`--built`).

use std::fmt::Write as _;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::Message;

use crate::command::{cargo, line};
use crate::plugins;
use crate::terminal::{answer, step};
use crate::workspace::Workspace;

const EXAMPLES: &str = "\
The report has the device; what was checked on it (the conformance suite, kernels by the hashes of
what they leave, random programs); what the card can do at best and how much exact programs leave
of it; whole jobs beside plain programs; and the times of the benches' kernels, exact beside
native.

Exit codes: 0 if every check passed, 1 if not, or if something could not be run; the report is
written either way.

Examples:
  cargo xtask gpu-report
  cargo xtask gpu-report --prepare gpu-report
  cargo xtask gpu-report --built gpu-report --seconds 400 --to report.md";

/// Arguments of `cargo xtask gpu-report`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only build, and put what is needed into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "built")]
    prepare: Option<PathBuf>,
    /// Run what is in this folder instead of building
    #[arg(long, value_name = "DIR")]
    built: Option<PathBuf>,
    /// Where the report goes [default: target/gpu-report.md]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// How long all of it may take; what does not finish in time is cut off, and the report says so
    #[arg(long, value_name = "SECONDS", default_value_t = 450, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

/// A part of the report: a program of the folder, and how it is called.
struct Part {
    title: &'static str,
    program: &'static str,
    args: &'static [&'static str],
}

/// What matters most comes first: a machine may be taken back early.
const PARTS: [Part; 5] = [
    Part { title: "Device", program: "samebit", args: &["devices", "-v"] },
    Part { title: "Checks", program: "checks", args: &["vulkan", "--nocapture", "--skip", "worker"] },
    Part { title: "Card", program: "times", args: &["--card"] },
    Part { title: "Jobs", program: "jobs", args: &["--rounds", "3"] },
    Part { title: "Times", program: "times", args: &["--suite", "--rounds", "3"] },
];
/// Modules of the folder that the jobs are made of.
const MODULES: [&str; 4] = ["gemm.wasm", "image-filter.wasm", "mandelbrot.wasm", "testing/ok_transfer.wasm"];

/// Builds, runs, and writes the report.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let folder = match (&args.built, &args.prepare) {
        (Some(built), _) => built.clone(),
        (None, prepare) => {
            let folder = prepare.clone().unwrap_or_else(|| workspace.target().join("gpu-report"));
            build(workspace, &folder)?;
            folder
        }
    };
    if args.prepare.is_some() {
        answer(&folder.display().to_string());
        return Ok(());
    }
    let report = args.to.clone().unwrap_or_else(|| workspace.target().join("gpu-report.md"));
    let end = Instant::now() + Duration::from_secs(args.seconds);
    let mut text = "# GPU report\n".to_owned();
    let mut failed = Vec::new();
    for part in &PARTS {
        let ended = run_part(&folder, part, end, &mut text)?;
        if !ended {
            failed.push(part.title);
        }
        // After each part: whoever ends the machine early still has what was done.
        fs::write(&report, &text).with_context(|| format!("{} cannot be written", report.display()))?;
    }
    answer(&report.display().to_string());
    ensure!(failed.is_empty(), "not all of it passed: see {} in the report", failed.join(", "));
    Ok(())
}

/// Runs one part and adds what it printed; false if it failed or was cut off.
fn run_part(folder: &Path, part: &Part, end: Instant, text: &mut String) -> Result<bool> {
    let output = folder.join(format!("{}.txt", part.title.to_lowercase()));
    let file = fs::File::create(&output).with_context(|| format!("{} cannot be made", output.display()))?;
    let folder = std::path::absolute(folder)?;
    let program = folder.join(executable_name(part.program));
    let mut command = Command::new(&program);
    command.env("SAMEBIT", folder.join(executable_name("samebit"))).env("SAMEBIT_PLUGINS", &folder);
    command.args(part.args).stdin(Stdio::null()).stderr(file.try_clone()?).stdout(file);
    step(&line(&command));
    let started = Instant::now();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            writeln!(text, "\n## {}: {} cannot be started: {error}", part.title, program.display())?;
            return Ok(false);
        }
    };
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= end {
            child.kill().and_then(|()| child.wait())?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let printed = fs::read(&output).with_context(|| format!("{} cannot be read", output.display()))?;
    let how = match status {
        Some(status) if status.success() => "passed".to_owned(),
        Some(status) => format!("failed, {status}"),
        None => "cut off: out of time".to_owned(),
    };
    let seconds = started.elapsed().as_secs_f64();
    let printed = String::from_utf8_lossy(&printed);
    write!(text, "\n## {}: {how} ({seconds:.1} s)\n\n```text\n{}\n```\n", part.title, printed.trim_end())?;
    Ok(status.is_some_and(|status| status.success()))
}

/// Builds every program and puts it into the folder.
fn build(workspace: &Workspace, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let builds: [(&str, &[&str]); 4] = [
        ("samebit", &["build", "--release", "--package", "samebit", "--bin", "samebit"]),
        ("checks", &["test", "--release", "--no-run", "--package", "samebit-gpu", "--test", "it"]),
        ("times", &["bench", "--no-run", "--package", "samebit-gpu", "--bench", "kernels"]),
        ("jobs", &["bench", "--no-run", "--package", "samebit", "--bench", "side_by_side"]),
    ];
    for (program, args) in builds {
        let built = executable(workspace, args)?;
        copy(&built, &folder.join(executable_name(program)))?;
    }
    plugins::build_all(workspace)?;
    for module in MODULES {
        copy(&workspace.target().join("plugins").join(module), &folder.join(module))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let made = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(from, to));
    made.map(drop).with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))
}

fn executable_name(program: &str) -> String {
    format!("{program}{}", std::env::consts::EXE_SUFFIX)
}

/// Runs cargo, and gives the one program that it made.
fn executable(workspace: &Workspace, args: &[&str]) -> Result<PathBuf> {
    let mut command = cargo(workspace.root());
    command.args(args).arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    step(&line(&command));
    let mut child = command.spawn().context("cargo could not be started")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut found = None;
    for message in Message::parse_stream(BufReader::new(stdout)) {
        if let Message::CompilerArtifact(artifact) = message.context("cargo's messages cannot be read")? {
            // A bench comes with the programs that it starts.
            let is_wanted = args.last().is_some_and(|name| artifact.target.name == *name);
            found = artifact.executable.filter(|_| is_wanted).map(|path| path.into_std_path_buf()).or(found);
        }
    }
    let status = child.wait().context("cargo was lost")?;
    ensure!(status.success(), "`{}` failed: {status}", line(&command));
    let Some(found) = found else { bail!("`{}` made no program", line(&command)) };
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(script: &str, end: Duration) -> (bool, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("checks");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
        #[cfg(unix)]
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it may run");
        let mut text = String::new();
        let passed = run_part(folder.path(), &PARTS[1], Instant::now() + end, &mut text).expect("it starts");
        (passed, text)
    }

    #[test]
    #[cfg(unix)]
    fn a_part_is_told_with_how_it_ended() {
        let long = Duration::from_secs(60);
        let (passed, text) = part("echo \"$1 on a card\"", long);
        assert!(passed && text.contains("## Checks: passed") && text.contains("\nvulkan on a card\n"), "{text}");
        let (passed, text) = part("echo one differs >&2; exit 3", long);
        assert!(!passed && text.contains("failed, exit status: 3") && text.contains("one differs"), "{text}");
        let (passed, text) = part("echo started; exec sleep 60", Duration::from_millis(300));
        assert!(!passed && text.contains("cut off") && text.contains("started"), "{text}");
        let (mut text, folder) = (String::new(), tempfile::tempdir().expect("a folder"));
        let end = Instant::now() + long;
        assert!(!run_part(folder.path(), &PARTS[1], end, &mut text).expect("it is told"));
        assert!(text.contains("## Checks: ") && text.contains("cannot be started"), "{text}");
    }
}
