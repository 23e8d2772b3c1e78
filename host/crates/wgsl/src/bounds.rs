//! How much memory an invocation may ask for, and how large one value may be.

use crate::{Refusal, RefusalReason, interface, limits};
use naga::valid::ModuleInfo;
use naga::{AddressSpace, Module, Span};

/// Refuses a kernel whose workgroup is too large or whose variables need too much memory.
pub(crate) fn check(source: &str, module: &Module, info: &ModuleInfo) -> Result<(), Refusal> {
    check_workgroup(module)?;
    check_private(source, module, info)?;
    let functions = module.functions.iter().map(|(_, function)| function);
    for function in functions.chain(module.entry_points.iter().map(|entry| &entry.function)) {
        let mut total_bytes = 0;
        for (handle, variable) in function.local_variables.iter() {
            total_bytes += interface::size(module, variable.ty).next_multiple_of(16);
            if total_bytes > limits::FUNCTION_MEMORY_BYTES {
                let what = format!("a function's variables need more than {} bytes", limits::FUNCTION_MEMORY_BYTES);
                return Err(unsupported(source, function.local_variables.get_span(handle), &what));
            }
        }
    }
    Ok(())
}

/// Refuses a workgroup of too many invocations.
fn check_workgroup(module: &Module) -> Result<(), Refusal> {
    let size = module.entry_points[0].workgroup_size;
    let fits = size.iter().zip(limits::WORKGROUP_SIZE).all(|(size, limit)| *size <= limit);
    let invocations: u64 = size.iter().map(|&size| u64::from(size)).fold(1, u64::saturating_mul);
    if fits && invocations <= u64::from(limits::WORKGROUP_INVOCATIONS) {
        return Ok(());
    }
    let [x, y, z] = size;
    let what = format!("its workgroup of {x} × {y} × {z} is larger than 256 × 256 × 64, or than 256 invocations");
    Err(Refusal::nowhere(RefusalReason::Unsupported, &what, "use a smaller `@workgroup_size`"))
}

/// Refuses too much private memory.
fn check_private(source: &str, module: &Module, info: &ModuleInfo) -> Result<(), Refusal> {
    let uses = info.get_entry_point(0);
    let mut total_bytes = 0;
    for (handle, variable) in module.global_variables.iter() {
        if variable.space != AddressSpace::Private || uses[handle].is_empty() {
            continue;
        }
        total_bytes += interface::size(module, variable.ty).next_multiple_of(16);
        if total_bytes > limits::PRIVATE_MEMORY_BYTES {
            let what = format!("private variables need more than {} bytes", limits::PRIVATE_MEMORY_BYTES);
            return Err(unsupported(source, module.global_variables.get_span(handle), &what));
        }
    }
    Ok(())
}

/// Refuses memory at `span`.
fn unsupported(source: &str, span: Span, what: &str) -> Refusal {
    Refusal::at_span(RefusalReason::Unsupported, source, span, what, "keep large arrays in buffers")
}
