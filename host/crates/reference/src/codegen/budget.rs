//! How many iterations of loops each invocation may begin, counted exactly, at the cost of one decrement.
//!
//! A gang counts its own iterations down, in grants: `left` is how many are left of what was `granted` so far, so
//! `granted - left` is how many the gang has begun. Lanes that were inactive in some have begun fewer; how many fewer is
//! counted in `skipped`, if it can matter. Only when a grant is used up is each lane's number looked at.

use super::emit::{Emitter, Mask};
use super::function::word;
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
    pub skipped: Option<u32>,
}

impl Emitter<'_> {
    /// Prepares to count, before all workgroups.
    pub(super) fn open_budget(&mut self, counts_lanes: bool) {
        let [first, left, granted] = [(); 3].map(|()| self.f.local(ValType::I32));
        let skipped = counts_lanes.then(|| self.f.local(ValType::V128));
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
            self.f.splat_const(0);
            self.f.set(skipped);
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
        if let (Mask::Local(mask), Some(skipped), true) = (mask, budget.skipped, counts_lanes) {
            self.f.ins().local_get(skipped).local_get(count).i32x4_splat();
            self.f.ins().local_get(mask).v128_andnot().i32x4_add().local_set(skipped);
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
        match (budget.skipped, mask) {
            (Some(skipped), mask) => {
                self.f.ins().i32x4_splat().local_get(skipped).i32x4_add();
                let rest = self.f.tee(ValType::V128);
                self.f.splat_const(0);
                self.f.ins().i32x4_lt_s();
                if let Mask::Local(mask) = mask {
                    self.f.ins().local_get(mask).v128_and();
                }
                self.f.ins().v128_any_true();
                self.return_if(Status::BudgetSpent);
                // The smallest of what active lanes have left; of inactive ones, what they seem to have.
                self.f.splat_const(0);
                self.f.ins().local_get(rest).i32x4_max_s().local_set(rest);
                for numbers in [[2, 3, 0, 1], [1, 0, 3, 2]] {
                    let shuffle = super::load::words(numbers);
                    self.f.ins().local_get(rest).local_get(rest).local_get(rest).i8x16_shuffle(shuffle);
                    self.f.ins().i32x4_min_s().local_set(rest);
                }
                self.f.ins().local_get(rest).i32x4_extract_lane(0);
                self.f.release(rest);
            }
            (None, _) => {
                self.f.ins().local_tee(scratch).i32_const(0).i32_lt_s();
                self.return_if(Status::BudgetSpent);
                self.f.get(scratch);
            }
        }
        self.push_granted(scratch);
        self.f.ins().local_tee(budget.left).local_get(budget.granted).i32_add().local_set(budget.granted);
    }

    /// Ends the run if somebody wants it to.
    pub(super) fn check_cancel(&mut self) {
        self.f.ins().local_get(self.places.params).i32_atomic_load(word(params::CANCEL));
        self.return_if(Status::Cancelled);
    }

    /// Ends the run with a status if the number on the stack is not zero.
    fn return_if(&mut self, status: Status) {
        self.f.if_();
        self.f.i32(status as u32);
        self.f.ins().return_();
        self.f.end();
    }
}
