//! Exact programs on a driver: the conformance suite of the exact profile, in each way of emission.

use samebit_device::wgsl::Admission;
use samebit_device::{Device, SessionOptions, conformance};
use samebit_gpu::exact::{Arithmetic, Exactness, Method, Operation, Way};
use samebit_gpu::{Choice, GpuDevice};

/// A device whose exact programs are written in one way.
pub(crate) fn device(way: Way, arithmetic: impl FnOnce(Arithmetic) -> Arithmetic) -> GpuDevice {
    let device = GpuDevice::select(&Choice::Default).expect("a Vulkan driver is installed");
    let found = pollster::block_on(device.exactness()).expect("the device can be made exact");
    let device = GpuDevice::select(&Choice::Default).expect("a Vulkan driver is installed");
    device.set_exactness(Ok(Exactness { way, arithmetic: arithmetic(found.arithmetic) }));
    device
}

pub(crate) fn closed(device: GpuDevice) {
    drop(device);
    assert!(samebit_gpu::all_closed_within(std::time::Duration::from_secs(30)));
}

fn conforms(way: Way, arithmetic: impl FnOnce(Arithmetic) -> Arithmetic) {
    let device = device(way, arithmetic);
    let report = pollster::block_on(conformance::exact(&device));
    closed(device);
    assert_eq!(report.failed, []);
    assert!(report.passed > 40, "only {} cases ran", report.passed);
}

#[test]
fn vulkan_conforms_exactly() {
    conforms(Way::Vulkan, |found| found);
}

#[test]
fn vulkan_conforms_exactly_in_the_portable_way() {
    conforms(Way::Portable, |found| found);
}

#[test]
fn vulkan_conforms_exactly_by_integers_alone() {
    conforms(Way::Vulkan, |_| Arithmetic::INTEGER);
}

#[test]
fn vulkan_conforms_exactly_with_what_is_put_right() {
    let corrected =
        |found: Arithmetic| found.with(Operation::Divide, Method::Corrected).with(Operation::Sqrt, Method::Corrected);
    conforms(Way::Portable, corrected);
}

#[test]
fn vulkan_is_probed_the_same_way_each_time() {
    let device = GpuDevice::select(&Choice::Default).expect("a Vulkan driver is installed");
    let first = pollster::block_on(device.exactness()).expect("the device can be made exact");
    let other = GpuDevice::select(&Choice::Default).expect("a Vulkan driver is installed");
    assert_eq!(pollster::block_on(other.exactness()).expect("the device can be made exact"), first);
    let options = SessionOptions { admission: Admission::Exact, loop_iterations: 1 };
    assert!(pollster::block_on(device.open(options)).is_ok());
    drop(other);
    closed(device);
}
