//! A partition in the middle of a job, which heals.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{accepted_job, fair, input, submit};
use crate::net_test::check::{self, Ends};
use crate::net_test::host::Host;
use crate::net_test::proxy::Weather;
use crate::net_test::world::{PATIENCE, Who, World};

pub(super) fn weather() -> Weather {
    Weather { rate: 2 << 20, ..fair() }
}

/// One machine is cut off for a while: mostly for some seconds, now and then for longer than connections live.
pub(super) fn story(world: &mut World) -> Result<Ends> {
    let host = Host::start(world, Who::Host1, &[])?;
    input(world, "in", 2 << 20)?;
    let mut task = submit(world, &host, "in", &["--out", "out"])?;
    let job = accepted_job(&mut task)?;
    std::thread::sleep(world.random.time_ms(2_500));
    let who = if world.random.below(2) == 0 { Who::Author } else { Who::Host1 };
    let is_long = world.random.below(5) == 0;
    let time = world.random.time_ms(8_000) + Duration::from_secs(if is_long { 22 } else { 0 });
    world.proxy.change(|weather| weather.cut.extend([who.address()]));
    std::thread::sleep(time);
    world.proxy.change(|weather| weather.cut.clear());
    let done = task.wait(PATIENCE)?;
    // A host that lost the author for good has said so, and a client that lost the host too. Asked again, it is done.
    if done.code != 0 {
        ensure!(done.code == 3, "it ended in another way: {done:?}");
        submit(world, &host, "in", &["--out", "out"])?.wait(PATIENCE)?.exits(0)?;
    }
    let ends = check::host(world, host, &[job])?;
    ensure!(ends == Ends { done: 1, not_done: 0 }, "{ends:?}");
    Ok(ends)
}
