//! `switch` of a gang: branches where all lanes agree, one case after the other where they do not.

use super::emit::{Emitter, Mask};
use super::flow::BlockId;
use super::function::{FunctionBuilder, Vector};
use super::operand::Lanes;
use samebit_wgsl::lowered::{Type, Value};

impl Emitter<'_> {
    pub(super) fn switch_varying(
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
        let case = self.f.vector();
        for (values, block) in cases {
            self.f.for_parts(|f| {
                f.push_matches(lanes, values);
                f.get_vector(rest);
                f.ins().v128_and();
                f.set_vector(case);
                f.get_vector(rest);
                f.get_vector(case);
                f.ins().v128_andnot();
                f.set_vector(rest);
            });
            self.arm(*block, case, done);
        }
        self.arm(default, rest, done);
        if let Some(done) = done {
            self.assign(mask, done);
            self.f.release_vector(done);
        }
        self.f.release_vector(rest);
        self.f.release_vector(case);
    }

    /// One case, and who comes out of it.
    fn arm(&mut self, block: BlockId, active: Vector, done: Option<Vector>) {
        self.f.any_true(active);
        self.f.if_();
        self.block(block, &mut Mask::Lanes(active));
        if let Some(done) = done {
            self.join_mask(done, active);
        }
        self.f.end();
    }

    pub(super) fn switch_uniform(
        &mut self,
        selector: Value,
        cases: &[(&[u32], BlockId)],
        default: BlockId,
        mask: &mut Mask,
    ) {
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

impl FunctionBuilder {
    /// Pushes where a selector has one of these values, as lanes.
    fn push_matches(&mut self, selector: Lanes, values: &[u32]) {
        for (index, value) in values.iter().enumerate() {
            self.push(selector);
            self.splat_const(*value);
            self.ins().i32x4_eq();
            if index > 0 {
                self.ins().v128_or();
            }
        }
        if values.is_empty() {
            self.splat_const(0);
        }
    }
}
