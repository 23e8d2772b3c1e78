//! 40 ms there and back, and one datagram in a hundred is lost.

use std::time::Duration;

use anyhow::{Context, Result};

use super::gone::same;
use super::{fair, input, submit};
use crate::net_test::check::{self, Ends};
use crate::net_test::host::Host;
use crate::net_test::proxy::Weather;
use crate::net_test::world::{PATIENCE, Who, World};

pub(super) fn weather() -> Weather {
    Weather { delay: Duration::from_millis(20), loss_per_mille: 10, ..fair() }
}

/// A job with an input of some mebibytes, whose outputs come back.
pub(super) fn story(world: &mut World) -> Result<Ends> {
    let host = Host::start(world, Who::Host1, &[])?;
    let bytes = (1 << 20) + usize::try_from(world.random.below(3 << 20))?;
    input(world, "in", bytes)?;
    let done = submit(world, &host, "in", &["--out", "out"])?.wait(PATIENCE)?.exits(0)?;
    let job = done.accepted().context("no job was accepted")?;
    same(world, "in", "out/stdout")?;
    check::host(world, host, &[job])
}
