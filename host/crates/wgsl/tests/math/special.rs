//! Values that are laid down: zeros, infinities, domain errors, and results that are exact.

use super::result;
use samebit_wgsl::lowered::MathFunction::{self, *};
use std::f32::consts::{FRAC_PI_2, FRAC_PI_4, PI};

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;
const TINY: f32 = f32::from_bits(1);
const MAX: f32 = f32::MAX;

/// Operands and results.
type Cases = &'static [(f32, f32)];

const EXP: Cases =
    &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (MAX, INF), (-MAX, 0.0), (TINY, 1.0), (-103.9, TINY)];
const EXP2: Cases = &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (128.0, INF), (-149.0, TINY), (-150.0, 0.0)];
const LOG: Cases = &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (INF, INF), (-1.0, NAN), (-INF, NAN), (-TINY, NAN)];
const CIRCLE: Cases = &[(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (TINY, TINY), (-TINY, -TINY)];
const COS: Cases = &[(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (TINY, 1.0)];
const ASIN: Cases = &[(0.0, 0.0), (-0.0, -0.0), (1.0, FRAC_PI_2), (-1.0, -FRAC_PI_2), (1.000_000_1, NAN), (-INF, NAN)];
const ACOS: Cases =
    &[(1.0, 0.0), (-1.0, PI), (0.0, FRAC_PI_2), (-0.0, FRAC_PI_2), (1.000_000_1, NAN), (-1.000_000_1, NAN), (INF, NAN)];
const ATAN: Cases =
    &[(0.0, 0.0), (-0.0, -0.0), (INF, FRAC_PI_2), (-INF, -FRAC_PI_2), (1.0, FRAC_PI_4), (MAX, FRAC_PI_2)];
const SINH: Cases = &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (TINY, TINY), (90.0, INF), (-MAX, -INF)];
const COSH: Cases = &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, INF), (90.0, INF), (-MAX, INF)];
const TANH: Cases = &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (TINY, TINY), (MAX, 1.0), (-20.0, -1.0)];
const ASINH: Cases = &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (TINY, TINY), (-TINY, -TINY)];
const ACOSH: Cases = &[(1.0, 0.0), (INF, INF), (0.999_999_9, NAN), (0.0, NAN), (-1.0, NAN), (-INF, NAN)];
const ATANH: Cases = &[(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.000_000_1, NAN), (-INF, NAN)];
const FRACT: Cases = &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (1.0, 0.5), (-3.0, -0.75), (TINY, 0.5)];
const QUANTIZED: Cases = &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (65_519.996, 65504.0), (65520.0, INF), (-1e30, -INF)];

fn same(function: MathFunction, operands: &[f32], expected: f32) {
    let bits: Vec<u32> = operands.iter().map(|operand| operand.to_bits()).collect();
    let got = f32::from_bits(result(function, &bits));
    let agree = got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan();
    assert!(agree, "{function:?} of {operands:?} is {got:?}, not {expected:?}");
}

#[test]
fn functions_of_one() {
    let table = [
        (Exp, EXP),
        (Exp2, EXP2),
        (Log, LOG),
        (Log2, LOG),
        (Sin, CIRCLE),
        (Cos, COS),
        (Tan, CIRCLE),
        (Asin, ASIN),
        (Acos, ACOS),
        (Atan, ATAN),
        (Sinh, SINH),
        (Cosh, COSH),
        (Tanh, TANH),
        (Asinh, ASINH),
        (Acosh, ACOSH),
        (Atanh, ATANH),
        (FrexpFract, FRACT),
        (QuantizeToF16, QUANTIZED),
    ];
    for (function, cases) in table {
        for (operand, expected) in cases {
            same(function, &[*operand], *expected);
        }
    }
}

