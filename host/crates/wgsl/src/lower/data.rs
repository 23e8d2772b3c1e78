//! What an expression of the module stands for while a function is lowered.

use crate::lowered::{At, Memory, Place, Term, Value, Variable};
use std::rc::Rc;

use super::layout::Layout;

/// The value of an expression.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// Scalars: one, or all of a composite.
    Values(Values),
    /// A pointer.
    Pointer(Pointer),
}

/// Scalars in their order. Parts of a composite share it.
#[derive(Clone, Debug)]
pub(super) struct Values {
    all: Rc<[Value]>,
    start: usize,
    end: usize,
}

impl Values {
    /// These scalars.
    pub(super) fn new(values: Vec<Value>) -> Self {
        let end = values.len();
        Self { all: values.into(), start: 0, end }
    }

    /// `count` of them, from `first` on; fewer if there are not so many.
    pub(super) fn part(&self, first: usize, count: usize) -> Self {
        let start = self.start.saturating_add(first).min(self.end);
        let end = start.saturating_add(count).min(self.end);
        Self { all: Rc::clone(&self.all), start, end }
    }
}

impl std::ops::Deref for Values {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.all[self.start..self.end]
    }
}

/// Where a pointer points to. Its type is that of the expression.
#[derive(Clone, Debug)]
pub(super) enum Pointer {
    /// To variables, from this one on: one for each scalar.
    Variables(u32),
    /// Into memory.
    Memory {
        /// Which memory.
        memory: Memory,
        /// How it is laid out.
        layout: Layout,
        /// The constant part of the offset in bytes.
        constant: u32,
        /// The variable parts.
        terms: Rc<[Term]>,
    },
}

impl Pointer {
    /// To the start of a memory.
    pub(super) fn start(memory: Memory, layout: Layout, constant: u32) -> Self {
        Self::Memory { memory, layout, constant, terms: Rc::from([]) }
    }

    /// The layout of what is behind it.
    pub(super) fn layout(&self) -> Layout {
        match self {
            Self::Variables(_) => Layout::Packed,
            Self::Memory { layout, .. } => *layout,
        }
    }

    /// To a part, so many bytes further, the part's first scalar being so many further.
    pub(super) fn advanced(&self, bytes: u32, scalars: u32) -> Self {
        match self {
            Self::Variables(first) => Self::Variables(first.saturating_add(scalars)),
            Self::Memory { memory, layout, constant, terms } => Self::Memory {
                memory: *memory,
                layout: *layout,
                constant: constant.saturating_add(bytes),
                terms: Rc::clone(terms),
            },
        }
    }

    /// The place of a scalar so many bytes further, if it is in memory.
    pub(super) fn place(&self, bytes: u32, at: At) -> Option<Place> {
        match self {
            Self::Variables(_) => None,
            Self::Memory { memory, constant, terms, .. } => {
                Some(Place { memory: *memory, constant: constant.saturating_add(bytes), terms: terms.to_vec(), at })
            }
        }
    }

    /// The variable of a scalar so many further, if it is one.
    pub(super) fn variable(&self, scalars: u32) -> Option<Variable> {
        match self {
            Self::Variables(first) => Some(Variable(first.saturating_add(scalars))),
            Self::Memory { .. } => None,
        }
    }
}
