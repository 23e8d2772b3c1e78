//! `cargo xtask net-load`: a crowd that wants to wear a host out, and an honest client in the middle of it.
//!
//! The host is `samebit host` as everybody starts it, and everybody else is another process. Measured are how long the
//! honest client waits, before and in the middle of the attack, and how much memory the host ever had.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::net_test::{Task, build};
use crate::terminal::{answer, step};
use crate::workspace::Workspace;

/// What the host may have in memory at most, in MiB. docs/NETWORK.md says it too.
const MEMORY_MIB_MAX: u64 = 256;
/// How much longer than alone the honest client may wait, in the worst of a hundred cases.
const TIMES_MAX: f64 = 5.0;
/// Answers faster than this are not told apart, in milliseconds: the machine itself is not that steady.
const FLOOR_MS: f64 = 4.0;
/// The honest client's module: it ends at once.
const EMPTY: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

const AFTER: &str = "\
The crowd runs with a lower priority, since on the machines that it stands for it would not
compete with the host for the CPU. Files and logs are in target/net-load.

Exit codes:
  0    the honest client was served, and the host's memory stayed below its cap
  1    it was not, or it did not
  2    bad usage

Examples:
  cargo xtask net-load --release
  cargo xtask net-load --connections 1000 --requests 10000 --seconds 10";

/// Arguments of `cargo xtask net-load`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// How many connections the crowd makes
    #[arg(long, default_value_t = 10_000)]
    connections: u64,
    /// How many requests it makes
    #[arg(long, default_value_t = 100_000)]
    requests: u64,
    /// In how many seconds, if the host lets it
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(5..=600))]
    seconds: u64,
    /// What decides the crowd's doings
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Build the programs with optimization, as they are installed
    #[arg(long)]
    release: bool,
}

/// Where everything is.
struct Lab {
    folder: PathBuf,
    samebit: PathBuf,
    rogue: PathBuf,
}

/// Starts a host, measures, and judges.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let folder = workspace.target().join("net-load");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("empty.wasm"), wat::parse_str(EMPTY)?)?;
    let (samebit, rogue) = build(workspace, args.release)?;
    let lab = Lab { folder, samebit, rogue };
    let (host, ticket) = lab.host()?;
    let idle = lab.honest(&ticket, 20, "idle")?.wait(Duration::from_secs(120))?.exits(0)?.json()?;
    let before = memory_mib(host.id(), "VmRSS")?;
    step(&format!("the host has {before} MiB; the crowd comes"));
    let crowd = lab.crowd(&ticket, args)?;
    // The honest client comes a little later and leaves a little earlier.
    std::thread::sleep(Duration::from_secs(2));
    let honest = lab.honest(&ticket, args.seconds.saturating_sub(4), "attacked")?;
    let attacked = honest.wait(Duration::from_secs(args.seconds * 3 + 120))?.exits(0)?.json()?;
    let crowd = crowd.wait(Duration::from_secs(args.seconds * 3 + 120))?.exits(0)?.json()?;
    let peak = memory_mib(host.id(), "VmHWM")?;
    host.terminate(Duration::from_secs(120))?.exits(0)?;
    answer(&format!("{crowd:#}"));
    judge(&idle, &attacked, peak)
}

impl Lab {
    fn host(&self) -> Result<(Task, String)> {
        let mut command = Command::new(&self.samebit);
        command.current_dir(&self.folder).args(["--store", "host", "host", "--offline", "--allow", "any", "--json"]);
        let mut task = Task::start(command, &self.folder.join("host-log"))?;
        ensure!(task.says("\n}\n", Duration::from_secs(60))?, "the host did not start: {}", task.said()?);
        let said = task.said()?;
        let end = said.find("\n}\n").map_or(said.len(), |end| end + 3);
        let up: Value = serde_json::from_str(&said[..end])?;
        Ok((task, up["ticket"].as_str().context("no ticket")?.to_owned()))
    }

    fn honest(&self, ticket: &str, seconds: u64, name: &str) -> Result<Task> {
        let mut command = Command::new(&self.rogue);
        command.args(["honest", ticket]).arg(self.folder.join("empty.wasm")).arg(seconds.to_string());
        Task::start(command, &self.folder.join(name))
    }

    fn crowd(&self, ticket: &str, args: &Args) -> Result<Task> {
        let mut command = Command::new("nice");
        let numbers = [args.connections, args.requests, args.seconds, args.seed];
        command.args(["-n", "5"]).arg(&self.rogue).args(["load", ticket]).args(numbers.map(|one| one.to_string()));
        Task::start(command, &self.folder.join("crowd"))
    }
}

/// Prints what was measured, and says whether it is good enough.
fn judge(idle: &Value, attacked: &Value, peak: u64) -> Result<()> {
    answer("| honest client | alone: p50, p99 | attacked: p50, p99 | p99, times | not answered |");
    answer("|---|---|---|---|---|");
    let mut wrong = Vec::new();
    for kind in ["info", "submit", "newcomer"] {
        let at = |from: &Value, part: &str| from[kind][part].as_f64().unwrap_or(f64::INFINITY);
        let times = at(attacked, "p99_ms") / at(idle, "p99_ms").max(FLOOR_MS);
        let failed = attacked[kind]["failed"].as_u64().unwrap_or(u64::MAX);
        answer(&format!(
            "| {kind} | {:.1}, {:.1} ms | {:.1}, {:.1} ms | {times:.1} | {failed} of {} |",
            at(idle, "p50_ms"),
            at(idle, "p99_ms"),
            at(attacked, "p50_ms"),
            at(attacked, "p99_ms"),
            failed + attacked[kind]["count"].as_u64().unwrap_or_default(),
        ));
        if times > TIMES_MAX || failed > 0 {
            wrong.push(format!("{kind}: {}", attacked[kind]));
        }
    }
    answer(&format!("memory of the host, at most: {peak} MiB of {MEMORY_MIB_MAX}"));
    ensure!(peak <= MEMORY_MIB_MAX, "the host had {peak} MiB, more than its {MEMORY_MIB_MAX}");
    ensure!(wrong.is_empty(), "the honest client was not served as it should be: {}", wrong.join("; "));
    Ok(())
}

/// A line of a process's status, in MiB.
fn memory_mib(process: u32, what: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':')).context("no such line")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib.div_ceil(1024))
}
