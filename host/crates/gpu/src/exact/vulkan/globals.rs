//! The global variables of a SPIR-V module, and the arrays of its entry point.

use samebit_device::wgsl::BindingKind;
use samebit_device::wgsl::lowered::{Array, Builtin, Lowered, Memory};
use spirv::{BuiltIn, Decoration, Op, StorageClass};

use super::body::Body;
use super::module::{Module, Ty};
use crate::exact::elements::Elements;

/// A variable that is an array, or holds nothing else than one.
#[derive(Clone, Copy)]
pub(super) struct Root {
    pub(super) variable: u32,
    pub(super) class: StorageClass,
}

/// Memory, as the entry point sees it.
pub(super) struct Globals {
    buffers: Vec<Root>,
    workgroup: Option<Root>,
    pub(super) control: Root,
    arrays: Vec<Root>,
    /// Built-in values, in the order of [`BUILT_INS`].
    built_ins: Vec<u32>,
    pub(super) elements: Elements,
}

const BUILT_INS: [(BuiltIn, Ty); 5] = [
    (BuiltIn::LocalInvocationId, Ty::Vector(3)),
    (BuiltIn::LocalInvocationIndex, Ty::Word),
    (BuiltIn::WorkgroupId, Ty::Vector(3)),
    (BuiltIn::NumWorkgroups, Ty::Vector(3)),
    (BuiltIn::GlobalInvocationId, Ty::Vector(3)),
];

/// An element's type.
pub(super) fn element(module: &mut Module, width: u32) -> u32 {
    module.ty(if width == 1 { Ty::Word } else { Ty::Vector(width) })
}

/// A buffer: a structure with an array in it.
fn buffer(module: &mut Module, binding: usize, width: u32, is_writable: bool) -> Root {
    let element = element(module, width);
    let array = module.global(Op::TypeRuntimeArray, &[element]);
    module.decorate(array, Decoration::ArrayStride, &[4 * width]);
    let block = module.global(Op::TypeStruct, &[array]);
    module.decorate(block, Decoration::Block, &[]);
    module.decorate_member(block, Decoration::Offset, &[0]);
    if !is_writable {
        module.decorate_member(block, Decoration::NonWritable, &[]);
    }
    let class = StorageClass::StorageBuffer;
    let variable = module.variable(class, block);
    module.decorate(variable, Decoration::DescriptorSet, &[0]);
    module.decorate(variable, Decoration::Binding, &[binding as u32]);
    Root { variable, class }
}

fn sized_array(module: &mut Module, width: u32, length: u32) -> u32 {
    let element = element(module, width);
    let length = module.word(length);
    module.global(Op::TypeArray, &[element, length])
}

impl Globals {
    pub(super) fn declare(module: &mut Module, entry: &mut Body, kernel: &Lowered, elements: &Elements) -> Self {
        let buffers: Vec<_> = (0..)
            .zip(&kernel.interface.bindings)
            .map(|(index, decl)| {
                let is_writable = decl.kind == BindingKind::Storage { writable: true };
                buffer(module, index, elements.width(Memory::Buffer(index as u32)), is_writable)
            })
            .collect();
        let control = buffer(module, buffers.len(), 1, true);
        let workgroup = (kernel.workgroup_bytes > 0).then(|| {
            let width = elements.width(Memory::Workgroup);
            let array = sized_array(module, width, (kernel.workgroup_bytes / 4).div_ceil(width));
            let class = StorageClass::Workgroup;
            Root { variable: module.variable(class, array), class }
        });
        let arrays = kernel.arrays.iter().map(|bytes| {
            let array = sized_array(module, 1, (bytes / 4).max(1));
            let class = StorageClass::Function;
            let (pointer, start, variable) = (module.ty(Ty::Pointer(class, array)), module.null(array), module.id());
            entry.variable(pointer, variable, Some(start));
            Root { variable, class }
        });
        let arrays = arrays.collect();
        let built_ins = BUILT_INS.map(|(built_in, ty)| {
            let of = module.ty(ty);
            let variable = module.variable(StorageClass::Input, of);
            module.decorate(variable, Decoration::BuiltIn, &[built_in as u32]);
            variable
        });
        Self { buffers, workgroup, control, arrays, built_ins: built_ins.to_vec(), elements: elements.clone() }
    }

    /// What the entry point has to name.
    pub(super) fn interface(&self) -> Vec<u32> {
        self.built_ins.clone()
    }

    /// The variable of a built-in value, and which of its words.
    pub(super) fn built_in(&self, builtin: Builtin) -> (u32, Option<u32>) {
        let (index, axis) = match builtin {
            Builtin::LocalId(axis) => (0, Some(axis)),
            Builtin::LocalIndex => (1, None),
            Builtin::WorkgroupId(axis) => (2, Some(axis)),
            Builtin::NumWorkgroups(axis) => (3, Some(axis)),
            Builtin::GlobalId(axis) => (4, Some(axis)),
        };
        (self.built_ins.get(index).copied().unwrap_or(0), axis.map(u32::from))
    }

    /// What the kernel does not have is its control buffer, which nothing may reach: whoever asks breaks a promise of the
    /// lowered form.
    pub(super) fn root(&self, memory: Memory) -> Root {
        let root = match memory {
            Memory::Buffer(buffer) => self.buffers.get(buffer as usize).copied(),
            Memory::Workgroup => self.workgroup,
            Memory::Array(Array(array)) => self.arrays.get(array as usize).copied(),
        };
        root.unwrap_or(self.control)
    }
}
