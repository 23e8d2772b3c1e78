//! How large a valid kernel may be: its workgroup, an invocation's memory, one value, types, and the code after inlining.
//!
//! WGSL lets a compiler refuse what exceeds these, and drivers do so by crashing or by taking gigabytes.

use crate::{Refusal, RefusalReason, interface, limits, scan};
use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{AddressSpace, ArraySize, Block, Function, Handle, Module, Span, Statement, Type, TypeInner};

/// Refuses a kernel that is too large in any way.
pub(crate) fn check(source: &str, module: &Module, info: &ModuleInfo) -> Result<(), Refusal> {
    check_workgroup(source, module)?;
    check_types(source, module)?;
    check_private(source, module, info)?;
    // Callees come before callers.
    let mut expanded = Vec::with_capacity(module.functions.len());
    for (handle, function) in module.functions.iter() {
        let span = module.functions.get_span(handle);
        expanded.push(check_function(source, module, function, &info[handle], &expanded, span)?);
    }
    let entry = &module.entry_points[0];
    let span = scan::function(source, &entry.name);
    check_function(source, module, &entry.function, info.get_entry_point(0), &expanded, span).map(drop)
}

/// Refuses a workgroup of too many invocations.
fn check_workgroup(source: &str, module: &Module) -> Result<(), Refusal> {
    let entry = &module.entry_points[0];
    let size = entry.workgroup_size;
    let fits = size.iter().zip(limits::WORKGROUP_SIZE).all(|(size, limit)| *size <= limit);
    let invocations: u64 = size.iter().map(|&size| u64::from(size)).fold(1, u64::saturating_mul);
    if fits && invocations <= u64::from(limits::WORKGROUP_INVOCATIONS) {
        return Ok(());
    }
    let [x, y, z] = size;
    let what = format!("its workgroup of {x} × {y} × {z} is larger than 256 × 256 × 64, or than 256 invocations");
    let span = scan::function(source, &entry.name);
    let todo = "use a smaller `@workgroup_size`";
    Err(Refusal::at_span(RefusalReason::Unsupported, source, span, &what, todo))
}

/// Refuses types with too many members or too deep inside one another.
fn check_types(source: &str, module: &Module) -> Result<(), Refusal> {
    // A type comes after those that it is made of.
    let mut depths: Vec<u32> = Vec::with_capacity(module.types.len());
    for (handle, ty) in module.types.iter() {
        let depth_of = |part: Handle<Type>| depths.get(part.index()).copied().unwrap_or(0);
        let depth = match &ty.inner {
            TypeInner::Vector { .. } => 1,
            TypeInner::Matrix { .. } => 2,
            TypeInner::Array { base, .. } => 1 + depth_of(*base),
            TypeInner::Struct { members, .. } => {
                if members.len() > limits::STRUCT_MEMBERS {
                    let what = format!("a structure has more than {} members", limits::STRUCT_MEMBERS);
                    return Err(too_large(source, module.types.get_span(handle), &what));
                }
                1 + members.iter().map(|member| depth_of(member.ty)).max().unwrap_or(0)
            }
            _ => 0,
        };
        if depth > limits::TYPE_DEPTH {
            let what = format!("a type nests deeper than {}", limits::TYPE_DEPTH);
            return Err(too_large(source, module.types.get_span(handle), &what));
        }
        depths.push(depth);
    }
    Ok(())
}

/// Refuses too much private memory.
fn check_private(source: &str, module: &Module, info: &ModuleInfo) -> Result<(), Refusal> {
    let uses = info.get_entry_point(0);
    let mut total_bytes = 0;
    for (handle, variable) in module.global_variables.iter() {
        if variable.space != AddressSpace::Private || uses[handle].is_empty() {
            continue;
        }
        total_bytes += interface::size(module, variable.ty);
        if total_bytes > limits::PRIVATE_MEMORY_BYTES {
            let what = format!("private variables need more than {} bytes", limits::PRIVATE_MEMORY_BYTES);
            return Err(too_much_memory(source, module.global_variables.get_span(handle), &what));
        }
    }
    Ok(())
}

