//! What a kernel needs around it: its bindings, its workgroup, and how much memory the workgroup shares.

use crate::{Refusal, RefusalReason, limits};
use naga::valid::ModuleInfo;
use naga::{AddressSpace, GlobalVariable, Handle, Module, StorageAccess};

/// What a kernel binds and how it is launched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// What the entry point uses, itself or through a call, in order of group and binding.
    pub bindings: Vec<BindingDecl>,
    /// Invocations of a workgroup along x, y and z.
    pub workgroup_size: [u32; 3],
    /// Memory that a workgroup shares, each variable rounded up to 16 bytes.
    pub workgroup_memory_bytes: u64,
}

/// A variable that a buffer range is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingDecl {
    /// `@group`.
    pub group: u32,
    /// `@binding`.
    pub binding: u32,
    /// How the kernel sees the buffer.
    pub kind: BindingKind,
    /// Size of the variable's type, a runtime-sized array counted with one element. A smaller range cannot be bound.
    pub size_min_bytes: u64,
}

/// How a kernel sees a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BindingKind {
    /// `var<uniform>`.
    Uniform,
    /// `var<storage>`.
    Storage {
        /// Declared `read_write`.
        writable: bool,
    },
}

/// Describes the only entry point of `module`, whose validation gave `info`. Refuses more than the limits allow.
pub(crate) fn describe(source: &str, module: &Module, info: &ModuleInfo) -> Result<Interface, Refusal> {
    let uses = info.get_entry_point(0);
    let mut bindings = Vec::new();
    let mut workgroup_memory_bytes = 0;
    for (handle, variable) in module.global_variables.iter().filter(|(handle, _)| !uses[*handle].is_empty()) {
        if let Some(decl) = binding(source, module, handle, variable)? {
            bindings.push(decl);
        } else if variable.space == AddressSpace::WorkGroup {
            workgroup_memory_bytes += size(module, variable.ty).next_multiple_of(16);
            if workgroup_memory_bytes > limits::WORKGROUP_MEMORY_BYTES {
                let what = format!("workgroup variables need more than {} bytes", limits::WORKGROUP_MEMORY_BYTES);
                return Err(refuse(source, module, handle, &what, "use smaller tiles"));
            }
        }
        check_counts(source, module, handle, &bindings)?;
    }
    bindings.sort_by_key(|decl| (decl.group, decl.binding));
    Ok(Interface { bindings, workgroup_size: module.entry_points[0].workgroup_size, workgroup_memory_bytes })
}

/// The binding that `variable` is, if it is one.
fn binding(
    source: &str,
    module: &Module,
    handle: Handle<GlobalVariable>,
    variable: &GlobalVariable,
) -> Result<Option<BindingDecl>, Refusal> {
    let (kind, size_limit_bytes) = match variable.space {
        AddressSpace::Uniform => (BindingKind::Uniform, limits::UNIFORM_BINDING_BYTES),
        AddressSpace::Storage { access } => {
            (BindingKind::Storage { writable: access.contains(StorageAccess::STORE) }, limits::STORAGE_BINDING_BYTES)
        }
        _ => return Ok(None),
    };
    let Some(at) = &variable.binding else { return Ok(None) };
    if at.group >= limits::BIND_GROUPS {
        let what = format!("`@group({})` is not less than {}", at.group, limits::BIND_GROUPS);
        return Err(refuse(source, module, handle, &what, "use a lower group"));
    }
    if at.binding >= limits::BINDING_INDICES {
        let what = format!("`@binding({})` is not less than {}", at.binding, limits::BINDING_INDICES);
        return Err(refuse(source, module, handle, &what, "use a lower binding"));
    }
    let size_min_bytes = size(module, variable.ty);
    if size_min_bytes > size_limit_bytes {
        let what = format!("its type is {size_min_bytes} bytes, but a binding has at most {size_limit_bytes}");
        return Err(refuse(source, module, handle, &what, "use a smaller type or a runtime-sized array"));
    }
    Ok(Some(BindingDecl { group: at.group, binding: at.binding, kind, size_min_bytes }))
}

/// Refuses the variable that made `bindings` too many.
fn check_counts(
    source: &str,
    module: &Module,
    handle: Handle<GlobalVariable>,
    bindings: &[BindingDecl],
) -> Result<(), Refusal> {
    let uniforms = bindings.iter().filter(|decl| decl.kind == BindingKind::Uniform).count();
    let storages = bindings.len() - uniforms;
    if storages > limits::STORAGE_BINDINGS {
        let what = format!("it uses more than {} storage buffers", limits::STORAGE_BINDINGS);
        return Err(refuse(source, module, handle, &what, "put several arrays into one buffer"));
    }
    if uniforms > limits::UNIFORM_BINDINGS {
        let what = format!("it uses more than {} uniform buffers", limits::UNIFORM_BINDINGS);
        return Err(refuse(source, module, handle, &what, "put several values into one struct"));
    }
    Ok(())
}

/// Size of a type; a runtime-sized array counts one element. Types over 1 GiB were refused by validation.
pub(crate) fn size(module: &Module, ty: Handle<naga::Type>) -> u64 {
    module.types[ty].inner.try_size(module.to_ctx()).map_or(u64::MAX / 2, u64::from)
}

/// Refuses a variable as unsupported.
fn refuse(source: &str, module: &Module, handle: Handle<GlobalVariable>, what: &str, todo: &str) -> Refusal {
    let span = module.global_variables.get_span(handle);
    Refusal::at_span(RefusalReason::Unsupported, source, span, what, todo)
}
