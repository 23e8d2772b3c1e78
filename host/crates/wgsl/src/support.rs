//! What of valid WGSL a kernel may use: buffers, workgroup memory, 32-bit numbers, and the five compute built-ins.
//!
//! Extensions are refused from the text (see [`scan`](crate::scan)). Here are the things that WGSL, or naga beyond it,
//! offers without an extension: textures, samplers, immediates, 64-bit numbers, subgroups.

use crate::{Refusal, RefusalReason, scan};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Barrier, Binding, Block, BuiltIn, Handle, Module, Statement, Type, TypeInner};

/// What validation admits beyond the plainest WGSL: `pack2x16float` and its kin, which WGSL has without an extension.
const CAPABILITIES: Capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;

/// Validates `module`, known to be valid WGSL and reduced to one compute entry point, as a kernel.
pub(crate) fn validate(source: &str, module: &Module) -> Result<ModuleInfo, Refusal> {
    check_variables(source, module)?;
    check_builtins(source, module)?;
    check_types(source, module)?;
    let functions = module.functions.iter().map(|(_, function)| function);
    for function in functions.chain(module.entry_points.iter().map(|entry| &entry.function)) {
        check_statements(source, &function.body)?;
    }
    Validator::new(ValidationFlags::all(), CAPABILITIES).validate_resolved_overrides(module).map_err(|error| {
        let span = crate::kernel::validation_span(source, &error);
        let what = crate::kernel::chain(error.as_inner());
        Refusal::at_span(RefusalReason::Unsupported, source, span, &what, "do without it")
    })
}

/// Refuses variables that are neither buffers nor a kernel's own memory.
fn check_variables(source: &str, module: &Module) -> Result<(), Refusal> {
    for (handle, variable) in module.global_variables.iter() {
        let what = match variable.space {
            AddressSpace::Private
            | AddressSpace::WorkGroup
            | AddressSpace::Uniform
            | AddressSpace::Storage { .. }
            | AddressSpace::Function => continue,
            AddressSpace::Handle => "it uses a texture, sampler or other opaque resource",
            AddressSpace::Immediate => "it uses immediate data (push constants)",
            AddressSpace::TaskPayload | AddressSpace::RayPayload | AddressSpace::IncomingRayPayload => {
                "it uses data of a graphics pipeline"
            }
        };
        let span = module.global_variables.get_span(handle);
        return Err(Refusal::at_span(RefusalReason::Unsupported, source, span, what, "use buffers"));
    }
    Ok(())
}

/// Refuses built-ins other than those that WGSL gives every compute entry point.
fn check_builtins(source: &str, module: &Module) -> Result<(), Refusal> {
    let members = module.types.iter().filter_map(|(handle, ty)| match &ty.inner {
        TypeInner::Struct { members, .. } => Some((handle, members)),
        _ => None,
    });
    let of_members = members.flat_map(|(handle, members)| {
        members.iter().map(move |member| (member.binding.as_ref(), module.types.get_span(handle)))
    });
    let of_arguments = module.entry_points.iter().flat_map(|entry| {
        let span = scan::function(source, &entry.name);
        entry.function.arguments.iter().map(move |argument| (argument.binding.as_ref(), span))
    });
    for (binding, span) in of_members.chain(of_arguments) {
        let Some(Binding::BuiltIn(builtin)) = binding else { continue };
        if !matches!(
            builtin,
            BuiltIn::GlobalInvocationId
                | BuiltIn::LocalInvocationId
                | BuiltIn::LocalInvocationIndex
                | BuiltIn::WorkGroupId
                | BuiltIn::NumWorkGroups
        ) {
            let what = format!("it uses the built-in value {builtin:?}");
            return Err(Refusal::at_span(RefusalReason::Unsupported, source, span, &what, "do without it"));
        }
    }
    Ok(())
}