/// Refuses a function that is too large, or gives the number of its expressions and statements, calls replaced by what
/// they call. `expanded` holds that number for the functions before this one.
fn check_function(
    source: &str,
    module: &Module,
    function: &Function,
    info: &FunctionInfo,
    expanded: &[u64],
    span: Span,
) -> Result<u64, Refusal> {
    if function.arguments.len() > limits::FUNCTION_PARAMETERS {
        let what = format!("a function has more than {} parameters", limits::FUNCTION_PARAMETERS);
        return Err(too_large(source, span, &what));
    }
    let mut total_bytes = 0;
    for (handle, variable) in function.local_variables.iter() {
        total_bytes += interface::size(module, variable.ty);
        if total_bytes > limits::FUNCTION_MEMORY_BYTES {
            let what = format!("a function's variables need more than {} bytes", limits::FUNCTION_MEMORY_BYTES);
            return Err(too_much_memory(source, function.local_variables.get_span(handle), &what));
        }
    }
    check_values(source, module, function, info)?;
    let total = check_block(source, &function.body, expanded)?.saturating_add(count(function.expressions.len()));
    if total > limits::EXPANDED_CALLS {
        let what = "with its calls replaced by the functions they call, a function is too large";
        return Err(too_large(source, span, what));
    }
    Ok(total)
}

/// Refuses large values outside of variables: every array that is loaded, constructed, passed or returned whole.
fn check_values(source: &str, module: &Module, function: &Function, info: &FunctionInfo) -> Result<(), Refusal> {
    for (handle, _) in function.expressions.iter() {
        let inner = info[handle].ty.inner_with(&module.types);
        let (elements, bytes) = match *inner {
            TypeInner::Array { size: ArraySize::Constant(size), .. } => (size.get(), inner.try_size(module.to_ctx())),
            TypeInner::Struct { span, .. } => (0, Some(span)),
            _ => continue,
        };
        if elements > limits::ARRAY_VALUE_ELEMENTS || bytes.is_none_or(|bytes| u64::from(bytes) > limits::VALUE_BYTES) {
            let (elements, bytes) = (limits::ARRAY_VALUE_ELEMENTS, limits::VALUE_BYTES);
            let what = format!("a whole value here has more than {elements} elements or {bytes} bytes");
            let todo = "load the parts that are needed";
            let span = function.expressions.get_span(handle);
            return Err(Refusal::at_span(RefusalReason::Unsupported, source, span, &what, todo));
        }
    }
    Ok(())
}

/// Counts the statements of `block`, calls replaced by what they call, and refuses a `switch` of too many cases. The
/// scan has bounded how deep blocks nest.
fn check_block(source: &str, block: &Block, expanded: &[u64]) -> Result<u64, Refusal> {
    let mut total = count(block.len());
    for (statement, &at) in block.span_iter() {
        let inside = match statement {
            Statement::Block(block) => check_block(source, block, expanded)?,
            Statement::If { accept, reject, .. } => {
                check_block(source, accept, expanded)?.saturating_add(check_block(source, reject, expanded)?)
            }
            Statement::Loop { body, continuing, .. } => {
                check_block(source, body, expanded)?.saturating_add(check_block(source, continuing, expanded)?)
            }
            Statement::Switch { cases, .. } => {
                if cases.len() > limits::SWITCH_CASES {
                    let what = format!("a `switch` has more than {} cases", limits::SWITCH_CASES);
                    return Err(too_large(source, at, &what));
                }
                let mut inside = 0_u64;
                for case in cases {
                    inside = inside.saturating_add(check_block(source, &case.body, expanded)?);
                }
                inside
            }
            Statement::Call { function, .. } => expanded.get(function.index()).copied().unwrap_or(u64::MAX),
            _ => 0,
        };
        total = total.saturating_add(inside);
    }
    Ok(total)
}

/// A length as a number that is summed.
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Refuses memory at `span`.
fn too_much_memory(source: &str, span: Span, what: &str) -> Refusal {
    Refusal::at_span(RefusalReason::Unsupported, source, span, what, "keep large arrays in buffers")
}

/// Refuses code at `span`.
fn too_large(source: &str, span: Span, what: &str) -> Refusal {
    Refusal::at_span(RefusalReason::TooLarge, source, span, what, "split it up")
}
