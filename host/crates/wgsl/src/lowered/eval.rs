//! What every operation gives: the definition that devices are held to, bit by bit.
//!
//! Values are their bits: an `f32` by [`f32::to_bits`], true as 1 and false as 0. Rust's own arithmetic is IEEE 754's, to
//! nearest even, without contraction; what Rust leaves open (which NaN) is made one NaN here.

use super::{Binary, Unary};

/// The NaN that all NaNs become where they can be told apart.
pub const NAN: u32 = 0x7fc0_0000;

/// The largest `f32` below 2³¹.
const SIGNED_MAX: f32 = 2_147_483_520.0;
/// The largest `f32` below 2³².
const UNSIGNED_MAX: f32 = 4_294_967_040.0;

/// What an operation of one value gives.
#[inline(always)]
pub fn unary(op: Unary, a: u32) -> u32 {
    let f = f32::from_bits(a);
    match op {
        Unary::Not => a ^ 1,
        Unary::IntFromBool => a,
        Unary::CountOnes => a.count_ones(),
        Unary::LeadingZeros => a.leading_zeros(),
        Unary::TrailingZeros => a.trailing_zeros(),
        Unary::ReverseBits => a.reverse_bits(),
        Unary::FloatFromSigned => (a.cast_signed() as f32).to_bits(),
        Unary::FloatFromUnsigned => (a as f32).to_bits(),
        Unary::FloatFromBits | Unary::BitsFromFloat => a,
        // `as` truncates, saturates and turns NaN into 0; `min` gives its other operand for NaN, so it comes after.
        Unary::SignedFromFloat if f >= SIGNED_MAX => (SIGNED_MAX as i32).cast_unsigned(),
        Unary::SignedFromFloat => (f as i32).cast_unsigned(),
        Unary::UnsignedFromFloat if f >= UNSIGNED_MAX => UNSIGNED_MAX as u32,
        Unary::UnsignedFromFloat => f as u32,
        Unary::Canonical => canonical(f),
        Unary::Negate => a ^ 0x8000_0000,
        Unary::Abs => a & 0x7fff_ffff,
        Unary::Sqrt => canonical(f.sqrt()),
        Unary::Floor => canonical(f.floor()),
        Unary::Ceil => canonical(f.ceil()),
        Unary::Trunc => canonical(f.trunc()),
        Unary::RoundEven => canonical(f.round_ties_even()),
    }
}

/// What an operation of two values gives.
#[inline(always)]
pub fn binary(op: Binary, a: u32, b: u32) -> u32 {
    let (i, j) = (a.cast_signed(), b.cast_signed());
    let (f, g) = (f32::from_bits(a), f32::from_bits(b));
    match op {
        Binary::BoolAnd | Binary::And => a & b,
        Binary::BoolOr | Binary::Or => a | b,
        Binary::BoolEqual | Binary::Equal => u32::from(a == b),
        Binary::Add => a.wrapping_add(b),
        Binary::Subtract => a.wrapping_sub(b),
        Binary::Multiply => a.wrapping_mul(b),
        Binary::MultiplyHigh => ((u64::from(a) * u64::from(b)) >> 32) as u32,
        Binary::DivideSigned => i.checked_div(j).unwrap_or(i).cast_unsigned(),
        Binary::DivideUnsigned => a.checked_div(b).unwrap_or(a),
        Binary::RemainderSigned => i.checked_rem(j).unwrap_or(0).cast_unsigned(),
        Binary::RemainderUnsigned => a.checked_rem(b).unwrap_or(0),
        Binary::Xor => a ^ b,
        Binary::ShiftLeft => a.wrapping_shl(b),
        Binary::ShiftRightUnsigned => a.wrapping_shr(b),
        Binary::ShiftRightSigned => i.wrapping_shr(b).cast_unsigned(),
        Binary::MinSigned => i.min(j).cast_unsigned(),
        Binary::MaxSigned => i.max(j).cast_unsigned(),
        Binary::MinUnsigned => a.min(b),
        Binary::MaxUnsigned => a.max(b),
        Binary::LessSigned => u32::from(i < j),
        Binary::LessUnsigned => u32::from(a < b),
        Binary::FloatAdd => canonical(f + g),
        Binary::FloatSubtract => canonical(f - g),
        Binary::FloatMultiply => canonical(f * g),
        Binary::FloatDivide => canonical(f / g),
        Binary::FloatMin => {
            if g < f || f.is_nan() {
                b
            } else {
                a
            }
        }
        Binary::FloatMax => {
            if g > f || f.is_nan() {
                b
            } else {
                a
            }
        }
        Binary::FloatEqual => u32::from(f == g),
        Binary::FloatLess => u32::from(f < g),
        Binary::FloatLessEqual => u32::from(f <= g),
    }
}

/// `a * b + c`, rounded once.
#[inline(always)]
pub fn fma(a: u32, b: u32, c: u32) -> u32 {
    canonical(f32::from_bits(a).mul_add(f32::from_bits(b), f32::from_bits(c)))
}

#[inline(always)]
fn canonical(f: f32) -> u32 {
    if f.is_nan() { NAN } else { f.to_bits() }
}
