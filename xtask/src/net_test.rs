//! `cargo xtask net-test`: five machines on a bad network, and what must hold whatever happens.
//!
//! An author, three hosts and a verifier are network namespaces whose only way to each other is a proxy that delays and
//! loses datagrams. Each scenario is run with many seeds, and after each run the same is checked: every accepted job has
//! one outcome or a reported failure, receipts verify, chains are unbroken, and neither half-done files nor processes
//! are left. Namespaces need Linux and its superuser; nothing outside them is touched.

mod check;
mod frame;
mod guests;
mod host;
mod janitor;
mod port;
mod proxy;
mod random;
mod scenarios;
mod sockets;
mod task;
mod world;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use self::check::Ends;
use self::scenarios::{SCENARIOS, Scenario};
use self::world::Means;
use crate::CannotTry;
use crate::command::{cargo, line, run as run_command};
use crate::terminal::{answer, step};
use crate::workspace::Workspace;

pub(crate) use janitor::{Args as JanitorArgs, run as janitor};
pub(crate) use port::run as port;
pub(crate) use task::Task;

const AFTER: &str = "\
Needs Linux, its superuser, and `ip` (iproute2). The files and logs of runs that did not hold are in
target/net-test.

Exit codes:
  0    everything held in every run
  1    something did not hold; the seed is said
  2    bad usage
  3    this machine cannot make network namespaces, or not for this user

Examples:
  sudo -E cargo xtask net-test
  sudo -E cargo xtask net-test --runs 3
  sudo -E cargo xtask net-test --scenario lossy --seed 7";

/// How many seeds are tried unless something else is said.
const RUNS: u64 = 20;

/// Arguments of `cargo xtask net-test`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// How many seeds each scenario is run with [default: 20, or 1 with --seed]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// How many runs go on at once, each with machines of its own
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=16))]
    at_once: u64,
    /// Only this scenario (repeatable)
    #[arg(long, value_name = "NAME", value_parser = SCENARIOS.map(|scenario| scenario.name))]
    scenario: Vec<String>,
    /// The first seed
    #[arg(long)]
    seed: Option<u64>,
    /// Leave files and logs of runs that held, too
    #[arg(long)]
    keep: bool,
    /// What the programs write to their logs, as SAMEBIT_LOG takes it
    #[arg(long, value_name = "FILTER", default_value = "warn,iroh_blobs=error,samebit=info,samebit_net=info")]
    log: String,
}

/// What the runs of a scenario came to.
#[derive(Default)]
struct Tally {
    held: u64,
    runs: u64,
    ends: Ends,
    time: Duration,
    longest: Duration,
}

/// Runs the scenarios.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    world::check().map_err(|error| {
        CannotTry(format!("network namespaces cannot be made: {error:#}; this needs Linux, root and iproute2"))
    })?;
    let (samebit, rogue) = build(workspace, false)?;
    let folder = workspace.target().join("net-test");
    let means =
        Means { samebit: taken(&samebit, &folder)?, rogue: taken(&rogue, &folder)?, folder, log: args.log.clone() };
    let first = args.seed.unwrap_or(1);
    let runs = args.runs.unwrap_or(if args.seed.is_some() { 1 } else { RUNS });
    let is_wanted =
        |scenario: &&Scenario| args.scenario.is_empty() || args.scenario.iter().any(|name| name == scenario.name);
    let wanted = SCENARIOS.iter().filter(is_wanted).collect::<Vec<_>>();
    let mut left =
        wanted.iter().flat_map(|scenario| (first..first + runs).map(|seed| (*scenario, seed))).collect::<Vec<_>>();
    left.reverse();
    let (left, tallies) = (Mutex::new(left), Mutex::new(BTreeMap::<&str, Tally>::new()));
    let work = || {
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some((scenario, seed)) = next() {
            let began = Instant::now();
            let ends = attempt(scenario, &means, seed, args.keep);
            let took = began.elapsed();
            match &ends {
                Ok(_) => step(&format!("{} with seed {seed} held, {:.1} s", scenario.name, took.as_secs_f64())),
                Err(error) => step(&format!("{} with seed {seed} did not hold: {error:#}", scenario.name)),
            }
            tallies
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(scenario.name)
                .or_default()
                .add(ends.ok(), took);
        }
    };
    thread::scope(|scope| (0..args.at_once).for_each(|_| drop(scope.spawn(work))));
    fs::remove_dir_all(bin(&means.folder))?;
    report(&wanted, &tallies.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Builds the program and the peer that keeps to no protocol.
pub(crate) fn build(workspace: &Workspace, release: bool) -> Result<(PathBuf, PathBuf)> {
    let mut command = cargo(workspace.root());
    command.args(["build", "--workspace", "--bin", "samebit", "--example", "rogue"]);
    command.args(release.then_some("--release"));
    step(&line(&command));
    run_command(&mut command)?;
    let built = workspace.target().join(if release { "release" } else { "debug" });
    Ok((built.join("samebit"), built.join("examples/rogue")))
}

/// Where this process keeps the programs that it runs.
fn bin(folder: &Path) -> PathBuf {
    folder.join("bin").join(std::process::id().to_string())
}

/// A program as it is now, whatever is built meanwhile.
fn taken(program: &Path, folder: &Path) -> Result<PathBuf> {
    let name = program.file_name().context("the program has no name")?;
    let place = bin(folder);
    fs::create_dir_all(&place).with_context(|| format!("{} cannot be made", place.display()))?;
    let path = place.join(name);
    fs::hard_link(program, &path).with_context(|| format!("{} cannot be made", path.display()))?;
    Ok(path)
}

/// One run of a scenario.
fn attempt(scenario: &Scenario, means: &Means, seed: u64, keep: bool) -> Result<Ends> {
    let folder = means.folder.join(format!("{}-{seed}", scenario.name));
    let ends = scenario.run(&Means { folder: folder.clone(), ..means.clone() }, seed)?;
    if !keep {
        fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    Ok(ends)
}

/// Prints what all runs came to.
fn report(scenarios: &[&Scenario], tallies: &BTreeMap<&str, Tally>) -> Result<()> {
    answer("| scenario | runs | held | jobs done | failed or cancelled | mean time | longest |");
    answer("|---|---|---|---|---|---|---|");
    for scenario in scenarios {
        if let Some(tally) = tallies.get(scenario.name) {
            answer(&tally.row(scenario.name));
        }
    }
    let failed = tallies.values().map(|tally| tally.runs - tally.held).sum::<u64>();
    ensure!(failed == 0, "{failed} run(s) did not hold: see above; their files are in target/net-test");
    Ok(())
}

impl Tally {
    /// Counts a run, with how its jobs ended if it held.
    fn add(&mut self, ends: Option<Ends>, took: Duration) {
        self.runs += 1;
        self.held += u64::from(ends.is_some());
        let Ends { done, not_done } = ends.unwrap_or_default();
        self.ends.done += done;
        self.ends.not_done += not_done;
        self.time += took;
        self.longest = self.longest.max(took);
    }

    fn row(&self, name: &str) -> String {
        let mean = self.time.as_secs_f64() / self.runs.max(1) as f64;
        let Self { held, runs, ends: Ends { done, not_done }, .. } = self;
        let longest = self.longest.as_secs_f64();
        format!("| {name} | {runs} | {held} | {done} | {not_done} | {mean:.1} s | {longest:.1} s |")
    }
}
