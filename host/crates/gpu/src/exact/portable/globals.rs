//! The global variables of a naga module, and the arrays of its entry point.

use naga::{
    AddressSpace, ArraySize, Expression, GlobalVariable, Handle, LocalVariable, Module, ResourceBinding, Scalar, Span,
    StorageAccess, Type, TypeInner, VectorSize,
};
use samebit_device::wgsl::BindingKind;
use samebit_device::wgsl::lowered::{Lowered, Memory};
use std::num::NonZeroU32;

use super::body::Body;
use super::{add_type, global};
use crate::exact::elements::Elements;

/// Memory, as the entry point sees it.
pub(super) struct Globals {
    pub(super) buffers: Vec<Handle<GlobalVariable>>,
    pub(super) workgroup: Option<Handle<GlobalVariable>>,
    pub(super) control: Handle<GlobalVariable>,
    pub(super) arrays: Vec<Handle<LocalVariable>>,
    pub(super) elements: Elements,
    /// A vector of each width, to put words together.
    pub(super) vectors: [Handle<Type>; 2],
}

fn array(module: &mut Module, base: Handle<Type>, words: u32, length: Option<u32>) -> Handle<Type> {
    let size = length.and_then(NonZeroU32::new).map_or(ArraySize::Dynamic, ArraySize::Constant);
    add_type(module, TypeInner::Array { base, size, stride: 4 * words })
}

impl Globals {
    pub(super) fn declare(
        module: &mut Module,
        word: Handle<Type>,
        entry: &mut Body,
        kernel: &Lowered,
        elements: &Elements,
    ) -> Self {
        let vectors = [VectorSize::Bi, VectorSize::Quad]
            .map(|size| add_type(module, TypeInner::Vector { size, scalar: Scalar::U32 }));
        let element = |module: &mut Module, memory| match elements.width(memory) {
            _ if elements.is_atomic(memory) => add_type(module, TypeInner::Atomic(Scalar::U32)),
            2 => vectors[0],
            4 => vectors[1],
            _ => word,
        };
        let declare = |module: &mut Module, space, binding: usize, ty| {
            let binding = ResourceBinding { group: 0, binding: binding as u32 };
            let variable = GlobalVariable { binding: Some(binding), ..global(None, space, ty) };
            module.global_variables.append(variable, Span::UNDEFINED)
        };
        let mut buffers = Vec::new();
        for (index, decl) in kernel.interface.bindings.iter().enumerate() {
            let memory = Memory::Buffer(index as u32);
            let base = element(module, memory);
            let ty = array(module, base, elements.width(memory), None);
            // What is uniform is a buffer like any other here.
            let is_writable = decl.kind == BindingKind::Storage { writable: true };
            let access = StorageAccess::LOAD | if is_writable { StorageAccess::STORE } else { StorageAccess::empty() };
            buffers.push(declare(module, AddressSpace::Storage { access }, index, ty));
        }
        let ty = array(module, word, 1, Some(4));
        let access = StorageAccess::LOAD | StorageAccess::STORE;
        let control = declare(module, AddressSpace::Storage { access }, buffers.len(), ty);
        let workgroup = (kernel.workgroup_bytes > 0).then(|| {
            let width = elements.width(Memory::Workgroup);
            let base = element(module, Memory::Workgroup);
            let length = (kernel.workgroup_bytes / 4).div_ceil(width);
            let ty = array(module, base, width, Some(length));
            module.global_variables.append(global(None, AddressSpace::WorkGroup, ty), Span::UNDEFINED)
        });
        let arrays = kernel.arrays.iter().map(|bytes| {
            let ty = array(module, word, 1, Some((bytes / 4).max(1)));
            let init = entry.expression(Expression::ZeroValue(ty));
            let variable = LocalVariable { name: None, ty, init: Some(init) };
            entry.function.local_variables.append(variable, Span::UNDEFINED)
        });
        let arrays = arrays.collect();
        Self { buffers, workgroup, control, arrays, elements: elements.clone(), vectors }
    }
}
