//! What holds at the end of every run, whatever happened in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::host::Host;
use super::world::{ALL, PATIENCE, Who, World};

/// How jobs ended at a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends {
    /// With a receipt.
    pub(super) done: usize,
    /// Reported as failed, or cancelled.
    pub(super) not_done: usize,
}

/// Stops a host after looking at all that it did: every job that it accepted has ended once, its chain is unbroken and
/// has each receipt once, the receipts verify elsewhere, and nothing half done is left on its disk.
pub(super) fn host(world: &mut World, host: Host, accepted: &[String]) -> Result<Ends> {
    let jobs = settled(world, host.who)?;
    for job in accepted {
        ensure!(jobs.contains_key(job), "job {job} was accepted, and {} does not know it", host.who.name());
    }
    let receipts = chain(world, &host)?;
    let ends = ends(&jobs, &receipts)?;
    for sequence in 0..ends.done {
        let receipt = format!("{}-chain/{sequence}.receipt", host.who.name());
        let verify = ["verify", &receipt, "--from", &host.ticket];
        world.samebit(Who::Verifier, &verify)?.exits(0)?;
    }
    let who = host.who;
    host.stop()?;
    store(&world.path(who.name()))?;
    Ok(ends)
}

/// Nothing runs on any machine.
pub(super) fn nothing_runs(world: &World) -> Result<()> {
    for who in ALL {
        let left = world.processes(who)?;
        ensure!(left.is_empty(), "processes {left:?} are left on {}", who.name());
    }
    Ok(())
}

/// The host's jobs by id, once all have ended.
fn settled(world: &mut World, who: Who) -> Result<BTreeMap<String, Value>> {
    let began = Instant::now();
    loop {
        let list = world.json(who, &["jobs", "list"])?;
        let jobs = list["jobs"].as_array().context("no list of jobs")?;
        let is_over = |job: &Value| ["done", "failed", "cancelled"].iter().any(|state| job["state"] == *state);
        if jobs.iter().all(is_over) {
            let by_id = jobs.iter().map(|job| (text(&job["job"]), job.clone())).collect::<BTreeMap<_, _>>();
            ensure!(by_id.len() == jobs.len(), "a job is listed twice: {list}");
            return Ok(by_id);
        }
        ensure!(began.elapsed() < PATIENCE, "jobs do not end: {list}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The host's chain, pulled and checked by a stranger: the receipt of each job.
fn chain(world: &mut World, host: &Host) -> Result<BTreeMap<String, String>> {
    let folder = format!("{}-chain", host.who.name());
    let pull = ["receipts", "--host", &host.ticket, "--out", &folder, "--json"];
    let chain = world.samebit(Who::Verifier, &pull)?.exits(0)?.json()?;
    let entries = chain["entries"].as_array().context("no entries")?;
    let receipts =
        entries.iter().map(|entry| (text(&entry["job"]), text(&entry["receipt"]))).collect::<BTreeMap<_, _>>();
    ensure!(receipts.len() == entries.len(), "a job has two receipts in the chain: {chain}");
    Ok(receipts)
}

/// How the jobs ended, if the list and the chain agree on that.
fn ends(jobs: &BTreeMap<String, Value>, receipts: &BTreeMap<String, String>) -> Result<Ends> {
    let mut ends = Ends::default();
    for (id, job) in jobs {
        if job["state"] == "done" {
            ends.done += 1;
            let receipt = receipts.get(id).with_context(|| format!("job {id} is done, and not in the chain"))?;
            ensure!(job["receipt"] == **receipt, "job {id} has another receipt in the chain: {receipt}, {job}");
        } else {
            ends.not_done += 1;
        }
    }
    ensure!(ends.done == receipts.len(), "the chain has receipts of jobs that are not done: {receipts:?}, {jobs:?}");
    Ok(ends)
}

/// A store that was closed has nothing half done in it.
pub(super) fn store(store: &Path) -> Result<()> {
    for folder in ["scratch", "index/temp"] {
        let path = store.join(folder);
        let entries = match fs::read_dir(&path) {
            // Made by the index when it needs it; the store makes its own at every start.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && folder != "scratch" => continue,
            entries => entries?,
        };
        let left = entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>()?;
        ensure!(left.is_empty(), "{} is left in {}", left.len(), path.display());
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
