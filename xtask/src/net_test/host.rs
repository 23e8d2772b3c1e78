//! A `samebit host` on one of the machines.

use anyhow::{Result, bail};
use serde_json::Value;

use super::task::{Done, Task};
use super::world::{PATIENCE, Who, World};

/// A host that is up.
pub(super) struct Host {
    /// Where.
    pub(super) who: Who,
    /// How others reach it.
    pub(super) ticket: String,
    pub(super) task: Task,
}

impl Host {
    /// Starts a host, and waits until it is up. It listens at the same address each time.
    pub(super) fn start(world: &mut World, who: Who, args: &[&str]) -> Result<Self> {
        let bind = format!("{}:4433", who.address());
        let mut line = vec!["host", "--json", "--allow", "any", "--bind", &bind, "--jobs", "2", "--drain-s", "20"];
        // The machine's disk is not what is tried, but where a scenario says so.
        line.extend(["--disk-free", "1MiB"]);
        line.extend(args);
        let mut task = world.start(who, &line)?;
        if !task.says("\n}\n", PATIENCE)? {
            let done = task.wait(PATIENCE)?;
            bail!("the host did not start: {done:?}");
        }
        let said = task.said()?;
        let end = said.find("\n}\n").map_or(said.len(), |end| end + 3);
        let up: Value = serde_json::from_str(&said[..end])?;
        let ticket = up["ticket"].as_str().unwrap_or_default().to_owned();
        Ok(Self { who, ticket, task })
    }

    /// Kills it at once.
    pub(super) fn kill(self) -> Result<Done> {
        self.task.kill()
    }

    /// Asks it to end, which it does without complaint.
    pub(super) fn stop(self) -> Result<Done> {
        self.task.terminate(PATIENCE)?.exits(0)
    }
}
