//! From a lowered kernel to a pipeline.
//!
//! All bindings are in one group, numbered as the interface counts them; the control buffer comes last. Uniform ones are bound
//! as storage, which has the looser rules.

use std::borrow::Cow;
use std::num::NonZeroU64;

use samebit_device::DeviceError;
use samebit_device::wgsl::lowered::{Lowered, Memory};
use samebit_device::wgsl::{BindingKind, Interface, limits};

use super::elements::Elements;
use super::emitter::{Malformed, emit};
use super::flow::has_loops;
use super::portable::{ENTRY_POINT, Portable};
use super::vulkan::Vulkan;
use super::{Arithmetic, Exactness, Way, control};
use crate::fate::translate;
use crate::kernel::{Layout, Pipeline};
use crate::watcher::ready;

/// Storage buffers that an exact program may bind: the guest's of both kinds, and the control buffer.
pub(crate) const STORAGE_BINDINGS: u32 = (limits::STORAGE_BINDINGS + limits::UNIFORM_BINDINGS + 1) as u32;

/// Compiles a kernel, on the current thread, which needs a large stack.
pub(crate) fn build(device: &wgpu::Device, kernel: &Lowered, exactness: Exactness) -> Result<Pipeline, DeviceError> {
    let elements = Elements::new(kernel);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let group = layout(device, &kernel.interface, &elements);
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&group)],
        immediate_size: 0,
    });
    let module = module(device, kernel, elements, exactness);
    let pipeline = module.map(|module| {
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: Some(&layout),
            module: &module,
            entry_point: Some(ENTRY_POINT),
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..wgpu::PipelineCompilationOptions::default()
            },
            cache: None,
        })
    });
    let errors = [ready(internal.pop()), ready(validation.pop())];
    if let Some(error) = errors.into_iter().flatten().flatten().next() {
        return Err(translate(&error));
    }
    let pipeline = pipeline.map_err(|error| DeviceError::Failed(error.to_string()))?;
    Ok(Pipeline { pipeline, layout: Layout::Exact { group, has_loops: has_loops(kernel) } })
}

fn module(
    device: &wgpu::Device,
    kernel: &Lowered,
    elements: Elements,
    exactness: Exactness,
) -> Result<wgpu::ShaderModule, Malformed> {
    match exactness.way {
        Way::Portable => {
            let module = portable(kernel, elements, exactness.arithmetic)?;
            let source = wgpu::ShaderSource::Naga(Cow::Owned(module));
            let descriptor = wgpu::ShaderModuleDescriptor { label: None, source };
            #[expect(unsafe_code, reason = "what wgpu would add to programs is in them already")]
            // SAFETY: The module comes from a lowered kernel. Its places lie inside of what is bound, since indices are
            // clamped and the layout demands the sizes; its loops have a budget; divisors are not zero.
            Ok(unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) })
        }
        Way::Vulkan => {
            let words = vulkan(kernel, elements, exactness.arithmetic)?;
            let descriptor = wgpu::ShaderModuleDescriptorPassthrough {
                entry_points: Cow::Owned(vec![wgpu::PassthroughShaderEntryPoint {
                    name: Cow::Borrowed(ENTRY_POINT),
                    workgroup_size: <(u32, u32, u32)>::from(kernel.interface.workgroup_size),
                }]),
                spirv: Some(Cow::Owned(words)),
                ..wgpu::ShaderModuleDescriptorPassthrough::default()
            };
            #[expect(unsafe_code, reason = "wgpu has no other way to take SPIR-V as it is")]
            // SAFETY: As above. The SPIR-V is valid by construction, which the tests have spirv-val confirm, and uses the
            // capabilities that the device was opened with.
            Ok(unsafe { device.create_shader_module_passthrough(descriptor) })
        }
    }
}

/// A kernel as a naga module.
pub(super) fn portable(
    kernel: &Lowered,
    elements: Elements,
    arithmetic: Arithmetic,
) -> Result<naga::Module, Malformed> {
    let target = Portable::new(kernel, &elements);
    Ok(emit(kernel, elements, arithmetic, target)?.finish())
}

/// A kernel as SPIR-V.
pub(super) fn vulkan(kernel: &Lowered, elements: Elements, arithmetic: Arithmetic) -> Result<Vec<u32>, Malformed> {
    let target = Vulkan::new(kernel, &elements);
    Ok(emit(kernel, elements, arithmetic, target)?.finish())
}

fn layout(device: &wgpu::Device, interface: &Interface, elements: &Elements) -> wgpu::BindGroupLayout {
    let entry = |binding: usize, read_only, size: u64| wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage { read_only },
            has_dynamic_offset: false,
            min_binding_size: NonZeroU64::new(size),
        },
        count: None,
    };
    let mut entries: Vec<_> = (0..)
        .zip(&interface.bindings)
        .map(|(index, decl)| {
            let is_writable = decl.kind == BindingKind::Storage { writable: true };
            let element_bytes = 4 * u64::from(elements.width(Memory::Buffer(index as u32)));
            entry(index, !is_writable, decl.size_min_bytes.max(element_bytes))
        })
        .collect();
    entries.push(entry(interface.bindings.len(), false, control::SIZE_BYTES));
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
}
