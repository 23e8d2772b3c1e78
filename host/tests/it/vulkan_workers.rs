//! What becomes of the program when the process that runs its GPU's driver goes wrong.
#![cfg(target_os = "linux")]

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::support::{Desk, Done};

/// More workgroups than any driver gets through.
const ENDLESS: [&str; 10] = [
    "kernel",
    "slow.wgsl",
    "--groups",
    "65535,65535",
    "--bind",
    "0:0=zero:256",
    "--device",
    "gpu",
    "--profile",
    "native",
];

fn desk() -> Desk {
    let desk = Desk::new();
    desk.file(
        "slow.wgsl",
        "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
         @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
             var x = data[id.x % 64] | 1;
             for (var i = 0u; i < 10000; i++) { x = x * 1664525 + i; if x == 0 { x = data[i % 64]; } }
             data[id.x % 64] = x;
         }",
    );
    desk
}

/// Runs the kernel over few workgroups: it works if the last misfortune left nothing behind.
fn works(desk: &Desk) {
    let args = [&ENDLESS[..3], &["1"], &ENDLESS[4..]].concat();
    desk.samebit("s", &args).exits(0);
}

/// The processes that one has started.
fn children(of: u32) -> Vec<u32> {
    // Any of its threads may have started them.
    let tasks = std::fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let of_threads = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let listed = of_threads.collect::<Vec<_>>().join(" ");
    listed.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The worker of a program, once it has computed for a while.
fn busy_worker(program: &Child) -> u32 {
    let started = Instant::now();
    loop {
        assert!(started.elapsed() < Duration::from_secs(60), "no worker became busy");
        std::thread::sleep(Duration::from_millis(20));
        let Some(pid) = children(program.id()).first().copied() else { continue };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let ticks = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(11)?.parse::<u64>().ok());
        if ticks.is_some_and(|ticks| ticks > 50) {
            return pid;
        }
    }
}

fn kill(pid: u32) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill starts").success());
}

fn is_gone(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie is gone, and waits for whoever adopted it.
    stat.is_empty() || stat.contains(") Z ")
}

#[test]
fn serial_a_kernel_that_hangs_is_given_up_after_its_limit() {
    let desk = desk();
    let args = [&ENDLESS[..], &["--limit-dispatch-s", "1"]].concat();
    let started = Instant::now();
    desk.samebit("s", &args).exits(3).says(&["the device hangs: for 1 s", "--limit-dispatch-s"]);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    works(&desk);
}

#[test]
fn serial_a_worker_that_is_killed_is_a_lost_device() {
    let desk = desk();
    let program = desk.start("s", &ENDLESS);
    kill(busy_worker(&program));
    let done = Done::of(program.wait_with_output().expect("it ends"));
    done.exits(3).says(&["the device was lost", "signal: 9", "run it again"]);
    works(&desk);
}

#[test]
fn serial_a_worker_does_not_outlive_its_host() {
    let desk = desk();
    let mut program = desk.start("s", &ENDLESS);
    let worker = busy_worker(&program);
    kill(program.id());
    program.wait().expect("it is gone");
    let started = Instant::now();
    while !is_gone(worker) {
        assert!(started.elapsed() < Duration::from_secs(5), "the worker lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn serial_an_interrupted_program_takes_its_worker_along() {
    let desk = desk();
    let program = desk.start("s", &ENDLESS);
    let worker = busy_worker(&program);
    let status = Command::new("kill").args(["-INT", &program.id().to_string()]).status().expect("kill starts");
    assert!(status.success());
    Done::of(program.wait_with_output().expect("it ends")).exits(130).says(&["interrupted"]);
    let started = Instant::now();
    while !is_gone(worker) {
        assert!(started.elapsed() < Duration::from_secs(5), "the worker lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}
