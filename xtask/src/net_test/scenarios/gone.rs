//! An author who is gone. Hosts that ran the job, or fetched what was published, provide.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{input, submit};
use crate::net_test::check::{self, Ends};
use crate::net_test::host::Host;
use crate::net_test::task::Task;
use crate::net_test::world::{PATIENCE, Who, World};

/// Published, fetched and run; then the author is gone and a verifier wants both.
pub(super) fn story(world: &mut World) -> Result<Ends> {
    let (ran, fetched) = (Host::start(world, Who::Host1, &[])?, Host::start(world, Who::Host2, &[])?);
    input(world, "in", 600 << 10)?;
    let bytes = 100 << 10 << world.random.below(5);
    input(world, "published", bytes)?;
    let receipt = ["--receipt", "work.receipt"];
    let job = submit(world, &ran, "in", &receipt)?.wait(PATIENCE)?.exits(0)?.accepted().context("no job")?;
    let (author, blob) = publish(world, "published")?;
    world.samebit(Who::Host2, &["fetch", &blob.ticket])?.exits(0)?;
    author.kill()?;
    let from = ["--from", &blob.ticket, "--from", &fetched.ticket];
    let fetch = [&["fetch", &blob.hash, "--out", "got"], &from[..]].concat();
    world.samebit(Who::Verifier, &fetch)?.exits(0)?;
    same(world, "published", "got")?;
    let verify = ["verify", "work.receipt", "--from", &blob.ticket, "--from", &ran.ticket];
    world.samebit(Who::Verifier, &verify)?.exits(0)?;
    check::host(world, fetched, &[])?;
    check::host(world, ran, &[job])
}

/// A blob that was published.
pub(super) struct Blob {
    pub(super) hash: String,
    pub(super) ticket: String,
}

/// Publishes a file from the author's machine, for as long as the task runs.
pub(super) fn publish(world: &mut World, file: &str) -> Result<(Task, Blob)> {
    let mut task = world.start(Who::Author, &["publish", file, "--json"])?;
    ensure!(task.says("\n}\n", PATIENCE)?, "nothing was published: {}", task.said()?);
    let said = task.said()?;
    let end = said.find("\n}\n").map_or(said.len(), |end| end + 3);
    let value: Value = serde_json::from_str(&said[..end])?;
    let text = |name: &str| value[name].as_str().map(str::to_owned).with_context(|| format!("no {name}: {value}"));
    Ok((task, Blob { hash: text("hash")?, ticket: text("ticket")? }))
}

/// Two files of the run are the same.
pub(super) fn same(world: &World, one: &str, other: &str) -> Result<()> {
    ensure!(std::fs::read(world.path(one))? == std::fs::read(world.path(other))?, "{one} and {other} differ");
    Ok(())
}
