//! How a workgroup with barriers is run: which statements it runs as a whole, which gang by gang, and what gangs keep in
//! between.
//!
//! Statements with a barrier inside are run once by the workgroup. Those between make regions: each is run for one gang
//! after the other. What a gang computes in one region and uses in another is kept in its slots, or computed again if
//! that is cheap.

use super::flow::{BlockId, Flow, Node};
use super::shapes::{Shape, Shapes, operands};
use super::uses;
use samebit_wgsl::lowered::{Label, Lowered, Memory, Op, Stmt, Value, Variable};
use std::collections::{BTreeMap, BTreeSet};

/// How many operations a value may take to be computed again instead of being kept.
const REPEAT_COST: u32 = 8;

/// What is run together.
#[derive(Debug)]
pub(super) enum Step {
    /// A statement whose values the whole workgroup has in common, by its number in the block.
    Shared(usize),
    /// A region, by its number.
    Region(usize),
    /// A statement that is run by the workgroup as a whole.
    Collective(usize),
}

/// Statements of one block that each gang runs without interruption.
#[derive(Debug, Default)]
pub(super) struct Region {
    pub nodes: Vec<usize>,
    /// Values from elsewhere, in the order in which they are defined.
    pub needs: BTreeSet<Value>,
    /// Variables, and whether they are written.
    pub variables: BTreeMap<Variable, bool>,
    /// Labels outside that are left, or continued (true).
    pub jumps: BTreeSet<(Label, bool)>,
    defines: BTreeSet<Value>,
    in_loop: bool,
}

/// The plan. Slots are offsets in a gang's area.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    pub steps: BTreeMap<BlockId, Vec<Step>>,
    pub regions: Vec<Region>,
    pub values: BTreeMap<Value, u32>,
    pub variables: BTreeMap<Variable, u32>,
    /// Of labels that lanes jump to one by one, where those that left (or continue: true) are kept.
    pub labels: BTreeMap<(Label, bool), u32>,
    /// Where the mask is kept, if lanes part across regions.
    pub mask: Option<u32>,
    /// Where the budget is kept, if there are loops: what is left, what was granted, and 16 bytes on, what was skipped.
    pub budget: Option<u32>,
    /// How values come about that can be computed again.
    pub repeated: BTreeMap<Value, &'a Op>,
    /// What those are computed from, which must stay at hand.
    pub operands: BTreeSet<Value>,
    /// The end of all slots.
    pub end: u32,
}

impl<'a> Plan<'a> {
    /// Plans a kernel with barriers. Slots begin at `start`.
    pub(super) fn new(kernel: &'a Lowered, flow: &'a Flow<'a>, shapes: &Shapes, start: u32) -> Self {
        let mut plan = Self { end: start, ..Self::default() };
        plan.divide(flow, shapes);
        plan.find_repeated(kernel, flow, shapes);
        plan.keep_values(kernel, flow, shapes);
        plan.keep_variables();
        plan.keep_labels(flow, shapes);
        if flow.last_loop.is_some() {
            plan.budget = Some(plan.slot(32));
        }
        plan
    }

    fn slot(&mut self, bytes: u32) -> u32 {
        self.end += bytes;
        self.end - bytes
    }

    /// Divides the statements of each collective block into steps.
    fn divide(&mut self, flow: &'a Flow<'a>, shapes: &Shapes) {
        for index in 0..flow.blocks.len() {
            let id = BlockId(index);
            if !shapes.is_collective(id) {
                continue;
            }
            let in_loop = flow.path(id).any(|id| flow.block(id).role != super::flow::Role::Plain);
            let mut steps = Vec::new();
            let mut region: Option<Region> = None;
            for (number, node) in flow.block(id).nodes.iter().enumerate() {
                if is_collective(shapes, node) {
                    self.end_region(region.take(), &mut steps);
                    steps.push(Step::Collective(number));
                } else if is_shared(shapes, node) {
                    // Comes before the region that it stands in: nothing there can change it.
                    steps.push(Step::Shared(number));
                } else {
                    let region = region.get_or_insert_with(|| Region { in_loop, ..Region::default() });
                    region.nodes.push(number);
                    region.gather(shapes, flow, id, node);
                }
            }
            self.end_region(region.take(), &mut steps);
            self.steps.insert(id, steps);
        }
    }

