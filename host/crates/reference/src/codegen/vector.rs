//! Operations on the lanes of one part at once: each takes its operands, and leaves a vector on the stack.
//!
//! What comes out is what [`samebit_wgsl::lowered::eval`] says of each lane, but for which NaN a NaN is. A `Bool` is a
//! lane of ones or zeros.

use super::function::FunctionBuilder;
use super::operand::Lanes;
use samebit_wgsl::lowered::{Binary, Type, Unary, eval};

/// The largest `f32` below 2³¹, and the largest below 2³².
pub(super) const SIGNED_MAX: u32 = 0x4eff_ffff;
pub(super) const UNSIGNED_MAX: u32 = 0x4f7f_ffff;

/// A selection between two floats by which is less.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extreme {
    /// `accept < reject ? accept : reject`.
    Smaller,
    /// `reject < accept ? accept : reject`.
    Larger,
}

impl FunctionBuilder {
    /// An operation of one vector.
    pub(super) fn vector_unary(&mut self, op: Unary, a: Lanes) {
        match op {
            Unary::LeadingZeros => return self.leading_zeros(a),
            Unary::ReverseBits => return self.reverse_bits(a),
            Unary::TrailingZeros => {
                self.push(a);
                self.splat_const(1);
                self.ins().i32x4_sub();
                self.push(a);
                self.ins().v128_andnot();
                return self.popcnt();
            }
            Unary::Canonical => {
                self.push(a);
                self.splat_const(eval::NAN);
                self.push(a);
                self.push(a);
                self.ins().f32x4_eq().v128_bitselect();
                return;
            }
            Unary::CountOnes => {
                self.push(a);
                return self.popcnt();
            }
            Unary::SignedFromFloat | Unary::UnsignedFromFloat => return self.int_from_float(op, a),
            _ => self.push(a),
        }
        match op {
            Unary::Not => self.ins().v128_not(),
            Unary::IntFromBool => self.ins().i32x4_neg(),
            Unary::FloatFromSigned => self.ins().f32x4_convert_i32x4_s(),
            Unary::FloatFromUnsigned => self.ins().f32x4_convert_i32x4_u(),
            Unary::Negate => self.ins().f32x4_neg(),
            Unary::Abs => self.ins().f32x4_abs(),
            Unary::Sqrt => self.ins().f32x4_sqrt(),
            Unary::Floor => self.ins().f32x4_floor(),
            Unary::Ceil => self.ins().f32x4_ceil(),
            Unary::Trunc => self.ins().f32x4_trunc(),
            Unary::RoundEven => self.ins().f32x4_nearest(),
            Unary::FloatFromBits
            | Unary::BitsFromFloat
            | Unary::SignedFromFloat
            | Unary::UnsignedFromFloat
            | Unary::CountOnes
            | Unary::LeadingZeros
            | Unary::TrailingZeros
            | Unary::ReverseBits
            | Unary::Canonical => return,
        };
    }

    /// Clamps, and rounds towards zero. pmin gives its first operand for NaN, which becomes 0.
    fn int_from_float(&mut self, op: Unary, a: Lanes) {
        let signed = op == Unary::SignedFromFloat;
        self.push(a);
        self.splat_const(if signed { SIGNED_MAX } else { UNSIGNED_MAX });
        let mut ins = self.ins();
        ins.f32x4_pmin();
        if signed {
            ins.i32x4_trunc_sat_f32x4_s()
        } else {
            ins.i32x4_trunc_sat_f32x4_u()
        };
    }

    /// How many bits of each lane on the stack are set.
    fn popcnt(&mut self) {
        self.ins().i8x16_popcnt().i16x8_extadd_pairwise_i8x16_u().i32x4_extadd_pairwise_i16x8_u();
    }