/// Refuses types of resources that are not buffers; a function may name them without a variable.
fn check_types(source: &str, module: &Module) -> Result<(), Refusal> {
    for (handle, ty) in module.types.iter() {
        if let Some((word, what, todo)) = foreign_scalar(&ty.inner) {
            let (made, mut variables) = (made_of(module, handle), module.global_variables.iter());
            let span = match variables.find(|(_, variable)| made[variable.ty.index()]) {
                Some((variable, _)) => module.global_variables.get_span(variable),
                None => scan::word(source, &[word]),
            };
            return Err(Refusal::at_span(RefusalReason::Unsupported, source, span, what, todo));
        }
        let what = match ty.inner {
            TypeInner::Image { .. } => "it uses a texture",
            TypeInner::Sampler { .. } => "it uses a sampler",
            TypeInner::AccelerationStructure { .. } | TypeInner::RayQuery { .. } => "it uses ray queries",
            TypeInner::BindingArray { .. } => "it uses an array of bindings",
            TypeInner::CooperativeMatrix { .. } => "it uses cooperative matrices",
            _ => continue,
        };
        let span = module.types.get_span(handle);
        return Err(Refusal::at_span(RefusalReason::Unsupported, source, span, what, "use buffers"));
    }
    Ok(())
}

/// If a type is of numbers that no device offers: a word that it is written with, what is wrong, and what to do. Such
/// types have no place of their own.
fn foreign_scalar(inner: &TypeInner) -> Option<(&'static str, &'static str, &'static str)> {
    use naga::ScalarKind::{Float, Sint, Uint};
    if let TypeInner::Atomic(scalar) = inner
        && !matches!(*scalar, naga::Scalar::I32 | naga::Scalar::U32)
    {
        let todo = "use `atomic<u32>` or `atomic<i32>`, with fixed-point numbers in the place of floats";
        return Some(("atomic", "it uses an atomic that is neither `u32` nor `i32`", todo));
    }
    let scalar = inner.scalar().filter(|scalar| scalar.width > 4)?;
    let word = match scalar.kind {
        Float => "f64",
        Sint => "i64",
        Uint => "u64",
        _ => return None,
    };
    Some((word, "it uses numbers of 64 bits", "use two of 32 bits"))
}

/// Which types, by number, are or contain another. A type comes after those that it is made of.
fn made_of(module: &Module, part: Handle<Type>) -> Vec<bool> {
    let mut made: Vec<bool> = Vec::with_capacity(module.types.len());
    for (handle, ty) in module.types.iter() {
        let is_made = |of: Handle<Type>| made.get(of.index()).is_some_and(|made| *made);
        let inside = match &ty.inner {
            TypeInner::Array { base, .. } => is_made(*base),
            TypeInner::Struct { members, .. } => members.iter().any(|member| is_made(member.ty)),
            _ => false,
        };
        made.push(inside || handle == part);
    }
    made
}

/// Refuses barriers of memory that a kernel does not have, and subgroups. The scan has bounded how deep blocks nest.
fn check_statements(source: &str, block: &Block) -> Result<(), Refusal> {
    for (statement, &span) in block.span_iter() {
        match statement {
            Statement::ControlBarrier(barrier) | Statement::MemoryBarrier(barrier)
                if !(Barrier::STORAGE | Barrier::WORK_GROUP).contains(*barrier) =>
            {
                let what = "it has a barrier for textures or subgroups";
                return Err(Refusal::at_span(RefusalReason::Unsupported, source, span, what, "do without it"));
            }
            Statement::SubgroupBallot { .. }
            | Statement::SubgroupGather { .. }
            | Statement::SubgroupCollectiveOperation { .. } => {
                let what = "it uses subgroups, whose size differs between devices";
                let todo = "exchange values through workgroup memory and `workgroupBarrier()`";
                return Err(Refusal::at_span(RefusalReason::Unsupported, source, span, what, todo));
            }
            Statement::Block(block) => check_statements(source, block)?,
            Statement::If { accept, reject, .. } => {
                check_statements(source, accept)?;
                check_statements(source, reject)?;
            }
            Statement::Loop { body, continuing, .. } => {
                check_statements(source, body)?;
                check_statements(source, continuing)?;
            }
            Statement::Switch { cases, .. } => {
                cases.iter().try_for_each(|case| check_statements(source, &case.body))?;
            }
            _ => {}
        }
    }
    Ok(())
}
