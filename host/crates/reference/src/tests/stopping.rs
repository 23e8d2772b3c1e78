//! How launches and sessions end before their time.

use std::time::{Duration, Instant};

use samebit_device::{DeviceError, FinishError, Grid, ReadError, Session};

use super::{Bench, device, kernels};

/// What may pass until a running kernel has noticed that it is to stop. Generous: other tests run at the same time.
const SOON: Duration = Duration::from_millis(1000);

/// Names of this process's threads that are the device's.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux tells");
    let names = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("samebit-")).collect()
}

/// Waits until the device has no threads any more.
fn expect_no_threads() {
    let begin = Instant::now();
    while !threads().is_empty() {
        assert!(begin.elapsed() < SOON, "threads are left: {:?}", threads());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn serial_a_dropped_session_stops_what_runs() {
    for close in [false, true] {
        for grid in [[1, 1, 1], [65_535; 3]] {
            let device = device(3);
            let mut bench = Bench::new(&device);
            let kernel = bench.kernel(&device, kernels::spin(), 0);
            for _ in 0..3 {
                bench.run(kernel, &[], Grid::Direct(grid)).expect("it is queued");
            }
            std::thread::sleep(Duration::from_millis(20));
            assert!(!bench.session.is_idle());
            let begin = Instant::now();
            if close {
                bench.close();
                assert!(!threads().iter().any(|name| name.starts_with("samebit-session")));
            } else {
                drop(bench);
            }
            assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
            drop(device);
            expect_no_threads();
        }
    }
}

/// Each workgroup is short, but there are more than anybody can wait for.
#[test]
fn serial_a_grid_without_end_is_left_when_the_session_ends() {
    let device = device(3);
    let mut bench = Bench::new(&device);
    let kernel = bench.kernel(&device, kernels::nothing(), 0);
    bench.run(kernel, &[], Grid::Direct([65_535; 3])).expect("it is queued");
    std::thread::sleep(Duration::from_millis(50));
    assert!(!bench.session.is_idle());
    let begin = Instant::now();
    bench.close();
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    drop(device);
    expect_no_threads();
}

#[test]
fn serial_an_idle_device_has_no_threads() {
    let device = device(4);
    let mut bench = Bench::new(&device);
    let buffer = bench.buffer(1024);
    bench.session.buffer_write(buffer, 0, &[1, 2, 3, 4]).expect("it is queued");
    assert_eq!(bench.words(buffer, 1), [0x0403_0201]);
    assert_eq!(threads(), Vec::<String>::new());
}

#[test]
fn a_spent_budget_shows_when_something_is_read_or_finished() {
    let device = device(2);
    let mut bench = Bench::new(&device);
    let buffer = bench.buffer(1024);
    let (spend, count) = (bench.kernel(&device, kernels::spend(), 0), bench.kernel(&device, kernels::count(), 0));
    bench.run(spend, &[], Grid::Direct([100, 1, 1])).expect("it is queued");
    for _ in 0..3 {
        pollster::block_on(bench.session.settle()).expect("settling tells nothing");
        bench.run(count, &[(buffer, 1024)], Grid::Direct([1, 1, 1])).expect("it is queued");
        bench.session.buffer_write(buffer, 0, &[0; 8]).expect("it is queued");
        let other = bench.buffer(1024);
        assert!(matches!(bench.try_read(other, 0, 4), Err(ReadError::BudgetSpent)));
        assert_eq!(pollster::block_on(bench.session.finish()), Err(FinishError::BudgetSpent));
    }
}

#[test]
fn a_kernel_that_traps_fails_its_session_alone() {
    let device = device(2);
    let (mut bench, mut other) = (Bench::new(&device), Bench::new(&device));
    let buffer = bench.buffer(4);
    let kernel = bench.kernel(&device, kernels::trap(), 0);
    bench.run(kernel, &[], Grid::Direct([100, 1, 1])).expect("it is queued");
    let error = pollster::block_on(bench.session.finish()).expect_err("it trapped");
    assert!(matches!(&error, FinishError::Device(DeviceError::Failed(what)) if what.contains("trapped")), "{error}");
    assert!(bench.session.buffer_write(buffer, 0, &[0; 4]).is_err());
    assert!(matches!(bench.try_read(buffer, 0, 4), Err(ReadError::Device(_))));
    let kernel = other.kernel(&device, kernels::count(), 0);
    let buffer = other.buffer(400);
    other.run(kernel, &[(buffer, 400)], Grid::Direct([100, 1, 1])).expect("it is queued");
    assert_eq!(other.words(buffer, 100), [1; 100]);
}
