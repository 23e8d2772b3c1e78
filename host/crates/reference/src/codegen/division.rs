//! Division of integers, for which there are no instructions on vectors.

use super::function::FunctionBuilder;
use super::operand::Lanes;
use samebit_wgsl::lowered::{Binary, Type};

impl FunctionBuilder {
    /// Takes the lanes apart: `op` finds two numbers on the stack and leaves one.
    pub(super) fn by_lane(&mut self, a: Lanes, b: Lanes, mut op: impl FnMut(&mut Self)) {
        self.push(a);
        let x = self.keep_part();
        let y = if let Lanes::Bits(_) | Lanes::Splat(..) = b {
            None
        } else {
            self.push(b);
            Some(self.keep_part())
        };
        for lane in 0..4 {
            self.get_vector(x);
            self.ins().i32x4_extract_lane(lane);
            match (y, b) {
                (Some(y), _) => {
                    self.get_vector(y);
                    self.ins().i32x4_extract_lane(lane);
                }
                (None, Lanes::Bits(bits)) => self.i32(bits),
                (None, Lanes::Splat(local, _)) => self.get(local),
                (None, _) => self.i32(0),
            }
            op(self);
            let mut ins = self.ins();
            if lane == 0 {
                ins.i32x4_splat()
            } else {
                ins.i32x4_replace_lane(lane)
            };
        }
        self.release_vector(x);
        y.into_iter().for_each(|y| self.release_vector(y));
    }

    /// There is no vector division. A divisor that has no quotient is made 1, which gives what is wanted instead.
    pub(super) fn vector_division(&mut self, op: Binary, a: Lanes, b: Lanes) {
        let signed = matches!(op, Binary::DivideSigned | Binary::RemainderSigned);
        if let Lanes::Bits(divisor) = b
            && self.division_by(op, a, divisor)
        {
            return;
        }
        if let (Lanes::Splat(divisor, _), false) = (b, signed) {
            return self.division_by_uniform(op, a, divisor);
        }
        self.lane_division(op, a, b);
    }

    /// Lane by lane.
    fn lane_division(&mut self, op: Binary, a: Lanes, b: Lanes) {
        let signed = matches!(op, Binary::DivideSigned | Binary::RemainderSigned);
        let safe = match b {
            Lanes::Bits(bits) if bits != 0 && (!signed || bits != u32::MAX) => None,
            _ => {
                self.safe_divisor(signed, a, b);
                Some(self.keep_lanes())
            }
        };
        self.by_lane(a, safe.unwrap_or(b), |this| {
            match op {
                Binary::DivideSigned => this.ins().i32_div_s(),
                Binary::DivideUnsigned => this.ins().i32_div_u(),
                Binary::RemainderSigned => this.ins().i32_rem_s(),
                _ => this.ins().i32_rem_u(),
            };
        });
        safe.into_iter().for_each(|safe| self.release_lanes(safe));
    }

    /// Unsigned division by what all lanes have in common: sizes and strides, which often are powers of two.
    fn division_by_uniform(&mut self, op: Binary, a: Lanes, divisor: u32) {
        let out = self.vector();
        self.ins().local_get(divisor).i32_popcnt().i32_const(1).i32_eq();
        self.if_();
        self.push(a);
        self.get(divisor);
        if op == Binary::DivideUnsigned {
            self.ins().i32_ctz().i32x4_shr_u();
        } else {
            self.ins().i32_const(1).i32_sub().i32x4_splat().v128_and();
        }
        self.set_vector(out);
        self.else_();
        self.lane_division(op, a, Lanes::Splat(divisor, Type::Int));
        self.set_vector(out);
        self.end();
        self.get_vector(out);
        self.release_vector(out);
    }

    /// Unsigned division by a power of two. Returns whether it was one.
    fn division_by(&mut self, op: Binary, a: Lanes, divisor: u32) -> bool {
        if !divisor.is_power_of_two() {
            return false;
        }
        match op {
            Binary::DivideUnsigned => {
                self.push(a);
                self.i32(divisor.trailing_zeros());
                self.ins().i32x4_shr_u();
            }
            Binary::RemainderUnsigned => {
                self.push(a);
                self.splat_const(divisor - 1);
                self.ins().v128_and();
            }
            _ => return false,
        }
        true
    }

    fn safe_divisor(&mut self, signed: bool, a: Lanes, b: Lanes) {
        self.splat_const(1);
        self.push(b);
        self.push(b);
        self.splat_const(0);
        self.ins().i32x4_eq();
        if signed {
            self.push(b);
            self.splat_const(u32::MAX);
            self.ins().i32x4_eq();
            self.push(a);
            self.splat_const(1 << 31);
            self.ins().i32x4_eq().v128_and().v128_or();
        }
        self.ins().v128_bitselect();
    }
}
