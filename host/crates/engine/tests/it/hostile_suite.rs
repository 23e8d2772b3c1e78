//! All hostile guests in one process: how much memory the host needs for them.

use std::process::Command;

use crate::hostile;

/// What the host may take for any of the guests: 256 MiB of linear memory, as much again for bytes on their way in or out
/// of it, and 128 MiB for everything else, the inputs and the buffers of the device, which here is memory, included.
///
/// On x86-64 Linux they need 316 MiB.
const PEAK_MIB_MAX: u64 = 640;

/// Runs in a process of its own, see below.
#[test]
#[ignore = "run by `the_host_stays_small`, in a process of its own"]
fn all_in_one_process() {
    for (name, test) in hostile::ALL {
        let before = peak_mib();
        hostile::try_guest(name, *test);
        println!("{name} {} MiB more", peak_mib() - before);
    }
    println!("peak {} MiB", peak_mib());
}

/// The largest resident set so far.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

#[test]
#[cfg(target_os = "linux")]
fn the_host_stays_small() {
    let this = std::env::current_exe().expect("a test binary");
    let output = Command::new(this)
        .args(["--exact", "hostile_suite::all_in_one_process", "--ignored", "--nocapture"])
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let peak = text.lines().find_map(|line| line.strip_prefix("peak ")?.strip_suffix(" MiB")).expect("a peak");
    let peak: u64 = peak.parse().expect("a number");
    println!("{text}");
    assert!(peak < PEAK_MIB_MAX, "the host took {peak} MiB:\n{text}");
}
