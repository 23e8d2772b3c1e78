//! What can be seen of a run.

use samebit_wgsl::lowered::{At, AtomicOp, Memory};

/// An invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Who {
    /// The number of its workgroup: x moves fastest.
    pub workgroup: u64,
    /// Its `local_invocation_index`.
    pub local: u32,
}

/// An access to a buffer or to the workgroup's memory. Arrays of an invocation are its own business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Who accesses.
    pub who: Who,
    /// The number of the instruction: always the same for one place in the text, but not the other way around.
    pub site: u32,
    /// Where in the text it is.
    pub at: At,
    /// Which memory.
    pub memory: Memory,
    /// The first byte, a multiple of 4.
    pub offset: u32,
    /// How many words.
    pub words: u32,
    /// What is done.
    pub kind: AccessKind,
}

/// What an access does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessKind {
    /// Reads.
    Load,
    /// Writes.
    Store,
    /// Does something to one word at once.
    Atomic {
        /// What.
        op: AtomicOp,
        /// With which operand.
        operand: u32,
        /// Whether the kernel looks at what was there before.
        is_used: bool,
    },
}

/// Sees what invocations do, in the order in which they do it.
///
/// With [`Order::Interleaved`](super::Order::Interleaved), several workgroups are under way at once; with all other
/// orders, one after the other.
pub trait Observer {
    /// False if nothing is looked at: then looking costs nothing.
    const IS_ACTIVE: bool = true;

    /// A workgroup begins. False stops the run.
    fn workgroup(&mut self, number: u64) -> bool {
        let _ = number;
        true
    }

    /// Memory is about to be accessed.
    fn access(&mut self, access: &Access) {
        let _ = access;
    }

    /// An index is larger than the last that is allowed, and so becomes the last.
    fn clamped(&mut self, who: Who, at: At, index: u32, last: u32) {
        let _ = (who, at, index, last);
    }

    /// The whole workgroup has reached a barrier, and goes on.
    fn barrier(&mut self, workgroup: u64, at: At) {
        let _ = (workgroup, at);
    }

    /// An iteration of a loop begins, by the loop's number in [`Program::loops`](super::Program::loops).
    fn iteration(&mut self, who: Who, loop_number: u32) {
        let _ = (who, loop_number);
    }

    /// An invocation ended, and had begun so many iterations of loops.
    fn ended(&mut self, who: Who, iterations: u32) {
        let _ = (who, iterations);
    }

    /// Asked now and then inside of long workgroups. True stops the run.
    fn is_stopped(&mut self) -> bool {
        false
    }
}

/// Sees nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blind;

impl Observer for Blind {
    const IS_ACTIVE: bool = false;
}
