//! A host that is killed while it fetches, runs or signs, and started again.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{accepted_job, fair, input, submit, submit_from};
use crate::net_test::check::{self, Ends};
use crate::net_test::host::Host;
use crate::net_test::proxy::Weather;
use crate::net_test::world::{PATIENCE, Who, World};

/// Slow enough that fetching takes a second or two.
pub(super) fn weather() -> Weather {
    Weather { rate: 2 << 20, ..fair() }
}

/// At some instant after the job was accepted.
pub(super) fn fetching(world: &mut World) -> Result<Ends> {
    story(world, " is accepted", 1_200)
}

/// At some instant after it was begun.
pub(super) fn running(world: &mut World) -> Result<Ends> {
    story(world, "running", 700)
}

/// At some instant after its outputs were hashed.
pub(super) fn signing(world: &mut World) -> Result<Ends> {
    story(world, "hashing", 40)
}

/// Two jobs are on their way. One of them is just there when the host is killed; the other is wherever it is.
fn story(world: &mut World, after: &str, within_ms: u64) -> Result<Ends> {
    let host = Host::start(world, Who::Host1, &[])?;
    input(world, "in", 1 << 20)?;
    input(world, "other", 512 << 10)?;
    let mut first = submit(world, &host, "in", &["--out", "out"])?;
    let job = accepted_job(&mut first)?;
    let mut second = submit_from(world, Who::Host3, &host, "other", &[])?;
    let other = accepted_job(&mut second)?;
    // It may have ended before it was looked at, which is an instant as well.
    ensure!(first.says(after, PATIENCE)?, "it never came so far: {}", first.said()?);
    std::thread::sleep(world.random.time_ms(within_ms));
    host.kill()?;
    std::thread::sleep(Duration::from_millis(world.random.below(2_000)));
    let host = Host::start(world, Who::Host1, &[])?;
    // Both connect again and read on.
    first.wait(PATIENCE)?.exits(0)?;
    second.wait(PATIENCE)?.exits(0)?;
    let ends = check::host(world, host, &[job, other])?;
    ensure!(ends == Ends { done: 2, not_done: 0 }, "{ends:?}");
    Ok(ends)
}
