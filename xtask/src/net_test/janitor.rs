//! The process that clears up, whatever becomes of the one that it serves.
//!
//! It waits for the end of its input, which comes when its master ends in whatever way: done, failed, interrupted or
//! killed. Then it kills what runs in the namespaces of that name, by process id, and takes namespaces and mounts away.
//! It is in a process group of its own, so that Ctrl-C is not for it.

use std::io::{Read, stdin};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::task::{kill, quiet, words};

/// How long what was killed may take to be gone.
const GONE_TIME: Duration = Duration::from_secs(10);

/// Arguments of the janitor's process.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the names of its namespaces begin with
    prefix: String,
    /// A folder to unmount
    mount: PathBuf,
}

/// Waits for the master's end, then clears up.
pub(crate) fn run(args: &Args) -> Result<()> {
    // An error is an end as well.
    let _ = stdin().read_to_end(&mut Vec::new());
    clear(&args.prefix, &args.mount)
}

/// Hires a janitor for this process.
pub(super) fn hire(prefix: &str, mount: &Path) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe().context("this program's own path")?);
    command.args(["net-janitor", prefix]).arg(mount).stdin(Stdio::piped()).process_group(0);
    command.spawn().context("the janitor could not be started")
}

/// The namespaces whose names begin so.
pub(super) fn namespaces(prefix: &str) -> Result<Vec<String>> {
    let list = words(Command::new("ip").args(["netns", "list"]))?;
    Ok(list
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| name.starts_with(prefix))
        .map(str::to_owned)
        .collect())
}

/// The processes in a namespace.
pub(super) fn processes(namespace: &str) -> Result<Vec<u32>> {
    let list = words(Command::new("ip").args(["netns", "pids", namespace]))?;
    Ok(list.lines().filter_map(|line| line.trim().parse().ok()).collect())
}

fn clear(prefix: &str, mount: &Path) -> Result<()> {
    let names = namespaces(prefix)?;
    let began = Instant::now();
    loop {
        let running = names.iter().filter_map(|name| processes(name).ok()).flatten().collect::<Vec<_>>();
        if running.is_empty() {
            break;
        }
        ensure!(
            began.elapsed() < GONE_TIME,
            "processes {running:?} do not end: end them, then `ip netns delete` {names:?}"
        );
        running.into_iter().for_each(|id| kill(id, "KILL"));
        std::thread::sleep(Duration::from_millis(20));
    }
    for name in names {
        words(Command::new("ip").args(["netns", "delete", &name]))?;
    }
    // There is none in most scenarios.
    let _ = quiet(Command::new("umount").arg(mount)).status();
    Ok(())
}
