//! What happens to the machines.

mod full;
mod gone;
mod killed;
mod lossy;
mod lying;
mod parted;
mod vanished;

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::check::{self, Ends};
use super::guests::WORK;
use super::host::Host;
use super::proxy::Weather;
use super::task::{Task, accepted};
use super::world::{Means, PATIENCE, Who, World};

/// A story that ends with the checks.
pub(super) struct Scenario {
    /// What it is called.
    pub(super) name: &'static str,
    weather: fn() -> Weather,
    story: fn(&mut World) -> Result<Ends>,
}

/// All of them.
pub(super) const SCENARIOS: [Scenario; 9] = [
    Scenario { name: "killed-fetching", weather: killed::weather, story: killed::fetching },
    Scenario { name: "killed-running", weather: killed::weather, story: killed::running },
    Scenario { name: "killed-signing", weather: killed::weather, story: killed::signing },
    Scenario { name: "gone", weather: fair, story: gone::story },
    Scenario { name: "parted", weather: parted::weather, story: parted::story },
    Scenario { name: "lossy", weather: lossy::weather, story: lossy::story },
    Scenario { name: "lying", weather: fair, story: lying::story },
    Scenario { name: "full", weather: fair, story: full::story },
    Scenario { name: "vanished", weather: vanished::weather, story: vanished::story },
];

impl Scenario {
    /// Runs it with a seed.
    pub(super) fn run(&self, means: &Means, seed: u64) -> Result<Ends> {
        let mut world = World::make(means, seed, (self.weather)())?;
        world.file("work.wasm", &wat::parse_str(WORK).context("the guest")?)?;
        let ends = (self.story)(&mut world)?;
        check::nothing_runs(&world)?;
        world.end()?;
        Ok(ends)
    }
}

/// A good network: 5 ms there and back, and 8 MiB/s.
fn fair() -> Weather {
    Weather { delay: Duration::from_micros(2500), loss_per_mille: 0, rate: 8 << 20, cut: BTreeSet::new() }
}

/// An input of so many bytes that no other run has.
fn input(world: &mut World, name: &str, bytes: usize) -> Result<()> {
    let bytes = world.random.bytes(bytes);
    world.file(name, &bytes)
}

/// Starts to submit work on an input from the author's machine to a host.
fn submit(world: &mut World, host: &Host, input: &str, more: &[&str]) -> Result<Task> {
    submit_from(world, Who::Author, host, input, more)
}

/// Starts to submit work on an input from some machine to a host.
fn submit_from(world: &mut World, who: Who, host: &Host, input: &str, more: &[&str]) -> Result<Task> {
    let stdin = format!("stdin={input}");
    world.start(who, &[&["submit", "work.wasm", "--host", &host.ticket, "-i", &stdin], more].concat())
}

/// The job, once the host has accepted it.
fn accepted_job(task: &mut Task) -> Result<String> {
    ensure!(task.says(" is accepted", PATIENCE)?, "it was not accepted: {}", task.said()?);
    accepted(&task.said()?).context("no job is named")
}
