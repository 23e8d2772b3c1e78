//! How many iterations of loops each invocation may begin, counted exactly, at the cost of one decrement.
//!
//! A gang counts its own iterations down, in grants: `left` is how many are left of what was `granted` so far, so
//! `granted - left` is how many the gang has begun. Lanes that were inactive in some have begun fewer; how many fewer is
//! counted in `skipped`, if it can matter. Only when a grant is used up is each lane's number looked at.

use super::emit::{Emitter, Mask};
use super::function::{Vector, word};
use super::{Status, params};
use wasm_encoder::ValType;

/// How many iterations a gang may begin before it looks for the cancel word again. A workgroup has at most 256 gangs.
const GRANT: u32 = 4096;

/// Locals that count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// The first grant.
    pub first: u32,
    pub left: u32,
    pub granted: u32,
    /// Vector: iterations of the gang that each lane was not part of.
    pub skipped: Option<Vector>,
}

impl Emitter<'_> {
    /// Prepares to count, before all workgroups.
    pub(super) fn open_budget(&mut self, counts_lanes: bool) {
        let [first, left, granted] = [(); 3].map(|()| self.f.local(ValType::I32));
        let skipped = counts_lanes.then(|| self.f.vector());
        self.push_limit();
        self.push_granted(first);
        self.f.set(first);
        self.budget = Some(Budget { first, left, granted, skipped });
    }

    /// Starts counting, for a gang.
    pub(super) fn start_budget(&mut self) {
        let Some(budget) = self.budget else { return };
        self.f.ins().local_get(budget.first).local_tee(budget.left).local_set(budget.granted);
        if let Some(skipped) = budget.skipped {
            self.f.for_parts(|f| {
                f.splat_const(0);
                f.set_vector(skipped);
            });
        }
    }

    /// Goes on counting where the gang was in the region before.
    pub(super) fn load_budget(&mut self) {
        let (Some(budget), Some(slot)) = (self.budget, self.plan.and_then(|plan| plan.budget)) else { return };
        let gang = self.places.gang;
        self.f.ins().local_get(gang).i32_load(word(slot)).local_set(budget.left);
        self.f.ins().local_get(gang).i32_load(word(slot + 4)).local_set(budget.granted);
        if let Some(skipped) = budget.skipped {
            self.for_parts(|this| {
                this.load_slot(slot + 16);
                this.f.set_vector(skipped);
            });
        }
    }

    /// Keeps the count for the next region.
    pub(super) fn save_budget(&mut self) {
        let (Some(budget), Some(slot)) = (self.budget, self.plan.and_then(|plan| plan.budget)) else { return };
        let gang = self.places.gang;
        self.f.ins().local_get(gang).local_get(budget.left).i32_store(word(slot));
        self.f.ins().local_get(gang).local_get(budget.granted).i32_store(word(slot + 4));
        if let Some(skipped) = budget.skipped {
            self.store_vector(slot + 16, skipped);
        }
    }

    fn push_limit(&mut self) {
        self.f.ins().local_get(self.places.params).i32_load(word(params::LOOP_BUDGET));
    }

    /// Pops what is left of the budget, and pushes how much of that is granted; `scratch` is any local.
    fn push_granted(&mut self, scratch: u32) {
        self.f.set(scratch);
        self.f.ins().local_get(scratch).i32_const(GRANT.cast_signed());
        self.f.ins().local_get(scratch).i32_const(GRANT.cast_signed()).i32_lt_u().select();
    }

    /// Counts one iteration, before it.
    pub(super) fn iteration(&mut self, mask: Mask, counts_lanes: bool) {
        self.f.i32(1);
        self.charge(mask, counts_lanes);
    }

    /// Pops how many iterations to count.
    pub(super) fn charge(&mut self, mask: Mask, counts_lanes: bool) {
        let Some(budget) = self.budget else { return };
        let count = self.f.keep(ValType::I32);
        if let (Mask::Lanes(mask), Some(skipped), true) = (mask, budget.skipped, counts_lanes) {
            self.f.for_parts(|f| {
                f.get_vector(skipped);
                f.ins().local_get(count).i32x4_splat();
                f.get_vector(mask);
                f.ins().v128_andnot().i32x4_add();
                f.set_vector(skipped);
            });
        }
        self.f.ins().local_get(budget.left).local_get(count).i32_sub().local_tee(budget.left);
        self.f.ins().i32_const(0).i32_lt_s();
        self.f.if_();
        self.refill(budget, mask, count);
        self.f.end();
        self.f.release(count);
    }

    /// Looks at each lane's number, and at the cancel word.
    fn refill(&mut self, budget: Budget, mask: Mask, scratch: u32) {
        self.check_cancel();
        // What the gang has begun, with what is just counted.
        self.f.ins().local_get(budget.granted).local_get(budget.left).i32_sub().local_set(budget.granted);
        self.push_limit();
        self.f.ins().local_get(budget.granted).i32_sub();
        self.f.set(scratch);
        match budget.skipped {
            Some(skipped) => self.push_least(skipped, mask, scratch),
            None => {
                self.f.ins().local_get(scratch).i32_const(0).i32_lt_s();
                self.return_if(Status::BudgetSpent);
                self.f.get(scratch);
            }
        }
        self.push_granted(scratch);
        self.f.ins().local_tee(budget.left).local_get(budget.granted).i32_add().local_set(budget.granted);
    }

    /// Pushes the smallest number that an active lane has left, of `rest` and what each lane skipped. Ends the run if
    /// that is less than none.
    fn push_least(&mut self, skipped: Vector, mask: Mask, rest: u32) {
        let left = self.f.each(|f| {
            f.ins().local_get(rest).i32x4_splat();
            f.get_vector(skipped);
            f.ins().i32x4_add();
        });
        let spent = self.f.each(|f| {
            f.get_vector(left);
            f.splat_const(0);
            f.ins().i32x4_lt_s();
            if let Mask::Lanes(mask) = mask {
                f.get_vector(mask);
                f.ins().v128_and();
            }
        });
        self.f.any_true(spent);
        self.f.release_vector(spent);
        self.return_if(Status::BudgetSpent);
        // Of inactive lanes, what they seem to have.
        self.f.for_parts(|f| {
            f.splat_const(0);
            f.get_vector(left);
            f.ins().i32x4_max_s();
            if f.part() > 0 {
                f.ins().i32x4_min_s();
            }
        });
        self.f.set_vector(left);
        for numbers in [[2, 3, 0, 1], [1, 0, 3, 2]] {
            (0..3).for_each(|_| self.f.get_vector(left));
            self.f.ins().i8x16_shuffle(super::load::words(numbers)).i32x4_min_s();
            self.f.set_vector(left);
        }
        self.f.get_vector(left);
        self.f.ins().i32x4_extract_lane(0);
        self.f.release_vector(left);
    }

    /// Ends the run if somebody wants it to.
    pub(super) fn check_cancel(&mut self) {
        self.f.ins().local_get(self.places.params).i32_atomic_load(word(params::CANCEL));
        self.return_if(Status::Cancelled);
    }

    /// Ends the run with a status if the number on the stack is not zero.
    ///
    /// It is one branch to the end of the code. If it were a block of its own inside of a loop, Cranelift would not move
    /// out of that loop what does not change in it: it forgets which loop it is in once it has seen a block outside.
    pub(super) fn return_if(&mut self, status: Status) {
        let Some(end) = self.end else { return };
        let condition = self.f.keep(ValType::I32);
        self.f.i32(status as u32);
        self.f.get(condition);
        self.f.br_if(end);
        self.f.ins().drop();
        self.f.release(condition);
    }
}
