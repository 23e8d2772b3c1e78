//! The suite that every device must pass.
//!
//! Each case opens sessions of its own and looks at them through [`Checked`](crate::Checked), as a guest would. What a
//! case demands follows from `wit/gpu.wit`, from the contract of [`Session`](crate::Session), or from what WGSL leaves
//! no freedom in: integers wrap, buffers start at zero, floats of exactly representable sums. Nothing here asks for bits
//! that a driver may choose, and nothing depends on time.

mod bindings;
mod buffers;
mod indirect;
mod kernels;
mod lab;
mod order;
mod refusals;
mod sessions;

use crate::{BoxFuture, Device};
use lab::Failure;

/// One demand on a device.
struct Case {
    name: &'static str,
    run: for<'a> fn(&'a dyn Device) -> BoxFuture<'a, Result<(), Failure>>,
}

macro_rules! cases {
    ($($module:ident::$name:ident,)*) => {
        [$(Case {
            name: concat!(stringify!($module), "::", stringify!($name)),
            run: |device| Box::pin($module::$name(device)),
        }),*]
    };
}

/// All demands, simple ones first: if they fail, the later ones say little.
const CASES: &[Case] = &cases![
    buffers::starts_at_zero,
    buffers::reads_what_was_written,
    buffers::reads_any_range,
    buffers::pads_partial_words_with_zero,
    buffers::fills_with_words,
    buffers::copies_between_buffers,
    buffers::reads_large_ranges,
    kernels::runs_every_invocation,
    kernels::covers_grids_of_three_dimensions,
    kernels::covers_long_grids,
    kernels::resolves_override_constants,
    kernels::starts_workgroup_memory_at_zero,
    kernels::obeys_barriers,
    kernels::counts_with_atomics,
    kernels::computes_integers_as_defined,
    kernels::sums_floats_exactly,
    kernels::runs_or_refuses_what_is_hard_to_compile,
    bindings::binds_uniforms_and_storage,
    bindings::binds_at_offsets,
    bindings::binds_several_groups,
    bindings::shows_the_length_that_was_bound,
    indirect::takes_counts_from_a_buffer,
    indirect::runs_nothing_for_zero,
    indirect::runs_nothing_over_the_limit,
    order::keeps_the_order_of_calls,
    order::keeps_small_writes_between_dispatches,
    order::keeps_large_writes_between_dispatches,
    order::runs_many_dispatches,
    order::keeps_what_is_dropped_while_queued,
    order::settles_under_load,
    refusals::names_every_error,
    refusals::changes_nothing_when_it_refuses,
    refusals::refuses_kernels,
    sessions::keeps_sessions_apart,
    sessions::hides_what_was_there_before,
    sessions::survives_being_dropped_in_flight,
    sessions::survives_an_unfinished_read,
];

/// What the suite found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many cases passed.
    pub passed: usize,
    /// Those that did not, by name, with what was wrong.
    pub failed: Vec<(&'static str, String)>,
}

/// Runs every case against a device.
pub async fn run(device: &dyn Device) -> Report {
    let mut report = Report::default();
    for case in CASES {
        match (case.run)(device).await {
            Ok(()) => report.passed += 1,
            Err(Failure(why)) => report.failed.push((case.name, why)),
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, Flaw};

    #[test]
    fn a_device_that_runs_no_kernels_fails_wherever_kernels_count() {
        let report = pollster::block_on(run(&Fake::new(Flaw::None)));
        assert_eq!(report.passed + report.failed.len(), CASES.len());
        let failed: Vec<_> = report.failed.into_iter().map(|(name, _)| name).collect();
        assert!(failed.contains(&"kernels::runs_every_invocation"));
        assert!(failed.contains(&"order::runs_many_dispatches"));
        assert!(
            !failed.iter().any(|name| name.starts_with("buffers::") || name.starts_with("refusals::")),
            "{failed:?}"
        );
    }

    #[test]
    fn each_flaw_of_buffers_is_found() {
        for (flaw, case) in [
            (Flaw::StartsDirty, "buffers::starts_at_zero"),
            (Flaw::LosesWrites, "buffers::reads_what_was_written"),
            (Flaw::ReadsFromTheStart, "buffers::reads_any_range"),
            (Flaw::FillsOneWord, "buffers::fills_with_words"),
            (Flaw::CopiesNothing, "buffers::copies_between_buffers"),
            (Flaw::FailsToOpen, "refusals::refuses_kernels"),
        ] {
            let fake = Fake::new(flaw);
            let case = CASES.iter().find(|known| known.name == case).expect("the case exists");
            assert!(pollster::block_on((case.run)(&fake)).is_err(), "{flaw:?} was not found by {}", case.name);
        }
    }
}