    fn end_region(&mut self, region: Option<Region>, steps: &mut Vec<Step>) {
        if let Some(mut region) = region {
            let defines = std::mem::take(&mut region.defines);
            region.needs.retain(|value| !defines.contains(value));
            steps.push(Step::Region(self.regions.len()));
            region.defines = defines;
            self.regions.push(region);
        }
    }

    /// Finds values that are cheap to compute from what the workgroup has in common.
    fn find_repeated(&mut self, kernel: &'a Lowered, flow: &'a Flow<'a>, shapes: &Shapes) {
        let mut costs: BTreeMap<Value, u32> = kernel.preamble.iter().map(|(value, _)| (*value, 0)).collect();
        for (index, block) in flow.blocks.iter().enumerate() {
            for node in block.nodes.iter().filter(|_| shapes.is_collective(BlockId(index))) {
                let Node::Plain(stmt) = node else { continue };
                if is_shared(shapes, node) {
                    defined_by(stmt, |value| {
                        costs.insert(value, 0);
                    });
                } else if let Stmt::Let(value, op) = stmt
                    && !matches!(op, Op::Math(..))
                {
                    let cost = operands(op)
                        .iter()
                        .try_fold(1u32, |sum, operand| Some(sum.saturating_add(*costs.get(operand)?)))
                        .filter(|cost| *cost <= REPEAT_COST);
                    if let Some(cost) = cost {
                        costs.insert(*value, cost);
                        self.repeated.insert(*value, op);
                    }
                }
            }
        }
    }

    /// Gives slots to values that are used outside of the region that defines them.
    fn keep_values(&mut self, kernel: &Lowered, flow: &Flow<'_>, shapes: &Shapes) {
        let mut needed: BTreeSet<Value> = self.regions.iter().flat_map(|region| region.needs.iter().copied()).collect();
        for (index, block) in flow.blocks.iter().enumerate() {
            for node in block.nodes.iter().filter(|_| shapes.is_collective(BlockId(index))) {
                match node {
                    Node::If { condition: value, .. }
                    | Node::Switch { selector: value, .. }
                    | Node::Loop { break_if: Some(value), .. }
                        if is_collective(shapes, node) =>
                    {
                        needed.insert(*value);
                    }
                    Node::Plain(stmt @ Stmt::Load { .. }) if is_collective(shapes, node) => {
                        uses::of_stmt(stmt, |value| {
                            needed.insert(value);
                        });
                    }
                    _ => {}
                }
            }
        }
        let defined: BTreeSet<Value> = self.regions.iter().flat_map(|region| region.defines.iter().copied()).collect();
        for value in needed {
            self.keep_operands(value);
            if defined.contains(&value) && !self.repeated.contains_key(&value) {
                let bytes = match (shapes.of(value), kernel.type_of(value)) {
                    (Shape::Uniform | Shape::Affine(_), _) => 4,
                    _ => 16,
                };
                self.end = self.end.next_multiple_of(bytes);
                let slot = self.slot(bytes);
                self.values.insert(value, slot);
            }
        }
        self.end = self.end.next_multiple_of(16);
    }

    /// Notes what a value that is computed again is computed from.
    fn keep_operands(&mut self, value: Value) {
        let Some(op) = self.repeated.get(&value) else { return };
        for operand in operands(op) {
            if self.operands.insert(operand) {
                self.keep_operands(operand);
            }
        }
    }

    /// Gives slots to variables that outlive a region.
    fn keep_variables(&mut self) {
        let mut seen: BTreeMap<Variable, bool> = BTreeMap::new();
        for region in &self.regions {
            for variable in region.variables.keys() {
                seen.entry(*variable).and_modify(|several| *several = true).or_insert(region.in_loop);
            }
        }
        for (variable, _) in seen.into_iter().filter(|(_, outlives)| *outlives) {
            let slot = self.slot(16);
            self.variables.insert(variable, slot);
        }
    }

