//! How types come apart into scalars, and where those lie in memory.
//!
//! In buffers, they lie where WGSL says. In memory of a workgroup or an invocation, which nobody else sees, they lie one
//! word after the other: there, a `bool` has a word too.

use crate::lowered::Type;
use naga::proc::IndexableLength;
use naga::{Handle, Module, Scalar, ScalarKind, TypeInner};

/// How scalars lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// As WGSL says.
    Host,
    /// One word after the other.
    Packed,
}

/// Scalars that lie one after the other: a vector, or one scalar.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Byte offset of the first.
    pub(super) offset: u32,
    /// The type of each.
    pub(super) ty: Type,
    /// How many.
    pub(super) count: u8,
    /// Whether it is accessed atomically.
    pub(super) is_atomic: bool,
}

/// What is inside a composite: parts of one type, at equal distances.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    /// How many there are; nothing if that depends on the bound range.
    pub(super) count: Option<u32>,
    /// Scalars of each.
    pub(super) scalars: u32,
    /// Distance in bytes.
    pub(super) stride: u32,
}

/// The sizes of a module's types.
#[derive(Debug)]
pub(super) struct Types<'a> {
    module: &'a Module,
    /// Scalars of each type, runtime-sized arrays counted with one element.
    scalars: Vec<u32>,
}

impl<'a> Types<'a> {
    /// Measures all types of `module`.
    pub(super) fn new(module: &'a Module) -> Self {
        let mut types = Self { module, scalars: Vec::with_capacity(module.types.len()) };
        // A type comes after those that it is made of.
        for (_, ty) in module.types.iter() {
            let scalars = types.scalars(&ty.inner);
            types.scalars.push(scalars);
        }
        types
    }

    /// The module.
    pub(super) fn module(&self) -> &'a Module {
        self.module
    }

    /// A type of the module.
    pub(super) fn inner(&self, ty: Handle<naga::Type>) -> &'a TypeInner {
        &self.module.types[ty].inner
    }

    /// How many scalars a type of the module has.
    pub(super) fn scalars_of(&self, ty: Handle<naga::Type>) -> u32 {
        self.scalars.get(ty.index()).copied().unwrap_or(u32::MAX)
    }

    /// How many scalars a type has.
    pub(super) fn scalars(&self, inner: &TypeInner) -> u32 {
        match inner {
            TypeInner::Scalar(_) | TypeInner::Atomic(_) => 1,
            TypeInner::Vector { size, .. } => u32::from(*size),
            TypeInner::Matrix { columns, rows, .. } => u32::from(*columns) * u32::from(*rows),
            TypeInner::Array { base, .. } => self.scalars_of(*base).saturating_mul(self.length(inner).unwrap_or(1)),
            TypeInner::Struct { members, .. } => {
                members.iter().fold(0, |sum: u32, member| sum.saturating_add(self.scalars_of(member.ty)))
            }
            _ => 0,
        }
    }

    /// How many elements an array has, unless that depends on the bound range.
    fn length(&self, inner: &TypeInner) -> Option<u32> {
        let TypeInner::Array { size, .. } = inner else { return None };
        match size.resolve(self.module.to_ctx()) {
            Ok(IndexableLength::Known(length)) => Some(length),
            Ok(IndexableLength::Dynamic) | Err(_) => None,
        }
    }

    /// The parts of a composite that can be indexed.
    pub(super) fn parts(&self, layout: Layout, inner: &TypeInner) -> Parts {
        match inner {
            TypeInner::Vector { size, .. } => Parts { count: Some(u32::from(*size)), scalars: 1, stride: 4 },
            TypeInner::Matrix { columns, rows, .. } => {
                let scalars = u32::from(*rows);
                let stride = match layout {
                    Layout::Host => scalars.next_power_of_two() * 4,
                    Layout::Packed => scalars * 4,
                };
                Parts { count: Some(u32::from(*columns)), scalars, stride }
            }
            TypeInner::Array { base, stride, .. } => {
                let scalars = self.scalars_of(*base);
                let stride = match layout {
                    Layout::Host => *stride,
                    Layout::Packed => scalars.saturating_mul(4),
                };
                Parts { count: self.length(inner), scalars, stride }
            }
            _ => Parts { count: Some(1), scalars: 1, stride: 4 },
        }
    }

    /// Byte offset and first scalar of a structure's member.
    pub(super) fn member(&self, layout: Layout, inner: &TypeInner, index: u32) -> (u32, u32) {
        let TypeInner::Struct { members, .. } = inner else { return (0, 0) };
        let index = index as usize;
        let first =
            members.iter().take(index).fold(0, |sum: u32, member| sum.saturating_add(self.scalars_of(member.ty)));
        match layout {
            Layout::Host => (members.get(index).map_or(0, |member| member.offset), first),
            Layout::Packed => (first.saturating_mul(4), first),
        }
    }

    /// All scalars of a type in their order, in runs.
    pub(super) fn runs(&self, layout: Layout, inner: &TypeInner) -> Vec<Run> {
        let mut runs = Vec::new();
        self.add_runs(layout, inner, 0, &mut runs);
        runs
    }

    fn add_runs(&self, layout: Layout, inner: &TypeInner, offset: u32, runs: &mut Vec<Run>) {
        let mut add = |offset, scalar, count, is_atomic| {
            runs.push(Run { offset, ty: scalar_type(scalar), count, is_atomic });
        };
        match inner {
            TypeInner::Scalar(scalar) => add(offset, *scalar, 1, false),
            TypeInner::Atomic(scalar) => add(offset, *scalar, 1, true),
            TypeInner::Vector { size, scalar } => add(offset, *scalar, u8::from(*size), false),
            TypeInner::Matrix { columns, rows, scalar } => {
                let stride = self.parts(layout, inner).stride;
                for column in 0..u32::from(*columns) {
                    add(offset.saturating_add(column * stride), *scalar, u8::from(*rows), false);
                }
            }
            TypeInner::Array { base, .. } => {
                let parts = self.parts(layout, inner);
                for index in 0..parts.count.unwrap_or(1) {
                    let offset = offset.saturating_add(index.saturating_mul(parts.stride));
                    self.add_runs(layout, self.inner(*base), offset, runs);
                }
            }
            TypeInner::Struct { members, .. } => {
                let mut packed = offset;
                for member in members {
                    let at = match layout {
                        Layout::Host => offset.saturating_add(member.offset),
                        Layout::Packed => packed,
                    };
                    self.add_runs(layout, self.inner(member.ty), at, runs);
                    packed = packed.saturating_add(self.scalars_of(member.ty).saturating_mul(4));
                }
            }
            _ => {}
        }
    }

    /// The type of each scalar of a type.
    pub(super) fn scalar_types(&self, inner: &TypeInner) -> Vec<Type> {
        let runs = self.runs(Layout::Packed, inner);
        runs.iter().flat_map(|run| std::iter::repeat_n(run.ty, usize::from(run.count))).collect()
    }
}

/// The type of a scalar.
pub(super) fn scalar_type(scalar: Scalar) -> Type {
    match scalar.kind {
        ScalarKind::Sint | ScalarKind::Uint | ScalarKind::AbstractInt => Type::Int,
        ScalarKind::Float | ScalarKind::AbstractFloat => Type::Float,
        ScalarKind::Bool => Type::Bool,
    }
}
