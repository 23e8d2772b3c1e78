//! The suite that every device must pass.
//!
//! Each case opens sessions of its own and looks at them through [`Checked`](crate::Checked), as a guest would. What a
//! case demands follows from `wit/gpu.wit`, from the contract of [`Session`](crate::Session), or from what WGSL leaves
//! no freedom in: integers wrap, buffers start at zero, floats of exactly representable sums. Nothing here asks for bits
//! that a driver may choose, and nothing depends on time.

mod bindings;
mod budget;
mod buffers;
mod floats;
mod flow;
mod functions;
mod geometry;
mod indirect;
mod integers;
mod kernels;
mod lab;
mod layouts;
mod order;
mod packing;
mod refusals;
mod sessions;
mod sheet;
mod transcendental;
mod vectors;
mod workgroups;

use crate::{BoxFuture, Device};
use lab::{Failure, Lab};
use samebit_wgsl::Admission;

/// One demand on a device.
struct Case {
    name: &'static str,
    run: for<'a> fn(&'a dyn Device, Admission) -> BoxFuture<'a, Result<(), Failure>>,
}

macro_rules! cases {
    ($($module:ident::$name:ident,)*) => {
        [$(Case {
            name: concat!(stringify!($module), "::", stringify!($name)),
            run: |device, _| Box::pin($module::$name(device)),
        }),*]
    };
}

/// Cases that take a session that is open.
macro_rules! cases_in_a_session {
    ($($module:ident::$name:ident,)*) => {
        [$(Case {
            name: concat!(stringify!($module), "::", stringify!($name)),
            run: |device, admission| {
                Box::pin(async move { $module::$name(Lab::open_as(device, admission).await?).await })
            },
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

/// What WGSL defines to the last bit, in every profile.
const DEFINED: &[Case] = &cases_in_a_session![
    integers::computes,
    integers::compares,
    integers::has_numeric_functions,
    integers::has_bit_functions,
    packing::packs_integers,
    vectors::makes_and_takes_apart,
    vectors::has_matrices_of_all_shapes,
    flow::switches,
    flow::loops,
    flow::diverges,
    functions::calls,
    functions::points_into_memory,
    functions::starts_variables_anew,
    functions::evaluates_constants,
    functions::takes_override_constants,
    layouts::places_members,
    layouts::reads_uniforms,
    layouts::has_arrays_of_any_length,
    workgroups::meets_at_barriers,
    workgroups::keeps_variables_across_barriers,
    workgroups::has_atomics_without_order,
];

/// What the exact profile defines beyond that.
const EXACT: &[Case] = &cases_in_a_session![
    integers::shifts_by_the_lower_bits,
    integers::clamps_bit_fields,
    packing::packs_floats,
    packing::packs_halves,
    floats::computes,
    floats::compares,
    floats::rounds_and_limits,
    floats::converts,
    floats::shows_one_nan,
    geometry::blends,
    geometry::measures_vectors,
    geometry::turns_vectors,
    geometry::multiplies_matrices,
    transcendental::has_known_values,
    transcendental::is_near_the_truth,
    transcendental::has_functions_of_two,
    transcendental::takes_floats_apart,
    layouts::leaves_gaps_alone,
    layouts::clamps_indices,
    layouts::clamps_stores,
    // Not in DEFINED: lavapipe (Mesa 22.3) drops the last invocations of a workgroup that breaks out of such a loop.
    workgroups::loads_uniformly,
];

/// What happens to loops that do not end soon.
const BUDGET: &[Case] =
    &cases![budget::allows_what_is_in_it, budget::ends_what_is_over_it, budget::counts_every_start,];

/// What the suite found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many cases passed.
    pub passed: usize,
    /// Those that did not, by name, with what was wrong.
    pub failed: Vec<(&'static str, String)>,
}

/// Runs every case that a device must pass in the native profile.
pub async fn run(device: &dyn Device) -> Report {
    run_all(device, Admission::Native, &[CASES, DEFINED]).await
}

/// Runs every case that a device must pass in the exact profile, beyond those of [`run`].
pub async fn exact(device: &dyn Device) -> Report {
    run_all(device, Admission::Exact, &[DEFINED, EXACT, BUDGET]).await
}

async fn run_all(device: &dyn Device, admission: Admission, cases: &[&[Case]]) -> Report {
    let mut report = Report::default();
    for case in cases.iter().copied().flatten() {
        match (case.run)(device, admission).await {
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
        assert_eq!(report.passed + report.failed.len(), CASES.len() + DEFINED.len());
        let failed: Vec<_> = report.failed.into_iter().map(|(name, _)| name).collect();
        assert!(failed.contains(&"kernels::runs_every_invocation"));
        assert!(failed.contains(&"order::runs_many_dispatches"));
        assert!(
            !failed.iter().any(|name| name.starts_with("buffers::") || name.starts_with("refusals::")),
            "{failed:?}"
        );
    }

    /// A device that runs nothing fails each of them, but never for a kernel that is refused.
    #[test]
    fn every_exact_case_demands_something_of_kernels_that_are_admitted() {
        let report = pollster::block_on(exact(&Fake::new(Flaw::None)));
        assert_eq!(report.passed, 0);
        let refused = report.failed.iter().filter(|(_, why)| !why.contains("expected") && !why.contains("true value"));
        assert_eq!(refused.collect::<Vec<_>>(), Vec::<&(&str, String)>::new());
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
            assert!(
                pollster::block_on((case.run)(&fake, Admission::Native)).is_err(),
                "{flaw:?} was not found by {}",
                case.name
            );
        }
    }
}
