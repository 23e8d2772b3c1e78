//! Control flow of a whole workgroup: statements that have a barrier inside.
//!
//! All active invocations agree on conditions here. Some may have left one by one before, but then no barrier follows for
//! the others until they meet again; their gangs' masks say who is active.

use super::emit::{Emitter, Exit, Mask};
use super::flow::{BlockId, Node};
use super::function::Target;
use super::plan::Step;
use samebit_wgsl::lowered::{Label, Stmt, Value};
use wasm_encoder::ValType;

/// How many iterations gangs may owe before they are looked at.
const OWED_MAX: i32 = 1 << 16;

impl Emitter<'_> {
    /// Prepares to count the workgroup's iterations.
    pub(super) fn open_workgroup(&mut self) {
        if self.plan.is_some() {
            self.workgroup.owed = Some(self.f.local(ValType::I32));
        }
    }

    /// Runs a block as a workgroup.
    pub(super) fn collective_block(&mut self, id: BlockId) {
        self.open_frame();
        self.collective_steps(id);
        self.close_frame();
    }

    fn collective_steps(&mut self, id: BlockId) {
        let (Some(plan), flow) = (self.plan, self.flow) else { return };
        for step in plan.steps.get(&id).into_iter().flatten() {
            match step {
                Step::Shared(index) => {
                    if let Node::Plain(stmt) = &flow.block(id).nodes[*index] {
                        self.stmt(id, stmt, Mask::All);
                    }
                }
                Step::Region(number) => self.region(id, &plan.regions[*number]),
                Step::Collective(index) => self.collective_node(id, &flow.block(id).nodes[*index]),
            }
            self.sweep_frame();
        }
    }

    fn collective_node(&mut self, id: BlockId, node: &Node<'_>) {
        match node {
            Node::Plain(Stmt::Load { first, count, place, .. }) => {
                self.load(*first, *count, place);
                place.terms.iter().for_each(|term| self.spend(term.index));
            }
            Node::If { condition, accept, reject } => {
                self.push_collective(*condition);
                self.spend(*condition);
                if self.branch([*accept, *reject]) {
                    return;
                }
                self.f.if_();
                self.collective_block(*accept);
                self.f.else_();
                self.collective_block(*reject);
                self.f.end();
            }
            Node::Scope { label, body } => {
                let leave = self.f.block();
                self.open_label(*label, leave, None, leave);
                self.collective_block(*body);
                self.close_label(*label, false);
            }
            Node::Switch { label, selector, cases, default } => {
                self.push_collective(*selector);
                let selected = self.f.keep(ValType::I32);
                self.spend(*selector);
                let leave = self.f.block();
                self.open_label(*label, leave, None, leave);
                self.collective_cases(selected, cases, *default, leave);
                self.f.release(selected);
                self.close_label(*label, false);
            }
            Node::Loop { label, body, continuing, break_if, .. } => {
                self.collective_loop(*label, *body, *continuing, *break_if);
            }
            Node::Leave(label) => self.collective_jump(id, *label, false),
            Node::Continue(label) => self.collective_jump(id, *label, true),
            Node::Barrier | Node::Plain(_) => {}
        }
    }

    fn open_label(&mut self, label: Label, leave: Target, next: Option<Target>, end: Target) {
        self.exits.insert(label.0, Exit { leave, next, left: None, waiting: None });
        self.workgroup.ends.push(end);
    }

    /// Closes a label's block. Those who waited there go on with the others.
    fn close_label(&mut self, label: Label, is_continue: bool) {
        self.workgroup.ends.pop();
        self.f.end();
        if !is_continue {
            self.rejoin(label, false);
        }
    }

    /// Lets lanes go on that wait for a label. If nobody is active then, goes on to where somebody may be.
    fn rejoin(&mut self, label: Label, is_continue: bool) {
        let Some(plan) = self.plan else { return };
        let (Some(mask), Some(slot)) = (plan.mask, plan.labels.get(&(label, is_continue)).copied()) else { return };
        let any = self.f.each(|f| f.splat_const(0));
        self.for_gangs(|this| {
            let active = this.each(|this| {
                this.load_slot(mask);
                this.load_slot(slot);
                this.f.ins().v128_or();
            });
            this.for_parts(|this| {
                this.store_slot(mask, |f| f.get_vector(active));
                this.store_slot(slot, |f| f.splat_const(0));
                this.f.get_vector(any);
                this.f.get_vector(active);
                this.f.ins().v128_or();
                this.f.set_vector(any);
            });
            this.f.release_vector(active);
        });
        if let Some(end) = self.workgroup.ends.last().copied() {
            self.f.any_true(any);
            self.f.ins().i32_eqz();
            self.f.br_if(end);
        }
        self.f.release_vector(any);
    }

    /// Lets all active lanes wait for a label.
    fn wait(&mut self, label: Label, is_continue: bool) {
        let Some(plan) = self.plan else { return };
        let (Some(mask), Some(slot)) = (plan.mask, plan.labels.get(&(label, is_continue)).copied()) else { return };
        self.for_gangs(|this| {
            this.for_parts(|this| {
                this.load_slot(mask);
                this.load_slot(slot);
                this.f.ins().v128_or();
                let waiting = this.f.keep_part();
                this.store_slot(slot, |f| f.get_vector(waiting));
                this.store_slot(mask, |f| f.splat_const(0));
                this.f.release_vector(waiting);
            });
        });
    }

    fn collective_jump(&mut self, id: BlockId, label: Label, is_continue: bool) {
        let Some(exit) = self.exits.get(&label.0).copied() else { return };
        self.wait(label, is_continue);
        let tracked = self.plan.is_some_and(|plan| plan.mask.is_some());
        let target = match (tracked && self.shapes.is_masked_jump(id), is_continue) {
            (true, _) => self.workgroup.ends.last().copied().unwrap_or(exit.leave),
            (false, true) => exit.next.unwrap_or(exit.leave),
            (false, false) => exit.leave,
        };
        self.f.br(target);
    }

    fn collective_loop(&mut self, label: Label, body: BlockId, continuing: BlockId, break_if: Option<Value>) {
        let leave = self.f.block();
        let head = self.f.loop_();
        if let Some(owed) = self.workgroup.owed {
            self.f.ins().local_get(owed).i32_const(1).i32_add().local_tee(owed).i32_const(OWED_MAX).i32_gt_u();
            self.f.if_();
            self.charge_gangs();
            self.f.end();
        }
        let next = self.f.block();
        self.open_label(label, leave, Some(next), next);
        self.open_frame();
        self.collective_steps(body);
        self.close_label(label, true);
        self.workgroup.ends.push(leave);
        self.rejoin(label, true);
        self.open_frame();
        self.collective_steps(continuing);
        if let Some(condition) = break_if {
            self.push_collective(condition);
            self.spend(condition);
            self.f.if_();
            self.wait(label, false);
            self.f.br(leave);
            self.f.end();
        }
        self.f.br(head);
        self.close_frame();
        self.close_frame();
        self.f.end();
        self.workgroup.ends.pop();
        self.f.end();
        self.rejoin(label, false);
    }

    fn collective_cases(&mut self, selected: u32, cases: &[(&[u32], BlockId)], default: BlockId, leave: Target) {
        let other = self.f.block();
        let starts: Vec<_> = cases.iter().map(|_| self.f.block()).collect();
        for ((values, _), start) in cases.iter().rev().zip(&starts) {
            for value in *values {
                self.f.get(selected);
                self.f.i32(*value);
                self.f.ins().i32_eq();
                self.f.br_if(*start);
            }
        }
        self.f.br(other);
        for (_, block) in cases {
            self.f.end();
            self.collective_block(*block);
            self.f.br(leave);
        }
        self.f.end();
        self.collective_block(default);
    }
}
