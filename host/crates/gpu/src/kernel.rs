//! The way of a kernel to a pipeline.
//!
//! A guest wrote the kernel, so everything that takes it apart is on guard. naga's SPIR-V back end is tried first, on
//! every platform, so that what makes it panic is refused everywhere alike. Whatever happens after that, in wgpu's own
//! use of a back end or in the driver, is this machine's failure: another machine may well run the kernel.
//!
//! All of it runs on a thread with a stack of its own: back ends and drivers recurse over a kernel's structure.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};

use naga::back::spv;
use samebit_device::wgsl::lowered::Lowered;
use samebit_device::wgsl::{BindingKind, Kernel, Refusal, RefusalReason};
use samebit_device::{DeviceError, KernelFault};

use crate::exact::{Exactness, pipeline};
use crate::fate::{panic_text, translate};
use crate::watcher::ready;

/// Stack of the thread that compiles, the same as the parser's, which bounds how deep a kernel nests.
const STACK_BYTES: usize = 64 << 20;

/// A kernel that can be dispatched.
pub(crate) struct Pipeline {
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) layout: Layout,
}

/// Where a kernel's bindings are.
pub(crate) enum Layout {
    /// By group; `None` where the kernel leaves one out.
    Groups(Vec<Option<wgpu::BindGroupLayout>>),
    /// One group, numbered as the interface counts, and the control buffer last.
    Exact {
        group: wgpu::BindGroupLayout,
        /// Whether an invocation can spend its budget.
        has_loops: bool,
    },
}

/// Compiles an exact program.
pub(crate) fn compile_exact(
    device: &wgpu::Device,
    kernel: &Lowered,
    exactness: Exactness,
) -> Result<Pipeline, KernelFault> {
    on_large_stack(|| {
        let build = AssertUnwindSafe(|| pipeline::build(device, kernel, exactness));
        catch_unwind(build).map_or_else(|panic| Err(panicked(&*panic)), |built| built.map_err(KernelFault::Device))
    })
}

/// Compiles a kernel.
pub(crate) fn compile(device: &wgpu::Device, kernel: &Kernel) -> Result<Pipeline, KernelFault> {
    on_large_stack(|| guarded(device, kernel))
}

fn on_large_stack(compile: impl FnOnce() -> Result<Pipeline, KernelFault> + Send) -> Result<Pipeline, KernelFault> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("samebit-kernel".to_owned()).stack_size(STACK_BYTES);
        let compiling = thread
            .spawn_scoped(scope, compile)
            .map_err(|error| DeviceError::Failed(format!("no thread could be started for a kernel: {error}")))?;
        compiling.join().unwrap_or_else(|panic| Err(panicked(&*panic)))
    })
}

fn guarded(device: &wgpu::Device, kernel: &Kernel) -> Result<Pipeline, KernelFault> {
    match catch_unwind(|| try_back_end(kernel)) {
        Ok(Ok(())) => {}
        Ok(Err(reason)) => return Err(refuse(&reason).into()),
        Err(panic) => return Err(refuse(&panic_text(&*panic)).into()),
    }
    catch_unwind(AssertUnwindSafe(|| build(device, kernel))).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// Writes the kernel as SPIR-V the way wgpu will, for nothing but to see it done. Where wgpu's options depend on the
/// driver, these take the choice that makes the back end do more.
fn try_back_end(kernel: &Kernel) -> Result<(), String> {
    let entry_point = Some((naga::ShaderStage::Compute, kernel.entry_point()));
    let constants = naga::back::PipelineConstants::default();
    let (module, info) =
        naga::back::pipeline_constants::process_overrides(kernel.module(), kernel.info(), entry_point, &constants)
            .map_err(|error| error.to_string())?;
    let restrict = naga::proc::BoundsCheckPolicy::Restrict;
    let options = spv::Options {
        lang_version: (1, 3),
        bounds_check_policies: naga::proc::BoundsCheckPolicies {
            index: restrict,
            buffer: restrict,
            image_load: restrict,
            binding_array: naga::proc::BoundsCheckPolicy::Unchecked,
        },
        ..spv::Options::default()
    };
    let pipeline =
        spv::PipelineOptions { shader_stage: naga::ShaderStage::Compute, entry_point: kernel.entry_point().to_owned() };
    spv::write_vec(&module, &info, &options, Some(&pipeline)).map(drop).map_err(|error| error.to_string())
}

fn build(device: &wgpu::Device, kernel: &Kernel) -> Result<Pipeline, KernelFault> {
    // Error scopes belong to a thread, so all of this stays on this one.
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let groups = layouts(device, kernel);
    let references: Vec<_> = groups.iter().map(Option::as_ref).collect();
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &references,
        immediate_size: 0,
    });
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Naga(Cow::Owned(kernel.module().clone())),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: Some(&layout),
        module: &module,
        entry_point: Some(kernel.entry_point()),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    if let Some(Some(error)) = ready(internal.pop()) {
        return Err(translate(&error).into());
    }
    match ready(validation.pop()) {
        Some(Some(error)) => Err(refuse(&error.to_string()).into()),
        _ => Ok(Pipeline { pipeline, layout: Layout::Groups(groups) }),
    }
}

