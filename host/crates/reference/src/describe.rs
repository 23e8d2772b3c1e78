//! What the reference device says of itself: the same limits on every machine.

use std::collections::BTreeMap;

use samebit_device::wgsl::limits as kernel;
use samebit_device::{DeviceInfo, DeviceKind, limits};

/// Describes the device, which runs on so many threads.
pub(crate) fn describe(threads: usize) -> DeviceInfo {
    // Not part of the driver's text: a receipt holds that, and the bits do not depend on it.
    let threads = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
    DeviceInfo {
        name: "reference".to_owned(),
        driver: concat!("samebit ", env!("CARGO_PKG_VERSION")).to_owned(),
        backend: "cpu".to_owned(),
        kind: DeviceKind::Software,
        limits: numbers(),
        features: vec![threads],
        unsuitable: None,
        battery: None,
    }
}

/// The table of `wit/gpu.wit`, by WebGPU's names.
fn numbers() -> BTreeMap<String, u64> {
    let [x, y, z] = kernel::WORKGROUP_SIZE.map(u64::from);
    let numbers = [
        ("maxBufferSize", limits::BUFFER_BYTES),
        ("maxStorageBufferBindingSize", limits::STORAGE_BINDING_BYTES),
        ("maxUniformBufferBindingSize", limits::UNIFORM_BINDING_BYTES),
        ("maxStorageBuffersPerShaderStage", kernel::STORAGE_BINDINGS as u64),
        ("maxUniformBuffersPerShaderStage", kernel::UNIFORM_BINDINGS as u64),
        ("maxBindGroups", u64::from(kernel::BIND_GROUPS)),
        ("maxBindingsPerBindGroup", u64::from(kernel::BINDING_INDICES)),
        ("minStorageBufferOffsetAlignment", limits::BINDING_OFFSET_ALIGNMENT),
        ("minUniformBufferOffsetAlignment", limits::BINDING_OFFSET_ALIGNMENT),
        ("maxComputeWorkgroupsPerDimension", u64::from(limits::WORKGROUPS)),
        ("maxComputeWorkgroupSizeX", x),
        ("maxComputeWorkgroupSizeY", y),
        ("maxComputeWorkgroupSizeZ", z),
        ("maxComputeInvocationsPerWorkgroup", u64::from(kernel::WORKGROUP_INVOCATIONS)),
        ("maxComputeWorkgroupStorageSize", kernel::WORKGROUP_MEMORY_BYTES),
    ];
    numbers.map(|(name, number)| (name.to_owned(), number)).into()
}