#[test]
fn powers() {
    for x in [0.0, -0.0, TINY, 1.0, -1.0, 2.5, -2.5, MAX, INF, -INF] {
        same(Pow, &[x, 0.0], 1.0);
        same(Pow, &[x, -0.0], 1.0);
    }
    for y in [TINY, 1.0, -7.5, MAX, -MAX, INF, -INF] {
        same(Pow, &[1.0, y], 1.0);
        same(Pow, &[-1.0, y], NAN);
        same(Pow, &[-INF, y], NAN);
        for zero in [0.0, -0.0] {
            same(Pow, &[zero, y], if y > 0.0 { 0.0 } else { INF });
        }
        same(Pow, &[INF, y], if y > 0.0 { INF } else { 0.0 });
    }
    same(Pow, &[2.0, INF], INF);
    same(Pow, &[2.0, -INF], 0.0);
    same(Pow, &[0.5, INF], 0.0);
    same(Pow, &[0.5, -INF], INF);
    same(Pow, &[2.0, -149.0], TINY);
    same(Pow, &[2.0, 10.0], 1024.0);
    same(Pow, &[TINY, 1.0], TINY);
    same(Pow, &[4.0, 0.5], 2.0);
    same(Pow, &[MAX, 2.0], INF);
}

#[test]
fn angles() {
    const THREE: f32 = 2.356_194_5;
    let cases = [
        (0.0, 0.0, 0.0),
        (-0.0, 0.0, -0.0),
        (0.0, -0.0, PI),
        (-0.0, -0.0, -PI),
        (0.0, 1.0, 0.0),
        (-0.0, 1.0, -0.0),
        (0.0, -1.0, PI),
        (-0.0, -1.0, -PI),
        (1.0, 0.0, FRAC_PI_2),
        (-1.0, 0.0, -FRAC_PI_2),
        (1.0, -0.0, FRAC_PI_2),
        (1.0, 1.0, FRAC_PI_4),
        (-1.0, 1.0, -FRAC_PI_4),
        (1.0, INF, 0.0),
        (-1.0, INF, -0.0),
        (1.0, -INF, PI),
        (INF, 1.0, FRAC_PI_2),
        (-INF, 1.0, -FRAC_PI_2),
        (INF, INF, FRAC_PI_4),
        (-INF, INF, -FRAC_PI_4),
        (INF, -INF, THREE),
        (-INF, -INF, -THREE),
        (TINY, MAX, 0.0),
        (MAX, TINY, FRAC_PI_2),
        (TINY, 1.0, TINY),
    ];
    for (y, x, expected) in cases {
        same(Atan2, &[y, x], expected);
    }
}

#[test]
fn scaling_rounds_once() {
    let ldexp = |x: f32, e: i32| f32::from_bits(result(Ldexp, &[x.to_bits(), e.cast_unsigned()]));
    for x in [0.0, -0.0, INF, -INF] {
        for e in [0, 1, -1, i32::MAX, i32::MIN] {
            assert_eq!(ldexp(x, e).to_bits(), x.to_bits(), "{x} {e}");
        }
    }
    assert_eq!(ldexp(1.0, i32::MAX), INF);
    assert_eq!(ldexp(-1.0, i32::MIN).to_bits(), (-0.0_f32).to_bits());
    assert_eq!(ldexp(TINY, 276), 2f32.powi(127));
    assert_eq!(ldexp(MAX, -276), f32::from_bits(2));
    for x in [1.0, 1.5, -1.25, 1.999_999_9, MAX, f32::MIN_POSITIVE, 3.0 * TINY, f32::from_bits(0x007f_ffff)] {
        for e in -300..=300 {
            // Exact in f64, then rounded once.
            let expected = (f64::from(x) * 2f64.powi(e)) as f32;
            assert_eq!(ldexp(x, e).to_bits(), expected.to_bits(), "{x:e} times 2 to the power of {e}");
        }
    }
}

#[test]
fn fractions_and_exponents_make_the_number() {
    for bits in (0..=u32::MAX).step_by(9973) {
        let x = f32::from_bits(bits);
        let fraction = f32::from_bits(result(FrexpFract, &[bits]));
        let exponent = result(FrexpExp, &[bits]).cast_signed();
        if x.is_nan() {
            assert!(fraction.is_nan() && exponent == 0, "{bits:08x}");
        } else if x == 0.0 || x.is_infinite() {
            assert_eq!((fraction.to_bits(), exponent), (bits, 0), "{bits:08x}");
        } else {
            assert!((0.5..1.0).contains(&fraction.abs()), "{bits:08x}: {fraction}");
            assert_eq!(f64::from(fraction) * 2f64.powi(exponent), f64::from(x), "{bits:08x}");
        }
    }
}
