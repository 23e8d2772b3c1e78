//! Control flow of a gang: real branches where all lanes agree, masks where they do not.
//!
//! Wherever code runs, at least one lane is active: after each statement that lanes may vanish in, what follows in the
//! same block is skipped if none is left.

use super::emit::{Emitter, Exit, Mask};
use super::flow::{BlockId, Node};
use super::operand::Lanes;
use samebit_wgsl::lowered::{Label, Stmt, Type, Value};
use wasm_encoder::ValType;

impl Emitter<'_> {
    /// Generates a block. Lanes that vanish in it are taken out of `mask`.
    pub(super) fn block(&mut self, id: BlockId, mask: &mut Mask) {
        self.open_frame();
        self.nodes(id, mask);
        self.close_frame();
    }

    /// Generates the statements of a block, in a frame that is open.
    fn nodes(&mut self, id: BlockId, mask: &mut Mask) {
        let flow = self.flow;
        let all: Vec<_> = (0..flow.block(id).nodes.len()).collect();
        self.some_nodes(id, &all, mask);
    }

    /// Generates some statements of a block.
    pub(super) fn some_nodes(&mut self, id: BlockId, numbers: &[usize], mask: &mut Mask) {
        let flow = self.flow;
        let mut skips = 0;
        for (index, number) in numbers.iter().enumerate() {
            let node = &flow.block(id).nodes[*number];
            let vanishing = self.node(id, node, mask);
            if self.shapes.is_collective(id) {
                self.save_defined(node);
            }
            self.sweep_frame();
            if let (true, true, Mask::Local(mask)) = (vanishing, index + 1 < numbers.len(), *mask) {
                let rest = self.f.block();
                self.f.ins().local_get(mask).v128_any_true().i32_eqz();
                self.f.br_if(rest);
                skips += 1;
            }
        }
        (0..skips).for_each(|_| self.f.end());
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

    /// A mask in a local of its own, that lanes can be taken out of.
    fn own_mask(&mut self, mask: Mask) -> u32 {
        match mask {
            Mask::All => self.f.splat_const(u32::MAX),
            Mask::Local(local) => self.f.get(local),
        }
        self.f.keep(ValType::V128)
    }

    fn if_uniform(&mut self, condition: Value, [accept, reject]: [BlockId; 2], escapes: bool, mask: &mut Mask) {
        if let (true, Mask::All) = (escapes, *mask) {
            *mask = Mask::Local(self.own_mask(Mask::All));
        }
        self.push_scalar(condition);
        self.spend(condition);
        self.f.if_();
        self.block(accept, &mut mask.clone());
        if !self.flow.block(reject).nodes.is_empty() {
            self.f.else_();
            self.block(reject, &mut mask.clone());
        }
        self.f.end();
    }

    fn if_varying(&mut self, condition: Value, blocks: [BlockId; 2], escapes: bool, mask: &mut Mask) {
        let condition_lanes = self.lanes(condition);
        let arms = [false, true].map(|negated| {
            match (*mask, negated) {
                (Mask::All, false) => self.f.push(condition_lanes),
                (Mask::All, true) => {
                    self.f.push(condition_lanes);
                    self.f.ins().v128_not();
                }
                (Mask::Local(mask), negated) => {
                    self.f.get(mask);
                    self.f.push(condition_lanes);
                    let mut ins = self.f.ins();
                    if negated {
                        ins.v128_andnot()
                    } else {
                        ins.v128_and()
                    };
                }
            }
            self.f.keep(ValType::V128)
        });
        self.spend(condition);
        for (block, arm) in blocks.into_iter().zip(arms) {
            if self.flow.block(block).nodes.is_empty() {
                continue;
            }
            self.f.ins().local_get(arm).v128_any_true();
            self.f.if_();
            self.block(block, &mut Mask::Local(arm));
            self.f.end();
        }
        if escapes {
            self.f.ins().local_get(arms[0]).local_get(arms[1]).v128_or();
            self.assign(mask);
        }
        arms.into_iter().for_each(|arm| self.f.release(arm));
    }

    /// Pops what the mask is from now on.
    fn assign(&mut self, mask: &mut Mask) {
        match *mask {
            Mask::Local(local) => self.f.set(local),
            Mask::All => *mask = Mask::Local(self.f.keep(ValType::V128)),
        }
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
            body(self, &mut Mask::Local(inner));
            self.f.end();
            if let Some(left) = left {
                self.f.ins().local_get(inner).local_get(left).v128_or();
                self.assign(mask);
            }
            self.f.release(inner);
        } else {
            if let (true, Mask::All) = (escapes, *mask) {
                // Before what a branch may skip.
                *mask = Mask::Local(self.own_mask(Mask::All));
            }
            body(self, &mut mask.clone());
            self.f.end();
        }
        left.into_iter().for_each(|left| self.f.release(left));
        escapes
    }

    fn zero_mask(&mut self) -> u32 {
        self.f.splat_const(0);
        self.f.keep(ValType::V128)
    }

    fn loop_(
        &mut self,
        label: Label,
        [shell, body, continuing]: [BlockId; 3],
        break_if: Option<Value>,
        labels: u32,
        mask: &mut Mask,
    ) -> bool {
        let escapes = self.shapes.escapes(shell, labels);
        let continues = self.shapes.waits(body);
        let vanishing = self.shapes.escapes(body, labels + 1);
        let varying = break_if.is_some_and(|condition| self.is_varying(condition));
        let owns = escapes || continues || vanishing || varying || self.shapes.waits(shell);
        let mut inner = if owns { Mask::Local(self.own_mask(*mask)) } else { *mask };
        let left = escapes.then(|| self.zero_mask());
        let waiting = continues.then(|| self.zero_mask());
        let leave = self.f.block();
        let head = self.f.loop_();
        let counts = self.shapes.counts_lanes(self.flow, shell);
        self.iteration(inner, counts);
        if let Some(waiting) = waiting {
            self.f.splat_const(0);
            self.f.set(waiting);
        }
        self.open_frame();
        let next = self.f.block();
        self.exits.insert(label.0, Exit { leave, next: Some(next), left, waiting });
        self.nodes(body, &mut inner);
        self.f.end();
        if let (true, Mask::Local(inner)) = (vanishing, inner) {
            if let Some(waiting) = waiting {
                self.f.ins().local_get(inner).local_get(waiting).v128_or().local_set(inner);
            }
            self.f.ins().local_get(inner).v128_any_true().i32_eqz();
            self.f.br_if(leave);
        }
        self.open_frame();
        self.nodes(continuing, &mut inner);
        match (break_if, inner) {
            (Some(condition), Mask::Local(inner)) if varying => {
                let condition_lanes = self.lanes(condition);
                if let Some(left) = left {
                    self.f.get(left);
                    self.f.push(condition_lanes);
                    self.f.ins().local_get(inner).v128_and().v128_or().local_set(left);
                }
                self.f.get(inner);
                self.f.push(condition_lanes);
                self.f.ins().v128_andnot().local_tee(inner).v128_any_true();
                self.f.br_if(head);
            }
            (Some(condition), inner) => {
                self.push_scalar(condition);
                if let (Mask::Local(inner), Some(left)) = (inner, left) {
                    self.f.if_();
                    self.f.ins().local_get(left).local_get(inner).v128_or().local_set(left);
                    self.f.br(leave);
                    self.f.end();
                    self.f.br(head);
                } else {
                    self.f.ins().i32_eqz();
                    self.f.br_if(head);
                }
            }
            (None, _) => self.f.br(head),
        }
        break_if.into_iter().for_each(|condition| self.spend(condition));
        self.close_frame();
        self.close_frame();
        self.f.end();
        self.f.end();
        if let Some(left) = left {
            self.f.get(left);
            self.assign(mask);
            self.f.release(left);
        }
        waiting.into_iter().for_each(|waiting| self.f.release(waiting));
        if let (true, Mask::Local(inner)) = (owns, inner) {
            self.f.release(inner);
        }
        escapes
    }

    fn jump(&mut self, id: BlockId, label: Label, is_continue: bool, mask: &mut Mask) {
        let Some(exit) = self.exits.get(&label.0).copied() else { return };
        let collect = if is_continue { exit.waiting } else { exit.left };
        if let Some(collect) = collect {
            match *mask {
                Mask::Local(mask) => {
                    self.f.ins().local_get(collect).local_get(mask).v128_or().local_set(collect);
                }
                Mask::All => {
                    self.f.splat_const(u32::MAX);
                    self.f.set(collect);
                }
            }
        }
        let masked = self.shapes.is_masked_jump(id);
        // Those who come by a branch have been collected: what is left of the mask is joined with them.
        if let (true, Mask::Local(mask)) = (masked || collect.is_some(), *mask) {
            self.f.splat_const(0);
            self.f.set(mask);
        }
        if !masked {
            self.f.br(if is_continue { exit.next.unwrap_or(exit.leave) } else { exit.leave });
        }
    }

    /// Pushes where a selector has one of these values, as lanes.
    fn push_matches(&mut self, selector: Lanes, values: &[u32]) {
        for (index, value) in values.iter().enumerate() {
            self.f.push(selector);
            self.f.splat_const(*value);
            self.f.ins().i32x4_eq();
            if index > 0 {
                self.f.ins().v128_or();
            }
        }
        if values.is_empty() {
            self.f.splat_const(0);
        }
    }

    fn switch_varying(
        &mut self,
        selector: Value,
        cases: &[(&[u32], BlockId)],
        default: BlockId,
        escapes: bool,
        mask: &mut Mask,
    ) {
        let lanes = self.lanes(selector);
        let rest = self.own_mask(*mask);
        // Who comes out of a case, if not everybody does.
        let done = escapes.then(|| self.zero_mask());
        let case = self.f.local(ValType::V128);
        for (values, block) in cases {
            self.push_matches(lanes, values);
            self.f.ins().local_get(rest).v128_and().local_set(case);
            self.f.ins().local_get(rest).local_get(case).v128_andnot().local_set(rest);
            self.arm(*block, case, done);
        }
        self.arm(default, rest, done);
        if let Some(done) = done {
            self.f.get(done);
            self.assign(mask);
            self.f.release(done);
        }
        self.f.release(rest);
        self.f.release(case);
    }

    /// One case, and who comes out of it.
    fn arm(&mut self, block: BlockId, active: u32, done: Option<u32>) {
        self.f.ins().local_get(active).v128_any_true();
        self.f.if_();
        self.block(block, &mut Mask::Local(active));
        if let Some(done) = done {
            self.f.ins().local_get(done).local_get(active).v128_or().local_set(done);
        }
        self.f.end();
    }

    fn switch_uniform(&mut self, selector: Value, cases: &[(&[u32], BlockId)], default: BlockId, mask: &mut Mask) {
        let end = self.f.block();
        let other = self.f.block();
        let starts: Vec<_> = cases.iter().map(|_| self.f.block()).collect();
        let selector = self.scalar(selector);
        for ((values, _), start) in cases.iter().rev().zip(&starts) {
            for value in *values {
                self.f.push_scalar(selector, Type::Int);
                self.f.i32(*value);
                self.f.ins().i32_eq();
                self.f.br_if(*start);
            }
        }
        self.f.br(other);
        // The innermost block ends first: starts were opened from the last case to the first.
        for (_, block) in cases {
            self.f.end();
            self.block(*block, &mut mask.clone());
            self.f.br(end);
        }
        self.f.end();
        self.block(default, &mut mask.clone());
        self.f.end();
    }
}
