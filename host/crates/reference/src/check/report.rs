//! What was found, as plain data.

use std::sync::Arc;

use serde::Serialize;

/// What was found in all kernels.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// By kernel, in the order in which they were made.
    pub kernels: Vec<KernelReport>,
}

/// What was found in a kernel, in all its dispatches.
#[derive(Clone, Debug, Serialize)]
pub struct KernelReport {
    /// Where the text came from.
    pub file: String,
    /// The entry point.
    pub entry_point: String,
    /// The text, for excerpts.
    #[serde(skip)]
    pub text: Arc<str>,
    /// Invocations of a workgroup along x, y and z.
    pub workgroup_size: [u32; 3],
    /// What the kernel binds.
    pub bindings: Vec<BindingName>,
    /// What is wrong, in the order of the text, the worst first.
    pub findings: Vec<Finding>,
    /// How many more findings there were, which were not kept.
    pub findings_dropped: u64,
    /// How much was done to find it.
    pub work: Work,
    /// How much of the budget of loop iterations was used.
    pub budget: Option<BudgetUse>,
    /// Whether the check was stopped before its end.
    pub is_stopped: bool,
}

/// A variable that a buffer is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BindingName {
    /// `@group`.
    pub group: u32,
    /// `@binding`.
    pub binding: u32,
    /// The variable's name.
    pub name: String,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Work {
    /// Dispatches.
    pub dispatches: u64,
    /// Invocations that ended, of the first run of each dispatch.
    pub invocations: u64,
    /// Accesses to buffers and workgroup memory.
    pub accesses: u64,
    /// Runs in another order whose bytes were compared.
    pub orders_compared: u64,
    /// Accesses that were not checked for races, for lack of shadow memory.
    pub accesses_unchecked: u64,
}

/// How much of the budget of loop iterations the invocation used that used the most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BudgetUse {
    /// Iterations that it began.
    pub iterations: u32,
    /// How many it might have begun.
    pub limit: u32,
    /// Which it was.
    pub invocation: Invocation,
    /// The loops that it was in, the one with the most iterations first.
    pub loops: Vec<LoopUse>,
}

/// Iterations of one loop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoopUse {
    /// Where the loop is.
    pub place: Place,
    /// How many began.
    pub iterations: u32,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The kernel has no answer, or not one on every device.
    Error,
    /// The kernel has one answer, but hardly the one that is meant.
    Warning,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// How often it was seen, at the same places in the text; what follows is the first time.
    pub count: u64,
    /// The dispatch of this kernel in which it was seen first, from 0.
    pub dispatch: u64,
    /// What it is.
    #[serde(flatten)]
    pub detail: Detail,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Detail {
    /// Two invocations access the same word, at least one writes, not both atomically, and no barrier orders them.
    DataRace {
        /// Which word.
        region: Region,
        /// What happened first in this run.
        first: Side,
        /// What happened then.
        second: Side,
    },
    /// Two invocations write the same word atomically, so that the last wins, and nothing says which that is.
    AtomicOrder {
        /// Which word.
        region: Region,
        /// What happened first in this run.
        first: Side,
        /// What happened then.
        second: Side,
    },
    /// An index is past the end.
    OutOfRange {
        /// What is indexed.
        place: Place,
        /// By which index.
        index: u32,
        /// How many elements there are.
        length: u64,
        /// By whom.
        invocation: Invocation,
    },
    /// Workgroup memory is read that no invocation has written.
    Uninitialized {
        /// Which word.
        region: Region,
        /// Who reads.
        reader: Side,
    },
    /// An invocation spent its budget of loop iterations.
    BudgetSpent {
        /// The loop that could not go on.
        place: Place,
        /// How many iterations it had, of all loops.
        limit: u32,
        /// Which invocation.
        invocation: Invocation,
    },
    /// Not all invocations of a workgroup reach a barrier.
    BarrierDivergence {
        /// The barrier.
        place: Place,
        /// One that waits there.
        waits: Invocation,
        /// One that does not come.
        other: Invocation,
    },
    /// A buffer's bytes depend on the order of workgroups and invocations.
    OrderDependent(Difference),
    /// Whether the dispatch comes to its end depends on the order of workgroups and invocations.
    EndDependent {
        /// The order in which it does not.
        order: String,
    },
}

/// The first difference between what two orders leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where.
    pub region: Region,
    /// What is there if everything runs in order.
    pub in_order: u32,
    /// What is there in the other order.
    pub in_other: u32,
    /// The other order.
    pub order: String,
    /// The BLAKE3 hash of the bound range, in order.
    pub hash_in_order: String,
    /// The BLAKE3 hash of the bound range, in the other order.
    pub hash_in_other: String,
}

/// A word in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "memory", rename_all = "kebab-case")]
pub enum Region {
    /// Of a bound range.
    Buffer {
        /// `@group`.
        group: u32,
        /// `@binding`.
        binding: u32,
        /// Offset of its first byte in the range.
        byte: u32,
    },
    /// Of the workgroup's memory, which has all its variables one after the other.
    Workgroup {
        /// Offset of its first byte.
        byte: u32,
    },
}

/// What an invocation does to a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Reads it.
    Reads,
    /// Writes it.
    Writes,
    /// Reads it atomically.
    AtomicallyReads,
    /// Writes it atomically.
    AtomicallyWrites,
    /// Changes it atomically.
    AtomicallyUpdates,
}

/// One of two that conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// What it does.
    pub action: Action,
    /// Where in the text.
    pub place: Place,
    /// Which invocation.
    pub invocation: Invocation,
}

/// A place in the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Offset of its first byte, if the place is known.
    #[serde(skip)]
    pub offset: Option<u32>,
    /// The line, from 1; 0 if the place is not known.
    pub line: u32,
    /// The column in bytes, from 1; 0 if the place is not known.
    pub column: u32,
    /// The source line, without what surrounds it, cut to a bearable length.
    pub source: String,
}

/// An invocation, by all its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Invocation {
    /// `global_invocation_id`.
    pub global: [u32; 3],
    /// `workgroup_id`.
    pub workgroup: [u32; 3],
    /// `local_invocation_id`.
    pub local: [u32; 3],
}

impl Report {
    /// How many findings there are.
    pub fn findings(&self) -> usize {
        self.kernels.iter().map(|kernel| kernel.findings.len()).sum()
    }

    /// True if all was looked at, and nothing found.
    pub fn is_clean(&self) -> bool {
        self.kernels.iter().all(KernelReport::is_clean)
    }
}

impl KernelReport {
    /// True if nothing was found.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Detail {
    /// A short name, the same as in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DataRace { .. } => "data-race",
            Self::AtomicOrder { .. } => "atomic-order",
            Self::OutOfRange { .. } => "out-of-range",
            Self::Uninitialized { .. } => "uninitialized",
            Self::BudgetSpent { .. } => "budget-spent",
            Self::BarrierDivergence { .. } => "barrier-divergence",
            Self::OrderDependent(_) => "order-dependent",
            Self::EndDependent { .. } => "end-dependent",
        }
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::OutOfRange { .. } | Self::Uninitialized { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }
}
