//! Control flow of a gang: real branches where all lanes agree, masks where they do not.
//!
//! Wherever code runs, at least one lane is active: after each statement that lanes may vanish in, what follows in the
//! same block is skipped if none is left.

use super::emit::{Emitter, Exit, Mask};
use super::flow::{BlockId, Node};
use super::function::Target;
use samebit_wgsl::lowered::{Label, Stmt, Value};

impl Emitter<'_> {
    /// Generates a block. Lanes that vanish in it are taken out of `mask`.
    pub(super) fn block(&mut self, id: BlockId, mask: &mut Mask) {
        self.open_frame();
        self.nodes(id, mask);
        self.close_frame();
    }

    /// Generates the statements of a block, in a frame that is open.
    pub(super) fn nodes(&mut self, id: BlockId, mask: &mut Mask) {
        let flow = self.flow;
        let all: Vec<_> = (0..flow.block(id).nodes.len()).collect();
        self.some_nodes(id, &all, mask, None);
    }

    /// Generates some statements of a block. Where no lane is left goes on at `none`, or behind them. Returns whether lanes
    /// may have vanished in the last one.
    pub(super) fn some_nodes(&mut self, id: BlockId, numbers: &[usize], mask: &mut Mask, none: Option<Target>) -> bool {
        let flow = self.flow;
        let mut skips = 0;
        let mut vanishing = false;
        for (index, number) in numbers.iter().enumerate() {
            let node = &flow.block(id).nodes[*number];
            vanishing = self.node(id, node, mask);
            if self.shapes.is_collective(id) {
                self.save_defined(node);
            }
            self.sweep_frame();
            if let (true, true, Mask::Lanes(mask)) = (vanishing, index + 1 < numbers.len(), *mask) {
                let rest = none.unwrap_or_else(|| {
                    skips += 1;
                    self.f.block()
                });
                self.br_if_none(mask, rest);
            }
        }
        (0..skips).for_each(|_| self.f.end());
        vanishing
    }

    /// Generates a statement. Returns whether lanes may have vanished.
    fn node(&mut self, id: BlockId, node: &Node<'_>, mask: &mut Mask) -> bool {
        let labels = self.flow.block(id).labels;
        match node {
            Node::Plain(stmt) => {
                self.stmt(id, stmt, *mask);
                false
            }
            Node::If { condition, accept, reject } => {
                let escapes = self.shapes.escapes(*accept, labels) || self.shapes.escapes(*reject, labels);
                if self.shapes.is_divergent(*accept) && self.is_varying(*condition) {
                    self.if_varying(*condition, [*accept, *reject], escapes, mask);
                } else {
                    self.if_uniform(*condition, [*accept, *reject], escapes, mask);
                }
                escapes
            }
            Node::Scope { label, body } => self.with_label(*label, &[*body], labels, mask, |this, mask| {
                this.block(*body, mask);
            }),
            Node::Switch { label, selector, cases, default } => {
                let blocks: Vec<_> = cases.iter().map(|(_, block)| *block).chain([*default]).collect();
                let escapes = blocks.iter().any(|block| self.shapes.escapes(*block, labels));
                self.with_label(*label, &blocks, labels, mask, |this, mask| {
                    if this.is_varying(*selector) {
                        this.switch_varying(*selector, cases, *default, escapes, mask);
                    } else {
                        this.switch_uniform(*selector, cases, *default, mask);
                    }
                    this.spend(*selector);
                })
            }
            Node::Loop { label, shell, body, continuing, break_if } => {
                self.loop_(*label, [*shell, *body, *continuing], *break_if, labels, mask)
            }
            Node::Leave(label) => {
                self.jump(id, *label, false, mask);
                false
            }
            Node::Continue(label) => {
                self.jump(id, *label, true, mask);
                false
            }
            Node::Barrier => false,
        }
    }

    pub(super) fn is_varying(&self, value: Value) -> bool {
        self.shapes.of(value) != super::shapes::Shape::Uniform
    }

    /// Generates a statement without blocks.
    pub(super) fn stmt(&mut self, id: BlockId, stmt: &Stmt, mask: Mask) {
        match stmt {
            Stmt::Let(value, op) if self.is_used(*value) => self.let_(*value, op),
            Stmt::Get(value, variable) if self.is_used(*value) => self.get_variable(*value, *variable),
            Stmt::Set(variable, value) => self.set_variable(*variable, *value, id, mask),
            Stmt::Load { first, count, place, .. } => self.load(*first, *count, place),
            Stmt::Store { place, values } => self.store(place, values, mask),
            Stmt::Atomic { result, op, place, operand } => {
                self.atomic(result.filter(|result| self.is_used(*result)), *op, place, *operand, mask);
            }
            _ => {}
        }
        super::uses::of_stmt(stmt, |value| self.spend(value));
    }

    fn if_uniform(&mut self, condition: Value, [accept, reject]: [BlockId; 2], escapes: bool, mask: &mut Mask) {
        if let (true, Mask::All) = (escapes, *mask) {
            *mask = Mask::Lanes(self.own_mask(Mask::All));
        }
        self.push_scalar(condition);
        self.spend(condition);
        if self.branch([accept, reject]) {
            return;
        }
        self.f.if_();
        self.block(accept, &mut mask.clone());
        if !self.flow.block(reject).nodes.is_empty() {
            self.f.else_();
            self.block(reject, &mut mask.clone());
        }
        self.f.end();
    }

    fn if_varying(&mut self, condition: Value, blocks: [BlockId; 2], escapes: bool, mask: &mut Mask) {
        if self.vanish(condition, blocks, mask) {
            return;
        }
        let lanes = self.lanes(condition);
        let arms = [false, true].map(|negated| {
            self.f.each(|f| {
                if let Mask::Lanes(mask) = *mask {
                    f.get_vector(mask);
                }
                f.push(lanes);
                match (*mask, negated) {
                    (Mask::All, false) => {}
                    (Mask::All, true) => drop(f.ins().v128_not()),
                    (Mask::Lanes(_), false) => drop(f.ins().v128_and()),
                    (Mask::Lanes(_), true) => drop(f.ins().v128_andnot()),
                }
            })
        });
        self.spend(condition);
        for (block, arm) in blocks.into_iter().zip(arms) {
            if self.flow.block(block).nodes.is_empty() {
                continue;
            }
            self.f.any_true(arm);
            self.f.if_();
            self.block(block, &mut Mask::Lanes(arm));
            self.f.end();
        }
        if escapes {
            self.join_mask(arms[0], arms[1]);
            self.assign(mask, arms[0]);
        }
        arms.into_iter().for_each(|arm| self.f.release_vector(arm));
    }

    /// Generates what a label names, and lets lanes that left for its end join the others. Returns whether lanes may have
    /// vanished beyond.
    fn with_label(
        &mut self,
        label: Label,
        blocks: &[BlockId],
        labels: u32,
        mask: &mut Mask,
        body: impl FnOnce(&mut Self, &mut Mask),
    ) -> bool {
        let waits = blocks.iter().any(|block| self.shapes.waits(*block));
        let escapes = blocks.iter().any(|block| self.shapes.escapes(*block, labels));
        let left = (waits && escapes).then(|| self.zero_mask());
        let leave = self.f.block();
        self.exits.insert(label.0, Exit { leave, next: None, left, waiting: None });
        if waits {
            let inner = self.own_mask(*mask);
            body(self, &mut Mask::Lanes(inner));
            self.f.end();
            if let Some(left) = left {
                self.join_mask(left, inner);
                self.assign(mask, left);
            }
            self.f.release_vector(inner);
        } else {
            if let (true, Mask::All) = (escapes, *mask) {
                // Before what a branch may skip.
                *mask = Mask::Lanes(self.own_mask(Mask::All));
            }
            body(self, &mut mask.clone());
            self.f.end();
        }
        left.into_iter().for_each(|left| self.f.release_vector(left));
        escapes
    }
}
