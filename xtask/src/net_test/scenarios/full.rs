//! A disk that fills while jobs come in, and is cleared.

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{input, submit, submit_from};
use crate::net_test::check::{self, Ends};
use crate::net_test::host::Host;
use crate::net_test::task::{accepted, words};
use crate::net_test::world::{PATIENCE, Who, World};

/// How large the disk is.
const DISK: &str = "size=24m";
/// How long a host may take to notice that it cannot go on.
const NOTICE_TIME: Duration = Duration::from_secs(6);
/// As much as the job may write, so that the host does not refuse it for what it might.
const LIMITS: [&str; 2] = ["--limit-output", "2MiB"];

/// Three jobs on a small disk, which somebody else fills at some instant. Each ends in some way that is told. Then there
/// is room again, and the host, started again if it had to give up, does what it is asked.
pub(super) fn story(world: &mut World) -> Result<Ends> {
    let disk = world.path(Who::Host1.name());
    fs::create_dir_all(&disk)?;
    words(Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "samebit-net-test"]).arg(&disk))?;
    let mut host = Host::start(world, Who::Host1, &[])?;
    let mut tasks = Vec::new();
    for (name, who) in [("in1", Who::Author), ("in2", Who::Host2), ("in3", Who::Host3)] {
        let bytes = 512 << 10 << world.random.below(2);
        input(world, name, bytes)?;
        tasks.push(submit_from(world, who, &host, name, &LIMITS)?);
    }
    std::thread::sleep(world.random.time_ms(4_000));
    fill(&disk.join("filler"))?;
    let mut jobs = Vec::new();
    for task in tasks {
        let done = task.wait(PATIENCE)?;
        // Done; refused by name; or failed, or the host had to stop.
        ensure!([0, 2, 3].contains(&done.code), "it ended in another way: {done:?}");
        jobs.extend(accepted(&done.stderr));
    }
    fs::remove_file(disk.join("filler"))?;
    // It may be about to give up, or have done so, but not to go on without being able to.
    std::thread::sleep(NOTICE_TIME);
    if host.task.has_ended()? {
        host.task.wait(PATIENCE)?.exits(3)?;
        host = Host::start(world, Who::Host1, &[])?;
    }
    let done = submit(world, &host, "in1", &LIMITS)?.wait(PATIENCE)?.exits(0)?;
    jobs.extend(done.accepted());
    check::host(world, host, &jobs)
}

/// Writes until nothing more fits.
fn fill(path: &std::path::Path) -> Result<()> {
    let mut file = File::create(path)?;
    for size in [1 << 20, 4096, 1] {
        let bytes = vec![0; size];
        while file.write_all(&bytes).is_ok() {}
    }
    Ok(())
}
