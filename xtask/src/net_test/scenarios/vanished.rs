//! A client that vanishes and returns.

use anyhow::{Context, Result, ensure};

use super::{fair, input, submit};
use crate::net_test::check::{self, Ends};
use crate::net_test::host::Host;
use crate::net_test::proxy::Weather;
use crate::net_test::task::accepted;
use crate::net_test::world::{PATIENCE, Who, World};

pub(super) fn weather() -> Weather {
    Weather { rate: 2 << 20, ..fair() }
}

/// The client is killed at some instant, and comes back to follow the job, or to submit it again.
pub(super) fn story(world: &mut World) -> Result<Ends> {
    let host = Host::start(world, Who::Host1, &[])?;
    input(world, "in", 1 << 20)?;
    let cancels = world.random.below(4) == 0;
    let how: &[&str] = if cancels { &["--cancel-on-disconnect"] } else { &[] };
    let task = submit(world, &host, "in", how)?;
    std::thread::sleep(world.random.time_ms(4_000));
    let gone = task.kill()?;
    std::thread::sleep(world.random.time_ms(3_000));
    let first = accepted(&gone.stderr);
    if let Some(job) = &first {
        // Done, or failed since what it needs was the client's, or cancelled; but told to its end.
        let followed = world.samebit(Who::Author, &["jobs", "follow", job, "--host", &host.ticket])?;
        ensure!([0, 1].contains(&followed.code), "it cannot be followed: {followed:?}");
    }
    let again = submit(world, &host, "in", &["--out", "out"])?.wait(PATIENCE)?.exits(0)?;
    let job = again.accepted().context("no job")?;
    ensure!(first.is_none_or(|first| first == job), "it is another job");
    let ends = check::host(world, host, &[job])?;
    ensure!(ends == Ends { done: 1, not_done: 0 }, "{ends:?}");
    Ok(ends)
}
