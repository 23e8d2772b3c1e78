//! What the lanes of a gang have in common: which values are the same in all of them, which are consecutive, which
//! way the lanes part, and where they meet again.
//!
//! Two lanes that are both active somewhere agree on a uniform value there. What an inactive lane would have is of no
//! interest: a variable is uniform as long as no lane reads it that was inactive when it was written.
//!
//! The analysis starts with the best that could be, takes back what does not hold, and repeats until nothing changes.

mod flags;
mod values;
mod variables;

pub(super) use values::operands;

use super::flow::{BlockId, Flow, Node, Role};
use samebit_wgsl::lowered::{Lowered, Memory, Place, Value, Variable};
use std::collections::BTreeSet;

/// How often the analysis is repeated before everything is given up that may not hold.
const PASSES: usize = 24;

/// What lanes have in common. `None` in its place: nothing is known yet, or nothing is ever computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The same in all lanes.
    Uniform,
    /// An `Int` that grows by this with each lane, wrapping.
    Affine(i32),
    /// The smaller of an [`Affine`](Shape::Affine) index and a uniform last index.
    Clamped(i32),
    /// Anything.
    Varying,
}

impl Shape {
    /// What holds for a value that is one of these two.
    fn join(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (None, other) | (other, None) => other,
            (Some(a), Some(b)) if a == b && !matches!(a, Self::Clamped(_)) => Some(a),
            _ => Some(Self::Varying),
        }
    }
}

/// The answers.
#[derive(Debug)]
pub(super) struct Shapes {
    lanes: u32,
    values: Vec<Option<Shape>>,
    variables: Vec<Option<Shape>>,
    /// Upper bounds of `Int`s, of all lanes.
    bounds: Vec<u32>,
    constants: Vec<Option<u32>>,
    /// Values that all invocations of a workgroup have in common.
    shared_values: Vec<bool>,
    shared_variables: Vec<bool>,
    /// Of each block: whether an `If` or `Switch` on something that varies leads into it.
    by_condition: Vec<bool>,
    /// Of each block: whether lanes that leave it early wait for others at its end.
    by_leave: Vec<bool>,
    /// Of each block: whether the jump at its end only clears the mask.
    masked_jump: Vec<bool>,
    /// Of each block: whether the workgroup runs it statement by statement.
    collective: Vec<bool>,
    /// Of each block: the smallest depth of the labels that its masked jumps name.
    escapes: Vec<u32>,
    /// Writes of variables that must not reach inactive lanes.
    blended: BTreeSet<(u32, BlockId)>,
}

impl Shapes {
    /// Analyzes a kernel, for gangs of so many lanes.
    pub(super) fn new(kernel: &Lowered, flow: &Flow<'_>, lanes: u32) -> Self {
        let blocks = flow.blocks.len();
        let mut shapes = Self {
            lanes,
            values: vec![None; kernel.values.len()],
            variables: vec![None; kernel.variables.len()],
            bounds: vec![u32::MAX; kernel.values.len()],
            constants: vec![None; kernel.values.len()],
            shared_values: vec![false; kernel.values.len()],
            shared_variables: vec![flow.block(super::flow::ROOT).has_barrier; kernel.variables.len()],
            by_condition: vec![false; blocks],
            by_leave: vec![false; blocks],
            masked_jump: vec![false; blocks],
            collective: vec![false; blocks],
            escapes: vec![u32::MAX; blocks],
            blended: BTreeSet::new(),
        };
        let variables = variables::Variables::new(kernel, flow);
        let written = written_buffers(kernel, flow);
        shapes.start_variables(&variables);
        // Before values ask for it: what no pass has taken back yet holds.
        shapes.find_collective(flow);
        let mut passes = 0;
        loop {
            let mut changed = shapes.pass_values(kernel, flow, &written);
            changed |= shapes.pass_flags(flow);
            changed |= shapes.pass_variables(flow, &variables);
            passes += 1;
            if !changed {
                break;
            }
            if passes == PASSES {
                shapes.give_up(flow);
            }
        }
        shapes.find_escapes(flow);
        shapes
    }

    /// Takes back everything that another pass could take back. What is left depends on nothing that changes.
    fn give_up(&mut self, flow: &Flow<'_>) {
        self.variables.fill(Some(Shape::Varying));
        self.shared_variables.fill(false);
        self.masked_jump.fill(true);
        self.by_leave.fill(true);
        self.blended.extend(flow.accesses.iter().filter(|a| a.written.is_some()).map(|a| (a.variable.0, a.block)));
    }

