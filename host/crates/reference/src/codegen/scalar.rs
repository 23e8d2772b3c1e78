//! Operations on values that all lanes share: each takes its operands, and leaves a scalar on the stack.
//!
//! What comes out is what [`samebit_wgsl::lowered::eval`] says, but for which NaN a NaN is. A `Bool` is 1 or 0.

use super::function::FunctionBuilder;
use super::operand::{Lanes, Scalar, scalar_type};
use super::vector::{SIGNED_MAX, UNSIGNED_MAX};
use samebit_wgsl::lowered::{Binary, Type, Unary, eval};
use wasm_encoder::{Ieee32, ValType};

/// The type of an operation's operand.
pub(super) fn operand_of_unary(op: Unary) -> Type {
    match op {
        Unary::Not | Unary::IntFromBool => Type::Bool,
        Unary::CountOnes
        | Unary::LeadingZeros
        | Unary::TrailingZeros
        | Unary::ReverseBits
        | Unary::FloatFromSigned
        | Unary::FloatFromUnsigned
        | Unary::FloatFromBits => Type::Int,
        Unary::SignedFromFloat
        | Unary::UnsignedFromFloat
        | Unary::BitsFromFloat
        | Unary::Canonical
        | Unary::Negate
        | Unary::Abs
        | Unary::Sqrt
        | Unary::Floor
        | Unary::Ceil
        | Unary::Trunc
        | Unary::RoundEven => Type::Float,
    }
}

/// The type of an operation's operands.
pub(super) fn operand_of_binary(op: Binary) -> Type {
    match op {
        Binary::BoolAnd | Binary::BoolOr | Binary::BoolEqual => Type::Bool,
        Binary::FloatAdd
        | Binary::FloatSubtract
        | Binary::FloatMultiply
        | Binary::FloatDivide
        | Binary::FloatMin
        | Binary::FloatMax
        | Binary::FloatEqual
        | Binary::FloatLess
        | Binary::FloatLessEqual => Type::Float,
        _ => Type::Int,
    }
}

impl FunctionBuilder {
    /// An operation of one scalar.
    pub(super) fn scalar_unary(&mut self, op: Unary, a: Scalar) {
        let ty = operand_of_unary(op);
        match op {
            Unary::Canonical => {
                self.push_scalar(a, ty);
                self.ins().f32_const(Ieee32::new(eval::NAN));
                self.push_scalar(a, ty);
                self.push_scalar(a, ty);
                self.ins().f32_eq().select();
                return;
            }
            Unary::SignedFromFloat | Unary::UnsignedFromFloat => {
                let max = if op == Unary::SignedFromFloat { SIGNED_MAX } else { UNSIGNED_MAX };
                // NaN is not less, and becomes 0.
                self.ins().f32_const(Ieee32::new(max));
                self.push_scalar(a, ty);
                self.ins().f32_const(Ieee32::new(max));
                self.push_scalar(a, ty);
                self.ins().f32_lt().select();
            }
            Unary::ReverseBits => return self.scalar_reverse_bits(a),
            _ => self.push_scalar(a, ty),
        }
        match op {
            Unary::Not => self.ins().i32_eqz(),
            Unary::CountOnes => self.ins().i32_popcnt(),
            Unary::LeadingZeros => self.ins().i32_clz(),
            Unary::TrailingZeros => self.ins().i32_ctz(),
            Unary::FloatFromSigned => self.ins().f32_convert_i32_s(),
            Unary::FloatFromUnsigned => self.ins().f32_convert_i32_u(),
            Unary::FloatFromBits => self.ins().f32_reinterpret_i32(),
            Unary::BitsFromFloat => self.ins().i32_reinterpret_f32(),
            Unary::SignedFromFloat => self.ins().i32_trunc_sat_f32_s(),
            Unary::UnsignedFromFloat => self.ins().i32_trunc_sat_f32_u(),
            Unary::Negate => self.ins().f32_neg(),
            Unary::Abs => self.ins().f32_abs(),
            Unary::Sqrt => self.ins().f32_sqrt(),
            Unary::Floor => self.ins().f32_floor(),
            Unary::Ceil => self.ins().f32_ceil(),
            Unary::Trunc => self.ins().f32_trunc(),
            Unary::RoundEven => self.ins().f32_nearest(),
            Unary::IntFromBool | Unary::ReverseBits | Unary::Canonical => return,
        };
    }

    /// Swaps ever larger groups of bits.
    fn scalar_reverse_bits(&mut self, a: Scalar) {
        self.push_scalar(a, Type::Int);
        let x = self.keep(ValType::I32);
        for (shift, mask) in [(1, 0x5555_5555), (2, 0x3333_3333), (4, 0x0f0f_0f0f), (8, 0x00ff_00ff)] {
            self.ins().local_get(x).i32_const(shift).i32_shr_u().i32_const(mask).i32_and();
            self.ins().local_get(x).i32_const(mask).i32_and().i32_const(shift).i32_shl().i32_or().local_set(x);
        }
        self.ins().local_get(x).i32_const(16).i32_rotl();
        self.release(x);
    }

