//! A workgroup: gang after gang, or, between barriers, region after region.

use super::emit::{Emitter, Mask};
use super::flow::{BlockId, ROOT};
use super::function::{Target, word};
use super::operand::{Lanes, Scalar};
use super::plan::Region;
use super::shapes::Shape;
use super::variable::Home;
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
            this.zero(this.places.gang, 0, this.layout.gang_bytes);
            for index in 0..this.kernel.variables.len() {
                this.zero_variable(Variable(index as u32));
            }
            this.start_budget();
            let mut mask = this.entry_mask();
            this.block(ROOT, &mut mask);
            if let Mask::Lanes(mask) = mask {
                this.f.release_vector(mask);
            }
        });
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
        self.f.ins().local_get(index).i32_const(self.layout.lanes.cast_signed()).i32_add().local_tee(index);
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
        let (index, invocations) = (self.places.index, self.layout.invocations);
        Mask::Lanes(self.f.each(|f| {
            f.push(Lanes::Affine(index, 1));
            f.splat_const(invocations);
            f.ins().i32x4_lt_u();
        }))
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
                match this.entry_mask() {
                    Mask::All => this.for_parts(|this| this.store_slot(slot, |f| f.splat_const(u32::MAX))),
                    Mask::Lanes(mask) => {
                        this.store_vector(slot, mask);
                        this.f.release_vector(mask);
                    }
                }
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

    /// The lanes that are active in a gang, in a local of its own if not all are.
    pub(super) fn gang_mask(&mut self) -> Mask {
        match self.plan.and_then(|plan| plan.mask) {
            None => self.entry_mask(),
            Some(slot) => Mask::Lanes(self.load_vector(slot)),
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
            if let (Some(_), Mask::Lanes(mask)) = (plan.mask, mask) {
                this.f.any_true(mask);
                this.f.ins().i32_eqz();
                this.f.br_if(skip);
            }
            this.load_budget();
            if let Some(owed) = this.workgroup.owed {
                this.f.get(owed);
                this.charge(mask, plan.mask.is_some());
            }
            this.open_frame();
            this.enter_region(region);
            this.some_nodes(id, &region.nodes, &mut mask, None);
            this.leave_region(region);
            this.close_frame();
            this.save_budget();
            if let Mask::Lanes(mask) = mask {
                if let (Some(slot), Some(any)) = (plan.mask, any) {
                    this.store_vector(slot, mask);
                    this.f.any_true(mask);
                    this.f.ins().local_get(any).i32_or().local_set(any);
                }
                this.f.release_vector(mask);
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
            if let Some(slot) = plan.variables.get(variable).copied() {
                match (self.variable(*variable), self.kernel.variables[variable.0 as usize]) {
                    (Home::Lanes(vector), _) => self.for_parts(|this| {
                        this.load_slot(slot);
                        this.f.set_vector(vector);
                    }),
                    (Home::Scalar(local), ty) => {
                        self.load_scalar(slot, ty);
                        self.f.set(local);
                    }
                }
            } else {
                self.zero_variable(*variable);
            }
        }
        for (label, is_continue) in &region.jumps {
            if let (Some(slot), Some(exit)) = (plan.labels.get(&(*label, *is_continue)), self.exits.get(&label.0)) {
                let (mut exit, slot) = (*exit, *slot);
                let waiting = self.load_vector(slot);
                *(if *is_continue { &mut exit.waiting } else { &mut exit.left }) = Some(waiting);
                self.exits.insert(label.0, exit);
            }
        }
    }

    fn leave_region(&mut self, region: &Region) {
        let Some(plan) = self.plan else { return };
        for (variable, _) in region.variables.iter().filter(|(_, written)| **written) {
            let Some(slot) = plan.variables.get(variable).copied() else { continue };
            match (self.variable(*variable), self.kernel.variables[variable.0 as usize]) {
                (Home::Lanes(vector), _) => self.store_vector(slot, vector),
                (Home::Scalar(local), ty) => self.store_scalar(slot, Scalar::Local(local), ty),
            }
        }
        for (label, is_continue) in &region.jumps {
            let (Some(slot), Some(exit)) = (plan.labels.get(&(*label, *is_continue)), self.exits.get_mut(&label.0))
            else {
                continue;
            };
            let (slot, waiting) = (*slot, if *is_continue { exit.waiting.take() } else { exit.left.take() });
            if let Some(waiting) = waiting {
                self.store_vector(slot, waiting);
                self.f.release_vector(waiting);
            }
        }
    }

    /// Pushes a value that all active invocations agree on: a scalar.
    pub(super) fn push_collective(&mut self, value: Value) {
        if self.shapes.of(value) == Shape::Uniform && (self.is_held(value) || self.shapes.is_shared(value)) {
            return self.push_scalar(value);
        }
        let all = self.f.each(|f| f.splat_const(0));
        self.for_gangs(|this| {
            let mask = this.gang_mask();
            this.open_frame();
            this.ensure(value);
            let lanes = this.lanes(value);
            this.f.for_parts(|f| {
                f.get_vector(all);
                f.push(lanes);
                if let Mask::Lanes(mask) = mask {
                    f.get_vector(mask);
                    f.ins().v128_and();
                }
                f.ins().v128_or();
                f.set_vector(all);
            });
            if let Mask::Lanes(mask) = mask {
                this.f.release_vector(mask);
            }
            this.close_frame();
        });
        if self.type_of(value) == Type::Bool {
            self.f.any_true(all);
        } else {
            self.f.for_parts(|f| {
                for lane in 0..4 {
                    f.get_vector(all);
                    f.ins().i32x4_extract_lane(lane);
                    if lane > 0 || f.part() > 0 {
                        f.ins().i32_or();
                    }
                }
            });
        }
        self.f.release_vector(all);
    }
}