    /// What is known of a value.
    pub(super) fn of(&self, value: Value) -> Shape {
        self.values[value.0 as usize].unwrap_or(Shape::Uniform)
    }

    /// What is known of a variable.
    pub(super) fn of_variable(&self, variable: Variable) -> Shape {
        self.variables[variable.0 as usize].unwrap_or(Shape::Uniform)
    }

    /// The value, if it is a constant.
    pub(super) fn constant(&self, value: Value) -> Option<u32> {
        self.constants[value.0 as usize]
    }

    /// Whether an index is never larger than the last.
    pub(super) fn is_inside(&self, index: Value, last: Value) -> bool {
        self.constant(last).is_some_and(|last| self.bounds[index.0 as usize] <= last)
    }

    /// Whether the whole workgroup has this value in common.
    pub(super) fn is_shared(&self, value: Value) -> bool {
        self.shared_values[value.0 as usize]
    }

    /// Whether the whole workgroup has this variable in common.
    pub(super) fn is_shared_variable(&self, variable: Variable) -> bool {
        self.shared_variables[variable.0 as usize]
    }

    /// Whether some lanes may be inactive in this block that are active around it.
    pub(super) fn is_divergent(&self, block: BlockId) -> bool {
        self.by_condition[block.0] || self.by_leave[block.0]
    }

    /// Whether lanes that leave this block early wait at its end; of a loop's shell and body as well.
    pub(super) fn waits(&self, block: BlockId) -> bool {
        self.by_leave[block.0]
    }

    /// Whether the jump at the end of a block only clears the mask.
    pub(super) fn is_masked_jump(&self, block: BlockId) -> bool {
        self.masked_jump[block.0]
    }

    /// Whether the workgroup runs a block statement by statement.
    pub(super) fn is_collective(&self, block: BlockId) -> bool {
        self.collective[block.0]
    }

    /// Whether lanes may vanish in a block that is inside `labels` labels, to appear outside of some of them.
    pub(super) fn escapes(&self, block: BlockId, labels: u32) -> bool {
        self.escapes[block.0] <= labels
    }

    /// Whether a write in this block must not reach inactive lanes.
    pub(super) fn is_blended(&self, variable: Variable, block: BlockId) -> bool {
        self.blended.contains(&(variable.0, block))
    }

    /// What the offset of a place has in common, in bytes. Clamped indices count as what they are before.
    pub(super) fn of_place(&self, place: &Place) -> Option<Shape> {
        let mut step = 0i32;
        let mut clamped = false;
        for term in &place.terms {
            match self.values[term.index.0 as usize]? {
                Shape::Uniform => {}
                Shape::Affine(more) => step = step.wrapping_add(more.wrapping_mul(term.stride.cast_signed())),
                Shape::Clamped(more) => {
                    step = step.wrapping_add(more.wrapping_mul(term.stride.cast_signed()));
                    clamped = true;
                }
                Shape::Varying => return Some(Shape::Varying),
            }
        }
        Some(match (clamped, step) {
            (true, _) => Shape::Clamped(step),
            (false, 0) => Shape::Uniform,
            (false, _) => Shape::Affine(step),
        })
    }

    /// Whether inactive lanes must be kept from counting the iterations of the loop with this shell, since they may
    /// have loops of their own to run afterwards.
    pub(super) fn counts_lanes(&self, flow: &Flow<'_>, shell: BlockId) -> bool {
        flow.path(shell).filter(|block| self.is_divergent(*block)).any(|block| {
            flow.last_loop.is_some_and(|last| last > flow.block(block).end)
                || flow.path(block).skip(1).any(|outer| flow.block(outer).role == Role::Shell)
        })
    }
}

/// Of each binding: whether the kernel may write it.
fn written_buffers(kernel: &Lowered, flow: &Flow<'_>) -> Vec<bool> {
    use samebit_wgsl::lowered::Stmt;
    let mut written = vec![false; kernel.interface.bindings.len()];
    for node in flow.blocks.iter().flat_map(|block| &block.nodes) {
        if let Node::Plain(Stmt::Store { place, .. } | Stmt::Atomic { place, .. }) = node
            && let Memory::Buffer(binding) = place.memory
        {
            written[binding as usize] = true;
        }
    }
    written
}
