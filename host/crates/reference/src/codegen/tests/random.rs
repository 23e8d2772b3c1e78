//! Random programs.

use super::check;
use samebit_device::random::{Floats, program};

/// How many programs a plain run of the tests makes.
const PROGRAMS: u64 = 200;

#[test]
fn random_programs_agree() {
    let from: u64 = std::env::var("SAMEBIT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let count: u64 = std::env::var("SAMEBIT_PROGRAMS").ok().and_then(|count| count.parse().ok()).unwrap_or(PROGRAMS);
    let mut failed = Vec::new();
    for seed in from..from + count {
        let program = program(seed, Floats::Any);
        let buffers = &program.buffers;
        let result = std::panic::catch_unwind(|| check(&program.text, buffers, program.workgroups));
        if result.is_err() {
            failed.push(seed);
        }
    }
    assert_eq!(failed, [0; 0], "seeds that differ");
}
