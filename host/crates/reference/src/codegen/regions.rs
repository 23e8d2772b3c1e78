//! A workgroup: gang after gang, or, between barriers, region after region.

use super::emit::{Emitter, Mask};
use super::flow::{BlockId, Node, ROOT};
use super::function::{Target, word};
use super::operand::{Held, Lanes};
use super::plan::Region;
use super::shapes::{Shape, operands};
use samebit_wgsl::lowered::{Type, Value, Variable};
use wasm_encoder::ValType;

/// What the code of a workgroup keeps track of.
#[derive(Debug, Default)]
pub(super) struct Workgroup {
    /// Counts iterations of the workgroup's loops that gangs have not been charged for.
    pub owed: Option<u32>,
    /// Where to go if no lane is active: the ends of the statements around.
    pub ends: Vec<Target>,
}

impl Emitter<'_> {
    /// Runs one workgroup.
    pub(super) fn run_workgroup(&mut self) {
        if self.plan.is_some() {
            return self.run_collectively();
        }
        self.for_gangs(|this| {
            this.zero(this.places.gang, 0, this.layout.arrays_bytes);
            for index in 0..this.kernel.variables.len() {
                this.zero_variable(Variable(index as u32));
            }
            this.start_budget();
            let mut mask = this.entry_mask();
            this.block(ROOT, &mut mask);
            if let Mask::Local(mask) = mask {
                this.f.release(mask);
            }
        });
    }

    fn zero_variable(&mut self, variable: Variable) {
        let local = self.variable(variable);
        self.push_zero(variable);
        self.f.set(local);
    }

    /// Repeats what `each` generates for each gang.
    pub(super) fn for_gangs(&mut self, each: impl FnOnce(&mut Self)) {
        let (index, gang, first) = (self.places.index, self.places.gang, self.layout.gangs);
        self.f.i32(0);
        self.f.set(index);
        self.f.ins().local_get(self.places.scratch).i32_const(first.cast_signed()).i32_add().local_set(gang);
        let head = self.f.loop_();
        each(self);
        if self.plan.is_some() {
            self.f.ins().local_get(gang).i32_const(self.layout.gang_bytes.cast_signed()).i32_add().local_set(gang);
        }
        self.f.ins().local_get(index).i32_const(4).i32_add().local_tee(index);
        self.f.i32(self.layout.invocations);
        self.f.ins().i32_lt_u();
        self.f.br_if(head);
        self.f.end();
    }

    /// Which lanes of a gang exist.
    fn entry_mask(&mut self) -> Mask {
        if !self.layout.is_partial() {
            return Mask::All;
        }
        self.f.push(Lanes::Affine(self.places.index, 1));
        self.f.splat_const(self.layout.invocations);
        self.f.ins().i32x4_lt_u();
        Mask::Local(self.f.keep(ValType::V128))
    }

    /// Fills memory with zeros.
    pub(super) fn zero(&mut self, base: u32, offset: u32, bytes: u32) {
        if bytes == 0 {
            return;
        }
        if bytes <= 256 {
            for part in (0..bytes).step_by(16) {
                self.f.get(base);
                self.f.splat_const(0);
                self.f.ins().v128_store(word(offset + part));
            }
            return;
        }
        self.f.ins().local_get(base).i32_const(offset.cast_signed()).i32_add().i32_const(0);
        self.f.i32(bytes);
        self.f.ins().memory_fill(0);
    }

    /// Sets what gangs keep, runs the body, and charges what is owed at last.
    fn run_collectively(&mut self) {
        let Some(plan) = self.plan else { return };
        self.for_gangs(|this| {
            this.zero(this.places.gang, 0, this.layout.gang_bytes);
            if let Some(slot) = plan.mask {
                this.f.get(this.places.gang);
                match this.entry_mask() {
                    Mask::All => this.f.splat_const(u32::MAX),
                    Mask::Local(mask) => {
                        this.f.get(mask);
                        this.f.release(mask);
                    }
                }
                this.f.ins().v128_store(word(slot));
            }
            this.start_budget();
            this.save_budget();
        });
        if let Some(owed) = self.workgroup.owed {
            self.f.i32(0);
            self.f.set(owed);
        }
        for index in 0..self.kernel.variables.len() {
            if self.shapes.is_shared_variable(Variable(index as u32)) {
                self.zero_variable(Variable(index as u32));
            }
        }
        let end = self.f.block();
        self.workgroup.ends = vec![end];
        self.collective_block(ROOT);
        self.f.end();
        if self.workgroup.owed.is_some() {
            self.charge_gangs();
        }
    }

    /// Lets gangs pay what is owed.
    pub(super) fn charge_gangs(&mut self) {
        self.region(ROOT, &Region::default());
    }

    fn load_budget(&mut self) {
        let (Some(budget), Some(slot)) = (self.budget, self.plan.and_then(|plan| plan.budget)) else { return };
        let gang = self.places.gang;
        self.f.ins().local_get(gang).i32_load(word(slot)).local_set(budget.left);
        self.f.ins().local_get(gang).i32_load(word(slot + 4)).local_set(budget.granted);
        if let Some(skipped) = budget.skipped {
            self.f.ins().local_get(gang).v128_load(word(slot + 16)).local_set(skipped);
        }
    }

    fn save_budget(&mut self) {
        let (Some(budget), Some(slot)) = (self.budget, self.plan.and_then(|plan| plan.budget)) else { return };
        let gang = self.places.gang;
        self.f.ins().local_get(gang).local_get(budget.left).i32_store(word(slot));
        self.f.ins().local_get(gang).local_get(budget.granted).i32_store(word(slot + 4));
        if let Some(skipped) = budget.skipped {
            self.f.ins().local_get(gang).local_get(skipped).v128_store(word(slot + 16));
        }
    }

    /// The lanes that are active in a gang, in a local of its own if not all are.
    pub(super) fn gang_mask(&mut self) -> Mask {
        match self.plan.and_then(|plan| plan.mask) {
            None => self.entry_mask(),
            Some(slot) => {
                self.f.ins().local_get(self.places.gang).v128_load(word(slot));
                Mask::Local(self.f.keep(ValType::V128))
            }
        }
    }

    /// Runs statements for one gang after the other.
    pub(super) fn region(&mut self, id: BlockId, region: &Region) {
        let Some(plan) = self.plan else { return };
        let any = (plan.mask.is_some() && !region.jumps.is_empty()).then(|| {
            self.f.i32(0);
            self.f.keep(ValType::I32)
        });
        self.for_gangs(|this| {
            let skip = this.f.block();
            let mut mask = this.gang_mask();
            if let (Some(_), Mask::Local(mask)) = (plan.mask, mask) {
                this.f.ins().local_get(mask).v128_any_true().i32_eqz();
                this.f.br_if(skip);
            }
            this.load_budget();
            if let Some(owed) = this.workgroup.owed {
                this.f.get(owed);
                this.charge(mask, plan.mask.is_some());
            }
            this.open_frame();
            this.enter_region(region);
            this.some_nodes(id, &region.nodes, &mut mask);
            this.leave_region(region);
            this.close_frame();
            this.save_budget();
            if let Mask::Local(mask) = mask {
                if let (Some(slot), Some(any)) = (plan.mask, any) {
                    this.f.ins().local_get(this.places.gang).local_get(mask).v128_store(word(slot));
                    this.f.ins().local_get(any).local_get(mask).v128_any_true().i32_or().local_set(any);
                }
                this.f.release(mask);
            }
            this.f.end();
        });
        if let Some(owed) = self.workgroup.owed {
            self.f.i32(0);
            self.f.set(owed);
        }
        if let (Some(any), Some(end)) = (any, self.workgroup.ends.last().copied()) {
            self.f.ins().local_get(any).i32_eqz();
            self.f.br_if(end);
            self.f.release(any);
        }
    }

    fn enter_region(&mut self, region: &Region) {
        let Some(plan) = self.plan else { return };
        for value in &region.needs {
            self.ensure(*value);
        }
        for variable in region.variables.keys() {
            if let Some(slot) = plan.variables.get(variable) {
                let local = self.variable(*variable);
                self.f.get(self.places.gang);
                match (self.shapes.of_variable(*variable), self.kernel.variables[variable.0 as usize]) {
                    (Shape::Clamped(_) | Shape::Varying, _) => self.f.ins().v128_load(word(*slot)),
                    (_, Type::Float) => self.f.ins().f32_load(word(*slot)),
                    _ => self.f.ins().i32_load(word(*slot)),
                };
                self.f.set(local);
            } else {
                self.zero_variable(*variable);
            }
        }
        for (label, is_continue) in &region.jumps {
            if let (Some(slot), Some(exit)) = (plan.labels.get(&(*label, *is_continue)), self.exits.get(&label.0)) {
                let mut exit = *exit;
                self.f.ins().local_get(self.places.gang).v128_load(word(*slot));
                let local = self.f.keep(ValType::V128);
                *(if *is_continue { &mut exit.waiting } else { &mut exit.left }) = Some(local);
                self.exits.insert(label.0, exit);
            }
        }
    }

    fn leave_region(&mut self, region: &Region) {
        let Some(plan) = self.plan else { return };
        for (variable, _) in region.variables.iter().filter(|(_, written)| **written) {
            let Some(slot) = plan.variables.get(variable) else { continue };
            let local = self.variable(*variable);
            self.f.ins().local_get(self.places.gang).local_get(local);
            match (self.shapes.of_variable(*variable), self.kernel.variables[variable.0 as usize]) {
                (Shape::Clamped(_) | Shape::Varying, _) => self.f.ins().v128_store(word(*slot)),
                (_, Type::Float) => self.f.ins().f32_store(word(*slot)),
                _ => self.f.ins().i32_store(word(*slot)),
            };
        }
        for (label, is_continue) in &region.jumps {
            let (Some(slot), Some(exit)) = (plan.labels.get(&(*label, *is_continue)), self.exits.get_mut(&label.0))
            else {
                continue;
            };
            let local = if *is_continue { exit.waiting.take() } else { exit.left.take() };
            if let Some(local) = local {
                self.f.ins().local_get(self.places.gang).local_get(local).v128_store(word(*slot));
                self.f.release(local);
            }
        }
    }

    /// Keeps what a statement defined, for other regions.
    pub(super) fn save_defined(&mut self, node: &Node<'_>) {
        let (Some(plan), Node::Plain(stmt)) = (self.plan, node) else { return };
        super::plan::defined_by(stmt, |value| {
            let Some(&slot) = plan.values.get(&value) else { return };
            if !self.is_held(value) {
                return;
            }
            self.f.get(self.places.gang);
            match (self.held(value), self.type_of(value)) {
                (Held::Lanes(Lanes::Clamped { base, last, ok, .. }), _) => {
                    self.f.ins().local_get(base).i32_store(word(slot));
                    self.f.ins().local_get(self.places.gang).local_get(last).i32_store(word(slot + 4));
                    self.f.ins().local_get(self.places.gang).local_get(ok).i32_store(word(slot + 8));
                }
                _ if self.shapes.of(value) == Shape::Varying => {
                    self.push_lanes(value);
                    self.f.ins().v128_store(word(slot));
                }
                (_, ty) => {
                    self.push_scalar(value);
                    match ty {
                        Type::Float => self.f.ins().f32_store(word(slot)),
                        _ => self.f.ins().i32_store(word(slot)),
                    };
                }
            }
        });
    }

    /// Has a value at hand that another region computed: computes it again, or loads it.
    fn ensure(&mut self, value: Value) {
        let Some(plan) = self.plan else { return };
        if self.is_held(value) {
            return;
        }
        if let Some(op) = plan.repeated.get(&value) {
            operands(op).into_iter().for_each(|operand| self.ensure(operand));
            return self.let_(value, op);
        }
        let Some(&slot) = plan.values.get(&value) else { return };
        let gang = self.places.gang;
        match (self.shapes.of(value), self.type_of(value)) {
            (Shape::Clamped(step), _) => {
                let [base, last, ok] = [0, 4, 8].map(|more| {
                    self.f.ins().local_get(gang).i32_load(word(slot + more));
                    self.f.keep(ValType::I32)
                });
                return self.define(value, Held::Lanes(Lanes::Clamped { base, step, last, ok }));
            }
            (Shape::Varying, _) => self.f.ins().local_get(gang).v128_load(word(slot)),
            (_, Type::Float) => self.f.ins().local_get(gang).f32_load(word(slot)),
            _ => self.f.ins().local_get(gang).i32_load(word(slot)),
        };
        self.define_popped(value);
    }

    /// Pushes a value that all active invocations agree on: a scalar.
    pub(super) fn push_collective(&mut self, value: Value) {
        if self.shapes.of(value) == Shape::Uniform && (self.is_held(value) || self.shapes.is_shared(value)) {
            return self.push_scalar(value);
        }
        self.f.splat_const(0);
        let all = self.f.keep(ValType::V128);
        self.for_gangs(|this| {
            let mask = this.gang_mask();
            this.open_frame();
            this.ensure(value);
            this.f.get(all);
            this.push_lanes(value);
            if let Mask::Local(mask) = mask {
                this.f.ins().local_get(mask).v128_and();
                this.f.release(mask);
            }
            this.f.ins().v128_or().local_set(all);
            this.close_frame();
        });
        if self.type_of(value) == Type::Bool {
            self.f.ins().local_get(all).v128_any_true();
        } else {
            for lane in 0..4 {
                self.f.ins().local_get(all).i32x4_extract_lane(lane);
                if lane > 0 {
                    self.f.ins().i32_or();
                }
            }
        }
        self.f.release(all);
    }
}
