//! Whether all invocations of a workgroup reach each barrier together.
//!
//! This follows WGSL's own section "Uniformity": a graph says which conditions, values and variables depend on which,
//! and what may differ between invocations spreads in it. It starts from `local_invocation_id`, `local_invocation_index`
//! and `global_invocation_id` (unless lowering knows them to be the same, along an axis of size 1), from memory that may
//! be written, and from what atomic operations give back. A variable is looked at anew after each assignment. What follows a `return`, `break` or
//! `continue` that only some invocations take is reached by only some, until the function, loop or `switch` ends.
//!
//! An array that is indexed by a variable counts as one cell, which once it differs stays so.

use std::collections::BTreeMap;

use super::flow::{Changes, Flow, Mark};
use super::graph::{Cause, Graph, Node};
use super::{Work, modified, operands, place, refusal};
use crate::lowered::{At, Block, Builtin, Label, Lowered, Memory, Op, Place, Stmt, Value, Variable};
use crate::{BindingKind, Refusal, RefusalReason};

/// Refuses a barrier that only some of a workgroup's invocations may reach.
pub(super) fn check(kernel: &Lowered, text: &str) -> Result<(), Refusal> {
    let mut has_barrier = false;
    operands::visit(&kernel.body, &mut |stmt| has_barrier |= matches!(stmt, Stmt::Barrier(_)));
    if !has_barrier {
        return Ok(());
    }
    let mut work = Work::default();
    let modified = modified::by_loops(&kernel.body, &mut work)?;
    let mut graph = Graph::new(kernel.values.len());
    let start = graph.node(&[]);
    let mut walk = Walk {
        kernel,
        flow: Flow::new(kernel.variables.len(), start),
        arrays: kernel.arrays.iter().map(|_| graph.node(&[])).collect(),
        graph,
        control: start,
        is_live: true,
        frames: Vec::new(),
        escapes: Vec::new(),
        modified,
        barriers: Vec::new(),
        work,
    };
    walk.block(&kernel.body)?;
    walk.work.take(walk.graph.size())?;
    let causes = walk.graph.solve();
    for (control, at) in walk.barriers {
        if let Some(cause) = causes[control.0 as usize] {
            return Err(refuse(text, at, cause));
        }
    }
    Ok(())
}

fn refuse(text: &str, at: At, cause: Cause) -> Refusal {
    let on = match cause {
        Cause::Id => "on which invocation it is (`local_invocation_id` and its kin)".to_owned(),
        Cause::Read(read) => format!("on what is read{} from memory that may be written", place(text, read)),
        Cause::Atomic(atomic) => format!("on what an atomic operation gives back{}", place(text, atomic)),
    };
    let what = format!("only some invocations of a workgroup may reach this barrier: it depends {on}");
    let todo = "move the barrier out of the `if` or loop, or before the `return`, or make the condition the same for the \
                whole workgroup: from constants, `workgroup_id`, a read-only buffer, or `workgroupUniformLoad`";
    refusal(RefusalReason::Invalid, text, at, &what, todo)
}

/// Something that a statement inside may end.
struct Frame {
    label: Label,
    /// Whether it is the body of a loop, which `Continue` ends.
    is_body: bool,
    /// What variables held when it began.
    mark: Mark,
    /// What changed on each way to its end.
    ways: Vec<Changes>,
    /// What decides which way is taken.
    which: Vec<Node>,
}

struct Walk<'k> {
    kernel: &'k Lowered,
    graph: Graph,
    flow: Flow,
    arrays: Vec<Node>,
    /// Whether this point is reached.
    control: Node,
    /// False behind a `Leave` or `Continue`.
    is_live: bool,
    frames: Vec<Frame>,
    /// The frames that have been ended early inside the current statement, by number, and whether that point was reached.
    escapes: Vec<(usize, Node)>,
    /// Which variables each loop modifies.
    modified: BTreeMap<Label, Vec<Variable>>,
    barriers: Vec<(Node, At)>,
    work: Work,
}

