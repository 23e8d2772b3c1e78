//! Providers that send wrong bytes: one whose disk has changed under it, and one that lies.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::gone::{publish, same};
use super::input;
use crate::net_test::check::{self, Ends};
use crate::net_test::host::Host;
use crate::net_test::task::Task;
use crate::net_test::world::{PATIENCE, Who, World};

/// A verifier fetches from a liar, a host with a damaged disk and an honest one, in this order, and has the right bytes
/// or none. The author is gone.
pub(super) fn story(world: &mut World) -> Result<Ends> {
    let honest = Host::start(world, Who::Host1, &[])?;
    let damaged = Host::start(world, Who::Host2, &[])?;
    let bytes = (300 << 10) + usize::try_from(world.random.below(700 << 10))?;
    input(world, "published", bytes)?;
    let (author, blob) = publish(world, "published")?;
    for who in [Who::Host1, Who::Host2] {
        world.samebit(who, &["fetch", &blob.ticket])?.exits(0)?;
    }
    author.kill()?;
    damaged.stop()?;
    damage(world, &blob.hash, bytes)?;
    let damaged = Host::start(world, Who::Host2, &[])?;
    let (liar, name) = lie(world, &honest, bytes)?;
    let wrong = ["fetch", &blob.hash, "--from", &name, "--from", &damaged.ticket, "--out", "got"];
    // What the liar sent right, and what is whole on the damaged disk, may add up to the blob.
    if world.samebit(Who::Verifier, &wrong)?.code == 0 {
        same(world, "published", "got")?;
    }
    ensure!(liar.said()?.contains("flipped"), "the liar told the truth");
    // Next time there is nothing to build on.
    fs::remove_dir_all(world.path(Who::Verifier.name()))?;
    let right = [&wrong[..], &["--from", &honest.ticket]].concat();
    world.samebit(Who::Verifier, &right)?.exits(0)?;
    same(world, "published", "got")?;
    liar.kill()?;
    check::host(world, damaged, &[])?;
    check::host(world, honest, &[])?;
    check::store(&world.path(Who::Verifier.name()))?;
    Ok(Ends::default())
}

/// Flips a bit of a fetched blob on a host's disk.
fn damage(world: &mut World, hash: &str, length: usize) -> Result<()> {
    let path = world.path(Who::Host2.name()).join("index/data").join(format!("{hash}.data"));
    let mut bytes = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let at = usize::try_from(world.random.below(length as u64))?;
    *bytes.get_mut(at).context("the blob is too short")? ^= 1;
    fs::write(path, bytes)?;
    Ok(())
}

/// Starts a liar on the third host's machine, and says how others name it.
fn lie(world: &mut World, honest: &Host, length: usize) -> Result<(Task, String)> {
    let program = world.rogue();
    let at = format!("{}:4433", Who::Host3.address());
    let offset = world.random.below(length as u64).to_string();
    let mut task = world.start_program(Who::Host3, &[&program, "lie", &at, &honest.ticket, &offset])?;
    ensure!(task.says("\n", PATIENCE)?, "the liar does not lie: {}", task.said()?);
    let said = task.said()?;
    let name = said.lines().find_map(|line| line.strip_prefix("host ")).context("it has no name")?;
    Ok((task, name.to_owned()))
}
