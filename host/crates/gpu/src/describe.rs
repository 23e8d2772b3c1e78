//! What an adapter is like, in words that do not depend on wgpu, and whether it can serve as a device.

use std::collections::BTreeMap;

use samebit_device::wgsl::limits as kernel;
use samebit_device::{DeviceError, DeviceInfo, DeviceKind, limits};

use crate::exact::Exactness;
use crate::exact::pipeline::STORAGE_BINDINGS;
use crate::watcher::Demands;

/// A fixed limit: its name in WebGPU, what `wit/gpu.wit` promises, and where wgpu keeps it.
struct Fixed {
    name: &'static str,
    promised: u64,
    get: fn(&wgpu::Limits) -> u64,
    /// True where a device is better the lower its number: alignments.
    is_alignment: bool,
}

macro_rules! fixed {
    ($name:literal, $field:ident, $promised:expr) => {
        Fixed { name: $name, promised: $promised as u64, get: |limits| u64::from(limits.$field), is_alignment: false }
    };
    ($name:literal, $field:ident, $promised:expr, alignment) => {
        Fixed { name: $name, promised: $promised as u64, get: |limits| u64::from(limits.$field), is_alignment: true }
    };
}

/// The table of `wit/gpu.wit`. All of them are WebGPU's defaults, which [`required`] relies on and a test checks.
const FIXED: [Fixed; 15] = [
    fixed!("maxBufferSize", max_buffer_size, limits::BUFFER_BYTES),
    fixed!("maxStorageBufferBindingSize", max_storage_buffer_binding_size, limits::STORAGE_BINDING_BYTES),
    fixed!("maxUniformBufferBindingSize", max_uniform_buffer_binding_size, limits::UNIFORM_BINDING_BYTES),
    fixed!("maxStorageBuffersPerShaderStage", max_storage_buffers_per_shader_stage, kernel::STORAGE_BINDINGS),
    fixed!("maxUniformBuffersPerShaderStage", max_uniform_buffers_per_shader_stage, kernel::UNIFORM_BINDINGS),
    fixed!("maxBindGroups", max_bind_groups, kernel::BIND_GROUPS),
    fixed!("maxBindingsPerBindGroup", max_bindings_per_bind_group, kernel::BINDING_INDICES),
    fixed!(
        "minStorageBufferOffsetAlignment",
        min_storage_buffer_offset_alignment,
        limits::BINDING_OFFSET_ALIGNMENT,
        alignment
    ),
    fixed!(
        "minUniformBufferOffsetAlignment",
        min_uniform_buffer_offset_alignment,
        limits::BINDING_OFFSET_ALIGNMENT,
        alignment
    ),
    fixed!("maxComputeWorkgroupsPerDimension", max_compute_workgroups_per_dimension, limits::WORKGROUPS),
    fixed!("maxComputeWorkgroupSizeX", max_compute_workgroup_size_x, kernel::WORKGROUP_SIZE[0]),
    fixed!("maxComputeWorkgroupSizeY", max_compute_workgroup_size_y, kernel::WORKGROUP_SIZE[1]),
    fixed!("maxComputeWorkgroupSizeZ", max_compute_workgroup_size_z, kernel::WORKGROUP_SIZE[2]),
    fixed!("maxComputeInvocationsPerWorkgroup", max_compute_invocations_per_workgroup, kernel::WORKGROUP_INVOCATIONS),
    fixed!("maxComputeWorkgroupStorageSize", max_compute_workgroup_storage_size, kernel::WORKGROUP_MEMORY_BYTES),
];

/// Describes an adapter.
pub(crate) fn describe(adapter: &wgpu::Adapter) -> DeviceInfo {
    let info = adapter.get_info();
    let limits = adapter.limits();
    let driver = [info.driver.trim(), info.driver_info.trim()].join(" ").trim().to_owned();
    let features = adapter.features();
    DeviceInfo {
        name: info.name.clone(),
        driver,
        backend: info.backend.to_string(),
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => DeviceKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => DeviceKind::Integrated,
            wgpu::DeviceType::VirtualGpu => DeviceKind::Virtual,
            wgpu::DeviceType::Cpu => DeviceKind::Software,
            wgpu::DeviceType::Other => DeviceKind::Other,
        },
        limits: numbers(&limits),
        features: features.features_webgpu.iter_names().map(|(name, _)| webgpu_name(name)).collect(),
        unsuitable: unsuitable(&limits, &adapter.get_downlevel_capabilities()),
        battery: None,
    }
}