    /// Fills in all bits below the highest, and counts those that are left.
    fn leading_zeros(&mut self, a: Lanes) {
        self.push(a);
        let x = self.keep_part();
        for shift in [1, 2, 4, 8, 16] {
            self.get_vector(x);
            self.get_vector(x);
            self.ins().i32_const(shift).i32x4_shr_u().v128_or();
            self.set_vector(x);
        }
        self.get_vector(x);
        self.ins().v128_not();
        self.popcnt();
        self.release_vector(x);
    }

    /// Looks up the halves of each byte, reversed, and reverses the bytes of each lane.
    fn reverse_bits(&mut self, a: Lanes) {
        let low: [u8; 16] = std::array::from_fn(|i| (i as u8).reverse_bits());
        let high = low.map(|byte| byte >> 4);
        self.push(a);
        let x = self.keep_part();
        let nibbles = i128::from_le_bytes([0x0f; 16]);
        self.ins().v128_const(i128::from_le_bytes(low));
        self.get_vector(x);
        self.ins().v128_const(nibbles).v128_and().i8x16_swizzle().v128_const(i128::from_le_bytes(high));
        self.get_vector(x);
        self.ins().i32_const(4).i8x16_shr_u().i8x16_swizzle().v128_or();
        self.tee_vector(x);
        self.get_vector(x);
        self.ins().i8x16_shuffle([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12]);
        self.release_vector(x);
    }

    /// An operation of two vectors.
    pub(super) fn vector_binary(&mut self, op: Binary, a: Lanes, b: Lanes) {
        match op {
            Binary::DivideSigned | Binary::RemainderSigned | Binary::DivideUnsigned | Binary::RemainderUnsigned => {
                return self.vector_division(op, a, b);
            }
            Binary::ShiftLeft | Binary::ShiftRightUnsigned | Binary::ShiftRightSigned => {
                return self.vector_shift(op, a, b);
            }
            Binary::MultiplyHigh => return self.multiply_high(a, b),
            Binary::FloatMin | Binary::FloatMax => return self.float_extreme(op, a, b),
            _ => {}
        }
        self.push(a);
        self.push(b);
        match op {
            Binary::BoolAnd | Binary::And => self.ins().v128_and(),
            Binary::BoolOr | Binary::Or => self.ins().v128_or(),
            Binary::BoolEqual | Binary::Equal => self.ins().i32x4_eq(),
            Binary::Add => self.ins().i32x4_add(),
            Binary::Subtract => self.ins().i32x4_sub(),
            Binary::Multiply => self.ins().i32x4_mul(),
            Binary::Xor => self.ins().v128_xor(),
            Binary::MinSigned => self.ins().i32x4_min_s(),
            Binary::MaxSigned => self.ins().i32x4_max_s(),
            Binary::MinUnsigned => self.ins().i32x4_min_u(),
            Binary::MaxUnsigned => self.ins().i32x4_max_u(),
            Binary::LessSigned => self.ins().i32x4_lt_s(),
            Binary::LessUnsigned => self.ins().i32x4_lt_u(),
            Binary::FloatAdd => self.ins().f32x4_add(),
            Binary::FloatSubtract => self.ins().f32x4_sub(),
            Binary::FloatMultiply => self.ins().f32x4_mul(),
            Binary::FloatDivide => self.ins().f32x4_div(),
            Binary::FloatEqual => self.ins().f32x4_eq(),
            Binary::FloatLess => self.ins().f32x4_lt(),
            Binary::FloatLessEqual => self.ins().f32x4_le(),
            Binary::MultiplyHigh
            | Binary::DivideSigned
            | Binary::DivideUnsigned
            | Binary::RemainderSigned
            | Binary::RemainderUnsigned
            | Binary::ShiftLeft
            | Binary::ShiftRightUnsigned
            | Binary::ShiftRightSigned
            | Binary::FloatMin
            | Binary::FloatMax => return,
        };
    }