fn layouts(device: &wgpu::Device, kernel: &Kernel) -> Vec<Option<wgpu::BindGroupLayout>> {
    let declared = &kernel.interface().bindings;
    let count = declared.last().map_or(0, |last| last.group + 1);
    (0..count)
        .map(|group| {
            let entries: Vec<_> = declared
                .iter()
                .filter(|binding| binding.group == group)
                .map(|binding| wgpu::BindGroupLayoutEntry {
                    binding: binding.binding,
                    visibility: wgpu::ShaderStages::COMPUTE,
                    ty: wgpu::BindingType::Buffer {
                        ty: match binding.kind {
                            BindingKind::Uniform => wgpu::BufferBindingType::Uniform,
                            BindingKind::Storage { writable } => {
                                wgpu::BufferBindingType::Storage { read_only: !writable }
                            }
                        },
                        has_dynamic_offset: false,
                        min_binding_size: NonZeroU64::new(binding.size_min_bytes),
                    },
                    count: None,
                })
                .collect();
            let descriptor = wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries };
            (!entries.is_empty()).then(|| device.create_bind_group_layout(&descriptor))
        })
        .collect()
}

fn refuse(reason: &str) -> Refusal {
    Refusal {
        reason: RefusalReason::Unsupported,
        location: None,
        message: format!("kernel is not supported: the compiler cannot handle it: {reason}; write it differently"),
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> KernelFault {
    DeviceError::Failed(format!("wgpu or its driver panicked over a kernel: {}", panic_text(panic))).into()
}

#[cfg(test)]
mod tests {
    use samebit_device::wgsl::{Source, parse};

    use super::*;

    fn kernel(text: &str) -> Kernel {
        parse(&Source { text, entry_point: "main", constants: &[] }).expect("the text is valid")
    }

    #[test]
    fn the_back_end_takes_an_ordinary_kernel() {
        let text = "override n: u32 = 4; var<workgroup> tile: array<u32, n * 2>;
                    @group(1) @binding(7) var<storage, read_write> data: array<u32>;
                    @compute @workgroup_size(n) fn main(@builtin(local_invocation_index) i: u32) {
                        tile[i] = data[i] / i; workgroupBarrier(); data[i] = tile[n - i];
                    }";
        assert_eq!(try_back_end(&kernel(text)), Ok(()));
    }

    #[test]
    fn a_kernel_that_makes_the_back_end_panic_is_caught_here() {
        let text = "struct S { a: vec2i, b: vec2i }
                    @group(0) @binding(0) var<storage, read_write> data: array<i32>;
                    fn f(q: ptr<function, vec2i>) { (*q).x = 3; }
                    @compute @workgroup_size(1) fn main() {
                        var s: S; f(&s.b); data[0] = s.b.x;
                    }";
        let kernel = kernel(text);
        let outcome = catch_unwind(|| try_back_end(&kernel));
        assert!(!matches!(outcome, Ok(Ok(()))), "naga has been mended: this test needs another text");
    }
}