/// What to ask of an adapter: the fixed limits and no more, and nothing of what only drawing needs.
pub(crate) fn required(adapter: &wgpu::Adapter) -> wgpu::Limits {
    let fixed = wgpu::Limits::default();
    wgpu::Limits {
        max_buffer_size: fixed.max_buffer_size,
        max_storage_buffer_binding_size: fixed.max_storage_buffer_binding_size,
        max_uniform_buffer_binding_size: fixed.max_uniform_buffer_binding_size,
        max_storage_buffers_per_shader_stage: fixed.max_storage_buffers_per_shader_stage,
        max_uniform_buffers_per_shader_stage: fixed.max_uniform_buffers_per_shader_stage,
        max_bind_groups: fixed.max_bind_groups,
        max_bindings_per_bind_group: fixed.max_bindings_per_bind_group,
        min_storage_buffer_offset_alignment: fixed.min_storage_buffer_offset_alignment,
        min_uniform_buffer_offset_alignment: fixed.min_uniform_buffer_offset_alignment,
        max_compute_workgroups_per_dimension: fixed.max_compute_workgroups_per_dimension,
        max_compute_workgroup_size_x: fixed.max_compute_workgroup_size_x,
        max_compute_workgroup_size_y: fixed.max_compute_workgroup_size_y,
        max_compute_workgroup_size_z: fixed.max_compute_workgroup_size_z,
        max_compute_invocations_per_workgroup: fixed.max_compute_invocations_per_workgroup,
        max_compute_workgroup_storage_size: fixed.max_compute_workgroup_storage_size,
        ..fixed.or_worse_values_from(&adapter.limits())
    }
}

/// What to ask of an adapter for programs that are made exact in this way: that and nothing else beyond the fixed limits.
pub(crate) fn exact_demands(
    adapter: &wgpu::Adapter,
    limits: wgpu::Limits,
    exactness: Exactness,
) -> Result<Demands, DeviceError> {
    let features = exactness.features();
    let missing = features - adapter.features();
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter_names().map(|(name, _)| webgpu_name(name)).collect();
        return Err(DeviceError::Unavailable(format!("the driver lacks {}", names.join(" and "))));
    }
    let has = adapter.limits().max_storage_buffers_per_shader_stage;
    if has < STORAGE_BINDINGS {
        let why = format!("the driver binds {has} storage buffers at once, and exact programs need {STORAGE_BINDINGS}");
        return Err(DeviceError::Unavailable(why));
    }
    Ok(Demands { features, limits: wgpu::Limits { max_storage_buffers_per_shader_stage: STORAGE_BINDINGS, ..limits } })
}

fn numbers(limits: &wgpu::Limits) -> BTreeMap<String, u64> {
    FIXED.iter().map(|fixed| (fixed.name.to_owned(), (fixed.get)(limits))).collect()
}

/// The first thing that keeps an adapter from serving, if there is one.
fn unsuitable(limits: &wgpu::Limits, downlevel: &wgpu::DownlevelCapabilities) -> Option<String> {
    let needed = wgpu::DownlevelFlags::COMPUTE_SHADERS | wgpu::DownlevelFlags::INDIRECT_EXECUTION;
    if !downlevel.flags.contains(needed) {
        return Some("it cannot run compute shaders or launch them indirectly".to_owned());
    }
    FIXED.iter().find_map(|fixed| {
        let has = (fixed.get)(limits);
        let word = if fixed.is_alignment { "most" } else { "least" };
        let misses = if fixed.is_alignment { has > fixed.promised } else { has < fixed.promised };
        misses.then(|| format!("its {} is {has}, and jobs need at {word} {}", fixed.name, fixed.promised))
    })
}

/// `TIMESTAMP_QUERY` is `timestamp-query` in WebGPU.
fn webgpu_name(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capable() -> wgpu::DownlevelCapabilities {
        wgpu::DownlevelCapabilities { flags: wgpu::DownlevelFlags::all(), ..Default::default() }
    }

    #[test]
    fn the_fixed_limits_are_those_of_webgpu() {
        let default = wgpu::Limits::default();
        for fixed in &FIXED {
            assert_eq!((fixed.get)(&default), fixed.promised, "{}", fixed.name);
        }
        assert_eq!(unsuitable(&default, &capable()), None);
    }

    #[test]
    fn the_first_limit_that_is_missed_is_named() {
        let limits = wgpu::Limits { max_bind_groups: 3, max_compute_workgroup_size_x: 1, ..Default::default() };
        let why = unsuitable(&limits, &capable());
        assert_eq!(why.as_deref(), Some("its maxBindGroups is 3, and jobs need at least 4"));
        let limits = wgpu::Limits { min_uniform_buffer_offset_alignment: 512, ..Default::default() };
        let why = unsuitable(&limits, &capable());
        assert_eq!(why.as_deref(), Some("its minUniformBufferOffsetAlignment is 512, and jobs need at most 256"));
        let limits = wgpu::Limits { min_uniform_buffer_offset_alignment: 64, ..Default::default() };
        assert_eq!(unsuitable(&limits, &capable()), None);
    }

    #[test]
    fn an_adapter_without_compute_is_unsuitable() {
        let downlevel = wgpu::DownlevelCapabilities { flags: wgpu::DownlevelFlags::empty(), ..Default::default() };
        assert!(unsuitable(&wgpu::Limits::default(), &downlevel).is_some());
    }

    #[test]
    fn features_have_the_names_of_webgpu() {
        assert_eq!(webgpu_name("TIMESTAMP_QUERY"), "timestamp-query");
    }
}