    /// An operation of two scalars.
    pub(super) fn scalar_binary(&mut self, op: Binary, a: Scalar, b: Scalar) {
        let ty = operand_of_binary(op);
        match op {
            Binary::MinSigned | Binary::MaxSigned | Binary::MinUnsigned | Binary::MaxUnsigned => {
                self.push_scalar(a, ty);
                self.push_scalar(b, ty);
                self.push_scalar(a, ty);
                self.push_scalar(b, ty);
                match op {
                    Binary::MinSigned => self.ins().i32_lt_s(),
                    Binary::MaxSigned => self.ins().i32_gt_s(),
                    Binary::MinUnsigned => self.ins().i32_lt_u(),
                    _ => self.ins().i32_gt_u(),
                };
                self.ins().select();
                return;
            }
            Binary::FloatMin | Binary::FloatMax => {
                // The second if it is less or the first is not equal to itself.
                self.push_scalar(b, ty);
                self.push_scalar(a, ty);
                self.push_scalar(b, ty);
                self.push_scalar(a, ty);
                let mut ins = self.ins();
                if op == Binary::FloatMin {
                    ins.f32_lt()
                } else {
                    ins.f32_gt()
                };
                self.push_scalar(a, ty);
                self.push_scalar(a, ty);
                self.ins().f32_ne().i32_or().select();
                return;
            }
            Binary::MultiplyHigh => {
                self.push_scalar(a, ty);
                self.ins().i64_extend_i32_u();
                self.push_scalar(b, ty);
                self.ins().i64_extend_i32_u().i64_mul().i64_const(32).i64_shr_u().i32_wrap_i64();
                return;
            }
            Binary::DivideSigned | Binary::RemainderSigned | Binary::DivideUnsigned | Binary::RemainderUnsigned => {
                return self.scalar_division(op, a, b);
            }
            _ => {
                self.push_scalar(a, ty);
                self.push_scalar(b, ty);
            }
        }
        match op {
            Binary::BoolAnd | Binary::And => self.ins().i32_and(),
            Binary::BoolOr | Binary::Or => self.ins().i32_or(),
            Binary::BoolEqual | Binary::Equal => self.ins().i32_eq(),
            Binary::Add => self.ins().i32_add(),
            Binary::Subtract => self.ins().i32_sub(),
            Binary::Multiply => self.ins().i32_mul(),
            Binary::Xor => self.ins().i32_xor(),
            Binary::ShiftLeft => self.ins().i32_shl(),
            Binary::ShiftRightUnsigned => self.ins().i32_shr_u(),
            Binary::ShiftRightSigned => self.ins().i32_shr_s(),
            Binary::LessSigned => self.ins().i32_lt_s(),
            Binary::LessUnsigned => self.ins().i32_lt_u(),
            Binary::FloatAdd => self.ins().f32_add(),
            Binary::FloatSubtract => self.ins().f32_sub(),
            Binary::FloatMultiply => self.ins().f32_mul(),
            Binary::FloatDivide => self.ins().f32_div(),
            Binary::FloatEqual => self.ins().f32_eq(),
            Binary::FloatLess => self.ins().f32_lt(),
            Binary::FloatLessEqual => self.ins().f32_le(),
            Binary::MultiplyHigh
            | Binary::DivideSigned
            | Binary::DivideUnsigned
            | Binary::RemainderSigned
            | Binary::RemainderUnsigned
            | Binary::MinSigned
            | Binary::MaxSigned
            | Binary::MinUnsigned
            | Binary::MaxUnsigned
            | Binary::FloatMin
            | Binary::FloatMax => return,
        };
    }

    /// A divisor that has no quotient is made 1, which gives what is wanted instead.
    fn scalar_division(&mut self, op: Binary, a: Scalar, b: Scalar) {
        let signed = matches!(op, Binary::DivideSigned | Binary::RemainderSigned);
        self.push_scalar(a, Type::Int);
        match b {
            Scalar::Bits(bits) if bits != 0 && (!signed || bits != u32::MAX) => self.i32(bits),
            _ => {
                self.i32(1);
                self.push_scalar(b, Type::Int);
                self.push_scalar(b, Type::Int);
                self.ins().i32_eqz();
                if signed {
                    self.push_scalar(b, Type::Int);
                    self.ins().i32_const(-1).i32_eq();
                    self.push_scalar(a, Type::Int);
                    self.ins().i32_const(i32::MIN).i32_eq().i32_and().i32_or();
                }
                self.ins().select();
            }
        }
        match op {
            Binary::DivideSigned => self.ins().i32_div_s(),
            Binary::DivideUnsigned => self.ins().i32_div_u(),
            Binary::RemainderSigned => self.ins().i32_rem_s(),
            _ => self.ins().i32_rem_u(),
        };
    }

    /// `accept` if the condition holds, else `reject`.
    pub(super) fn scalar_select(&mut self, condition: Scalar, accept: Scalar, reject: Scalar, ty: Type) {
        self.push_scalar(accept, ty);
        self.push_scalar(reject, ty);
        self.push_scalar(condition, Type::Bool);
        self.ins().select();
    }

    /// `a * b + c`, rounded once: there is a fused operation of vectors only.
    pub(super) fn scalar_fma(&mut self, a: Scalar, b: Scalar, c: Scalar) {
        let lanes = |scalar| match scalar {
            Scalar::Bits(bits) => Lanes::Bits(bits),
            Scalar::Local(local) => Lanes::Splat(local, Type::Float),
        };
        self.vector_fma(lanes(a), lanes(b), lanes(c));
        self.ins().f32x4_extract_lane(0);
    }

    /// Pops a scalar and holds it.
    pub(super) fn keep_scalar(&mut self, ty: Type) -> Scalar {
        Scalar::Local(self.keep(scalar_type(ty)))
    }
}
