//! The float built-ins as fixed sequences of operations. `docs/EXACT.md` writes each down, with its measured error.
//!
//! # Promises
//! - A sequence is straight: no loop and no branch but [`Ops::rarely`], which every device may turn into a select.
//! - It consists of exact integer operations and of binary32 operations rounded once, and so has one answer.
//! - A NaN goes in, a NaN comes out; which NaN never decides anything else. Integers that are taken from a float
//!   which may be NaN only ever scale or sign a NaN.
//! - Subnormal numbers are numbers: nothing is flushed.
//!
//! # How the polynomials came about
//! Coefficients were fitted with Sollya's `fpminimax` to binary32 coefficients, by relative error on the interval that
//! is left after the reduction. They are written as bits, lowest degree first.

mod area;
mod bits;
mod circle;
mod exponential;
mod hyperbolic;
mod inverse;
mod logarithm;
mod power;
mod reduce;
mod steps;

use crate::lowered::{MathFunction, Native, Ops};

/// Takes the operations of `function`, in their order. Operands that are missing count as zero.
pub fn sequence<O: Ops>(ops: &mut O, function: MathFunction, args: &[O::V]) -> O::V {
    let x = operand(ops, args, 0);
    match function {
        MathFunction::Exp => exponential::exp(ops, x),
        MathFunction::Exp2 => exponential::exp2(ops, x),
        MathFunction::Log => logarithm::log(ops, x),
        MathFunction::Log2 => logarithm::log2(ops, x),
        MathFunction::Pow => {
            let y = operand(ops, args, 1);
            power::pow(ops, x, y)
        }
        MathFunction::Sin => circle::sin(ops, x),
        MathFunction::Cos => circle::cos(ops, x),
        MathFunction::Tan => circle::tan(ops, x),
        MathFunction::Asin => inverse::asin(ops, x),
        MathFunction::Acos => inverse::acos(ops, x),
        MathFunction::Atan => inverse::atan(ops, x),
        MathFunction::Atan2 => {
            let second = operand(ops, args, 1);
            inverse::atan2(ops, x, second)
        }
        MathFunction::Sinh => hyperbolic::sinh(ops, x),
        MathFunction::Cosh => hyperbolic::cosh(ops, x),
        MathFunction::Tanh => hyperbolic::tanh(ops, x),
        MathFunction::Asinh => area::asinh(ops, x),
        MathFunction::Acosh => area::acosh(ops, x),
        MathFunction::Atanh => area::atanh(ops, x),
        MathFunction::Ldexp => {
            let exponent = operand(ops, args, 1);
            bits::ldexp(ops, x, exponent)
        }
        MathFunction::FrexpFract => bits::frexp_fract(ops, x),
        MathFunction::FrexpExp => bits::frexp_exp(ops, x),
        MathFunction::QuantizeToF16 => bits::quantize_to_f16(ops, x),
        MathFunction::F16FromFloat => bits::f16_from_float(ops, x),
        MathFunction::FloatFromF16 => bits::float_from_f16(ops, x),
    }
}

/// What `function` gives, by bits.
pub fn native(function: MathFunction, args: &[u32]) -> u32 {
    sequence(&mut Native, function, args)
}

fn operand<O: Ops>(ops: &mut O, args: &[O::V], index: usize) -> O::V {
    match args.get(index) {
        Some(value) => *value,
        None => ops.bits(0),
    }
}