    /// Gives slots to masks.
    fn keep_labels(&mut self, flow: &Flow<'_>, shapes: &Shapes) {
        let jumps: BTreeSet<(Label, bool)> =
            self.regions.iter().flat_map(|region| region.jumps.iter().copied()).collect();
        if jumps.is_empty() {
            return;
        }
        self.mask = Some(self.slot(16));
        // Once lanes part, every label of the workgroup has somebody who may wait at its end.
        let mut labels = Vec::new();
        for id in self.steps.keys() {
            for node in &flow.block(*id).nodes {
                match node {
                    Node::Scope { label, .. } | Node::Switch { label, .. } if is_collective(shapes, node) => {
                        labels.push((*label, false));
                    }
                    Node::Loop { label, .. } if is_collective(shapes, node) => {
                        labels.extend([(*label, false), (*label, true)]);
                    }
                    _ => {}
                }
            }
        }
        for label in labels {
            let slot = self.slot(16);
            self.labels.insert(label, slot);
        }
    }
}

/// Whether the workgroup runs a statement of a collective block as a whole.
pub(super) fn is_collective(shapes: &Shapes, node: &Node<'_>) -> bool {
    match node {
        Node::If { accept, .. } => shapes.is_collective(*accept),
        Node::Switch { default, .. } => shapes.is_collective(*default),
        Node::Scope { body, .. } => shapes.is_collective(*body),
        Node::Loop { shell, .. } => shapes.is_collective(*shell),
        Node::Leave(_) | Node::Continue(_) | Node::Barrier => true,
        // Everybody's stores come before.
        Node::Plain(Stmt::Load { first, place, .. }) => place.memory == Memory::Workgroup && shapes.is_shared(*first),
        Node::Plain(_) => false,
    }
}

/// Whether a statement of a collective block computes what the workgroup has in common.
fn is_shared(shapes: &Shapes, node: &Node<'_>) -> bool {
    match node {
        Node::Plain(Stmt::Let(value, _) | Stmt::Get(value, _) | Stmt::Load { first: value, .. }) => {
            shapes.is_shared(*value)
        }
        Node::Plain(Stmt::Set(variable, _)) => shapes.is_shared_variable(*variable),
        _ => false,
    }
}

pub(super) fn defined_by(stmt: &Stmt, mut define: impl FnMut(Value)) {
    match stmt {
        Stmt::Let(value, _) | Stmt::Get(value, _) => define(*value),
        Stmt::Load { first, count, .. } => (0..u32::from(*count)).for_each(|word| define(Value(first.0 + word))),
        Stmt::Atomic { result: Some(result), .. } => define(*result),
        _ => {}
    }
}

impl Region {
    /// Notes what a statement uses and defines, blocks included.
    fn gather(&mut self, shapes: &Shapes, flow: &Flow<'_>, block: BlockId, node: &Node<'_>) {
        let mut blocks = Vec::new();
        match node {
            Node::Plain(stmt) => {
                uses::of_stmt(stmt, |value| {
                    self.needs.insert(value);
                });
                defined_by(stmt, |value| {
                    self.defines.insert(value);
                });
                match stmt {
                    Stmt::Get(_, variable) => {
                        self.variables.entry(*variable).or_insert(false);
                    }
                    Stmt::Set(variable, _) => {
                        self.variables.insert(*variable, true);
                    }
                    _ => {}
                }
            }
            Node::If { condition, accept, reject } => {
                self.needs.insert(*condition);
                blocks.extend([*accept, *reject]);
            }
            Node::Switch { selector, cases, default, .. } => {
                self.needs.insert(*selector);
                blocks.extend(cases.iter().map(|(_, block)| *block).chain([*default]));
            }
            Node::Scope { body, .. } => blocks.push(*body),
            Node::Loop { body, continuing, break_if, .. } => {
                self.needs.extend(break_if);
                blocks.extend([*body, *continuing]);
            }
            Node::Leave(label) | Node::Continue(label) => {
                let outside = flow.label(*label).outside;
                let inner = flow.path(block).find(|id| flow.block(*id).parent == Some(outside));
                if inner.is_some_and(|inner| shapes.is_collective(inner)) {
                    self.jumps.insert((*label, matches!(node, Node::Continue(_))));
                }
            }
            Node::Barrier => {}
        }
        for block in blocks {
            for node in &flow.block(block).nodes {
                self.gather(shapes, flow, block, node);
            }
        }
    }
}