    /// Products of 64 bits, then their upper halves.
    fn multiply_high(&mut self, a: Lanes, b: Lanes) {
        self.push(a);
        self.push(b);
        self.ins().i64x2_extmul_low_i32x4_u();
        self.push(a);
        self.push(b);
        self.ins()
            .i64x2_extmul_high_i32x4_u()
            .i8x16_shuffle([4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]);
    }

    /// `pmin(a, b)` is `b < a ? b : a`: what is wanted, unless `a` is NaN.
    fn float_extreme(&mut self, op: Binary, a: Lanes, b: Lanes) {
        // With a constant on the right that is neither zero nor NaN, `a < b ? a : b` is the same but for a NaN, where it is right.
        let plain = |bits: u32| bits << 1 != 0 && !f32::from_bits(bits).is_nan();
        let swapped = matches!(b, Lanes::Bits(bits) if plain(bits));
        let (x, y) = if swapped { (b, a) } else { (a, b) };
        self.push(x);
        self.push(y);
        let mut ins = self.ins();
        if op == Binary::FloatMin {
            ins.f32x4_pmin()
        } else {
            ins.f32x4_pmax()
        };
        let known = matches!(a, Lanes::Bits(bits) if !f32::from_bits(bits).is_nan());
        if !swapped && !known {
            self.push(b);
            self.push(a);
            self.push(a);
            self.ins().f32x4_eq().v128_bitselect();
        }
    }

    /// `accept` where the condition holds, `reject` elsewhere.
    pub(super) fn vector_select(&mut self, condition: Lanes, accept: Lanes, reject: Lanes) {
        self.push(accept);
        self.push(reject);
        self.push(condition);
        self.ins().v128_bitselect();
    }

    /// What [`vector_select`](Self::vector_select) would give, of operands that the condition compares, in one instruction:
    /// `pmin(r, a)` is `a < r ? a : r`, `pmax(r, a)` is `r < a ? a : r`, bit by bit.
    pub(super) fn push_extreme(&mut self, extreme: Extreme, accept: Lanes, reject: Lanes) {
        self.push(reject);
        self.push(accept);
        let mut ins = self.ins();
        match extreme {
            Extreme::Smaller => ins.f32x4_pmin(),
            Extreme::Larger => ins.f32x4_pmax(),
        };
    }

    /// `a * b + c`, rounded once: the runtime makes relaxed operations deterministic, and then this one is fused.
    pub(super) fn vector_fma(&mut self, a: Lanes, b: Lanes, c: Lanes) {
        self.push(a);
        self.push(b);
        self.push(c);
        self.ins().f32x4_relaxed_madd();
    }

    /// By a scalar there is an instruction; by a vector, lane by lane.
    fn vector_shift(&mut self, op: Binary, a: Lanes, b: Lanes) {
        match b {
            Lanes::Bits(bits) => {
                self.push(a);
                self.i32(bits & 31);
            }
            Lanes::Splat(local, Type::Int) => {
                self.push(a);
                self.get(local);
            }
            _ => return self.shift_lanes(op, a, b),
        }
        match op {
            Binary::ShiftLeft => self.ins().i32x4_shl(),
            Binary::ShiftRightUnsigned => self.ins().i32x4_shr_u(),
            _ => self.ins().i32x4_shr_s(),
        };
    }

    fn shift_lanes(&mut self, op: Binary, a: Lanes, b: Lanes) {
        if op == Binary::ShiftLeft {
            // 2 to the power of b, made as a float, times a.
            self.push(a);
            self.push(b);
            self.splat_const(31);
            self.ins().v128_and().i32_const(23).i32x4_shl();
            self.splat_const(0x3f80_0000);
            self.ins().i32x4_add().i32x4_trunc_sat_f32x4_u().i32x4_mul();
            return;
        }
        self.by_lane(a, b, |this| {
            let mut ins = this.ins();
            if op == Binary::ShiftRightUnsigned {
                ins.i32_shr_u()
            } else {
                ins.i32_shr_s()
            };
        });
    }
}
