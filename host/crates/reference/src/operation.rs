//! What a session can want done, with every buffer resolved to an address.

use std::sync::Arc;

use samebit_device::Grid;

use crate::allocator::Span;
use crate::launch::{Kernel, Scratch};
use crate::memory::Exclusive;

/// Something to do.
pub(crate) enum Operation {
    /// Changes memory.
    Change(Change),
    /// Launches a kernel.
    Dispatch(Box<Dispatch>),
    /// Lets go of a kernel.
    Forget(u64),
}

/// A change of memory that is no launch.
pub(crate) enum Change {
    /// Writes bytes.
    Write {
        /// Where they go.
        address: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Fills a range with a word.
    Fill {
        /// The range.
        span: Span,
        /// The word.
        word: u32,
    },
    /// Copies a range to an address.
    Copy {
        /// The range.
        source: Span,
        /// The address.
        target: u64,
    },
}

/// A launch that is queued.
pub(crate) struct Dispatch {
    /// What runs.
    pub(crate) kernel: Arc<Kernel>,
    /// What is bound, in the order of the interface.
    pub(crate) bindings: Vec<Span>,
    /// Over which grid; an indirect one's offset is an address.
    pub(crate) grid: Grid,
    /// Scratch memory.
    pub(crate) scratch: Scratch,
}

impl Operation {
    /// How much memory it holds on its way, beyond the buffers.
    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::Change(Change::Write { bytes, .. }) => bytes.len(),
            Self::Change(_) | Self::Dispatch(_) | Self::Forget(_) => 0,
        }
    }
}

impl Change {
    /// How many bytes it changes.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Write { bytes, .. } => bytes.len() as u64,
            Self::Fill { span, .. } | Self::Copy { source: span, .. } => span.bytes,
        }
    }

    /// Does it.
    pub(crate) fn apply(&self, memory: &mut Exclusive<'_>) {
        match self {
            Self::Write { address, bytes } => memory.write(*address, bytes),
            Self::Fill { span, word } => memory.fill(*span, *word),
            Self::Copy { source, target } => memory.copy(*source, *target),
        }
    }
}