impl Walk<'_> {
    fn block(&mut self, block: &Block) -> Result<(), Refusal> {
        for stmt in block {
            if !self.is_live {
                break;
            }
            self.work.take(1)?;
            self.stmt(stmt)?;
        }
        Ok(())
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<(), Refusal> {
        match stmt {
            Stmt::Let(value, op) => self.compute(*value, op),
            Stmt::Get(value, variable) => self.graph.depend(self.flow.get(*variable), node(*value)),
            Stmt::Set(variable, value) => self.flow.set(*variable, node(*value)),
            Stmt::Load { first, count, place, is_uniform: false } => {
                (0..u32::from(*count)).for_each(|i| self.load(Value(first.0 + i), place));
            }
            Stmt::Load { .. } => {}
            Stmt::Store { place, values } => self.store(place, values),
            Stmt::Atomic { result: Some(result), place, .. } => {
                self.graph.source(node(*result), Cause::Atomic(place.at));
            }
            Stmt::Atomic { .. } => {}
            Stmt::Barrier(at) => self.barriers.push((self.control, *at)),
            Stmt::Leave(label) => self.escape(*label, false)?,
            Stmt::Continue(label) => self.escape(*label, true)?,
            Stmt::If { condition, accept, reject } => self.branch(*condition, &[accept, reject], None)?,
            Stmt::Switch { label, selector, cases, default } => {
                let mut bodies: Vec<&Block> = cases.iter().map(|case| &case.body).collect();
                bodies.push(default);
                self.branch(*selector, &bodies, Some(*label))?;
            }
            Stmt::Scope { label, body } => self.scope(*label, body)?,
            Stmt::Loop { label, body, continuing, break_if, .. } => {
                self.repeat(*label, body, continuing, *break_if)?;
            }
        }
        Ok(())
    }

    fn compute(&mut self, value: Value, op: &Op) {
        if let Op::Builtin(Builtin::LocalId(_) | Builtin::LocalIndex | Builtin::GlobalId(_)) = op {
            self.graph.source(node(value), Cause::Id);
        }
        operands::of_op(op, |operand| self.graph.depend(node(operand), node(value)));
    }

    fn load(&mut self, value: Value, place: &Place) {
        match place.memory {
            Memory::Buffer(index) if self.is_constant(index) => {}
            Memory::Buffer(_) | Memory::Workgroup => self.graph.source(node(value), Cause::Read(place.at)),
            Memory::Array(array) => self.graph.depend(self.arrays[array.0 as usize], node(value)),
        }
        operands::of_place(place, |index| self.graph.depend(node(index), node(value)));
    }

    fn store(&mut self, place: &Place, values: &[Value]) {
        let Memory::Array(array) = place.memory else { return };
        let array = self.arrays[array.0 as usize];
        self.graph.depend(self.control, array);
        operands::of_place(place, |index| self.graph.depend(node(index), array));
        values.iter().for_each(|value| self.graph.depend(node(*value), array));
    }

    /// Whether no invocation can write to a binding.
    fn is_constant(&self, binding: u32) -> bool {
        self.kernel.interface.bindings.get(binding as usize).is_some_and(|binding| match binding.kind {
            BindingKind::Uniform => true,
            BindingKind::Storage { writable } => !writable,
        })
    }

    /// Ends the frame of a label early.
    fn escape(&mut self, label: Label, is_body: bool) -> Result<(), Refusal> {
        let found = self.frames.iter().rposition(|frame| frame.label == label && frame.is_body == is_body);
        let Some(index) = found else { return Ok(()) };
        self.work.take(self.frames.len() - index)?;
        let changes = self.flow.changes(self.frames[index].mark, &mut self.work)?;
        self.frames[index].ways.push(changes);
        self.frames[index].which.push(self.control);
        self.escapes.push((index, self.control));
        self.is_live = false;
        Ok(())
    }

    fn enter(&mut self, label: Label, is_body: bool) {
        self.frames.push(Frame { label, is_body, mark: self.flow.mark(), ways: Vec::new(), which: Vec::new() });
    }

    /// Goes on behind the innermost frame: where all ways to its end come together.
    fn exit(&mut self, also: &[Node]) -> Result<(), Refusal> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        self.flow.undo(frame.mark);
        self.is_live = !frame.ways.is_empty();
        self.work.take(frame.which.len())?;
        let which = self.graph.node(&frame.which);
        also.iter().for_each(|node| self.graph.depend(*node, which));
        self.flow.join(&mut self.graph, frame.ways, which, &mut self.work)
    }

    /// Takes the way that ends here to the end of the innermost frame, if anything gets here.
    fn arrive(&mut self, mark: Mark) -> Result<(), Refusal> {
        if self.is_live {
            let changes = self.flow.changes(mark, &mut self.work)?;
            if let Some(frame) = self.frames.last_mut() {
                frame.ways.push(changes);
            }
        }
        Ok(())
    }

    /// Whether what follows a statement is reached: as before it, if nothing inside ended a frame around it early.
    fn resume(&mut self, before: Node, escapes: usize) -> Result<(), Refusal> {
        let depth = self.frames.len();
        let mut left: Vec<_> = self.escapes.drain(escapes..).filter(|(index, _)| *index < depth).collect();
        self.control = before;
        if left.is_empty() {
            return Ok(());
        }
        self.work.take(left.len())?;
        self.control = self.graph.node(&[before]);
        left.sort_unstable();
        for of_one in left.chunk_by(|a, b| a.0 == b.0) {
            let merged = match of_one {
                [(_, one)] => *one,
                many => self.graph.node(&many.iter().map(|(_, node)| *node).collect::<Vec<_>>()),
            };
            self.graph.depend(merged, self.control);
            self.escapes.push((of_one[0].0, merged));
        }
        Ok(())
    }

    /// `if`, or `switch` with its label: one of several blocks.
    fn branch(&mut self, condition: Value, blocks: &[&Block], label: Option<Label>) -> Result<(), Refusal> {
        let (before, escapes) = (self.control, self.escapes.len());
        let inside = self.graph.node(&[before, node(condition)]);
        // No statement leaves an `if`, so any label will do that no statement names.
        self.enter(label.unwrap_or(Label(u32::MAX)), false);
        let mark = self.flow.mark();
        for block in blocks {
            self.control = inside;
            self.is_live = true;
            self.block(block)?;
            self.arrive(mark)?;
            self.flow.undo(mark);
        }
        self.exit(&[node(condition)])?;
        self.resume(before, escapes)
    }

    fn scope(&mut self, label: Label, body: &Block) -> Result<(), Refusal> {
        let (before, escapes) = (self.control, self.escapes.len());
        self.enter(label, false);
        let mark = self.flow.mark();
        self.block(body)?;
        self.arrive(mark)?;
        self.exit(&[])?;
        self.resume(before, escapes)
    }

    fn repeat(
        &mut self,
        label: Label,
        body: &Block,
        continuing: &Block,
        break_if: Option<Value>,
    ) -> Result<(), Refusal> {
        let (before, escapes) = (self.control, self.escapes.len());
        let modified = self.modified.remove(&label).unwrap_or_default();
        self.work.take(modified.len())?;
        let heads: Changes =
            modified.iter().map(|variable| (*variable, self.graph.node(&[self.flow.get(*variable)]))).collect();
        heads.iter().for_each(|(variable, head)| self.flow.set(*variable, *head));
        // Whether an iteration begins.
        let again = self.graph.node(&[before]);
        let mark = self.flow.mark();
        self.enter(label, false);
        self.enter(label, true);
        self.control = again;
        self.block(body)?;
        self.arrive(mark)?;
        self.exit(&[])?;
        self.resume(again, escapes)?;
        self.block(continuing)?;
        if self.is_live {
            if let Some(condition) = break_if {
                self.graph.depend(node(condition), again);
                self.arrive(mark)?;
            }
            heads.iter().for_each(|(variable, head)| self.graph.depend(self.flow.get(*variable), *head));
        }
        for (_, escape) in &self.escapes[escapes..] {
            self.graph.depend(*escape, again);
        }
        // Each invocation leaves after an iteration of its own, so even a variable that is the same in each iteration
        // differs behind a loop whose iterations begin for only some.
        self.exit(&[again])?;
        for variable in modified {
            let behind = self.graph.node(&[self.flow.get(variable), again]);
            self.flow.set(variable, behind);
        }
        self.resume(before, escapes)
    }
}

fn node(value: Value) -> Node {
    Node(value.0)
}
