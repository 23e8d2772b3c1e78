//! The guests that use a GPU, on devices that compute: what the checks before a device let through, a device takes.

use std::sync::Arc;

use samebit_engine::spec::{Limit, Profile, Status, Trap};

use crate::hostile::{self, ended, everything_once};
use crate::support::Guest;

#[test]
fn what_a_device_hashed_goes_with_the_output() {
    use samebit_engine::Spool;
    // Two buffers, the second of which ends inside a piece; and one piece alone, whose value is not its hash.
    for (size, is_known) in [((256 << 20) + 3_000_001, true), (64 << 10, false)] {
        let bytes: Vec<u8> = (0..size).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let mut guest = hostile::guest("ok_transfer").input("in", &bytes);
        guest.job.limits = samebit_engine::spec::Limits::default();
        guest.device = crate::fake_device::fake();
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let ran = guest.run_in(scratch.path()).expect("it runs");
        assert_eq!(ran.status, Status::Ok);
        let hash = match &ran.outputs[&"out".parse().expect("a name")] {
            Spool::File { hash, .. } => hash.map(|hash| hash.to_string()),
            Spool::Memory(_) => None,
        };
        assert_eq!(hash, is_known.then(|| blake3::hash(&bytes).to_string()), "{size}");
    }
}

/// The same tests for each device.
macro_rules! on_a_device {
    () => {
        #[test]
        fn everything_is_used_once() {
            everything_once(guest("ok_gpu"), [0, 42, 0]);
        }

        #[test]
        fn refused_calls_leave_a_device_alone() {
            for name in ["escape_bindings", "escape_ranges", "escape_constants"] {
                ended(&guest(name), Status::Ok);
            }
            ended(&guest("escape_wgsl").limits(|limits| limits.fuel = 10_000_000_000), Status::Ok);
        }

        #[test]
        fn limits_end_a_job_that_uses_a_device() {
            let dispatches = guest("limit_dispatches").limits(|limits| limits.dispatches = 1_000);
            ended(&dispatches, Status::Exceeded(Limit::Dispatches));
            ended(&guest("limit_gpu_memory"), Status::Ok);
            ended(&guest("limit_buffer_read"), Status::Exceeded(Limit::Memory));
            ended(&guest("limit_output_buffer"), Status::Exceeded(Limit::Output));
        }

        #[test]
        fn what_is_dropped_while_queued_is_used_all_the_same() {
            let seen = ended(&guest("race_drop"), Status::Ok);
            let expected: Vec<u8> = (1..=64_u32).flat_map(|round| round.to_le_bytes().repeat(64)).collect();
            assert!(seen.outputs["result"] == expected);
        }

        #[test]
        fn each_operation_sees_what_was_there_when_it_was_called() {
            let seen = ended(&guest("race_queue"), Status::Ok);
            assert_eq!(seen.outputs["words"], 0x3131_3132_u32.to_le_bytes().repeat(2));
        }
    };
}

mod reference {
    use samebit_engine::device::Device;
    use samebit_reference::ReferenceDevice;

    use super::*;

    fn guest(name: &str) -> Guest {
        let mut guest = hostile::guest(name);
        guest.job.profile = Profile::Exact;
        guest.device = Arc::new(|| Ok(Arc::new(ReferenceDevice::new()?) as Arc<dyn Device>));
        guest
    }

    on_a_device!();

    /// Rounds of 100,000, and the one that ends the loop is begun too.
    fn spins(how: &str, iterations: u64) -> Guest {
        guest("limit_loop_iterations").args(&[how]).limits(|limits| limits.loop_iterations = iterations)
    }

    #[test]
    fn a_spent_budget_ends_a_job_where_it_looks() {
        for how in ["read", "append", "", "fail"] {
            let seen = ended(&spins(how, 100_000), Status::Exceeded(Limit::LoopIterations));
            assert_eq!(seen.log, "info launched\n", "{how}");
        }
    }

    #[test]
    fn a_budget_that_suffices_is_no_limit() {
        for how in ["read", "append", ""] {
            ended(&spins(how, 100_001), Status::Ok);
        }
    }

    #[test]
    fn what_ended_a_job_before_stays_what_ended_it() {
        ended(&spins("trap", 100_000), Status::Trapped(Trap::Unreachable));
    }
}

mod vulkan {
    use samebit_engine::device::{Device, DeviceError};
    use samebit_gpu::{Choice, GpuDevice};

    use super::*;

    fn guest(name: &str) -> Guest {
        let mut guest = hostile::guest(name);
        guest.job.profile = Profile::Native;
        guest.device = Arc::new(|| {
            let device = GpuDevice::select(&Choice::Default);
            device
                .map(|device| Arc::new(device) as Arc<dyn Device>)
                .map_err(|error| DeviceError::Unavailable(error.to_string()))
        });
        guest
    }

    on_a_device!();
}
