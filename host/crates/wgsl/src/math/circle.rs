//! `sin`, `cos` and `tan`.

use super::reduce::{Reduced, reduce};
use super::steps::{ONE, SIGN, Steps};
use crate::lowered::Ops;

/// (sin r - r) / r³, in r², for |r| ≤ 0.7875.
const SIN: [u32; 3] = [0xbe2a_aaa2, 0x3c08_8370, 0xb94c_94cf];
/// (cos r - 1 + r² / 2) / r⁴, in r², for |r| ≤ 0.7875.
const COS: [u32; 3] = [0x3d2a_aaa5, 0xbab6_0613, 0x37cc_f383];

/// The sine of an angle in radians.
pub(super) fn sin<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let reduced = reduce(o, a);
    let quarters = reduced.quarters;
    let turned = o.shl(quarters, 30);
    let bits = o.to_bits(x);
    let sign = o.xor(bits, turned);
    let sign = o.mask(sign, SIGN);
    wave(o, &reduced, quarters, sign)
}

/// The cosine of an angle in radians.
pub(super) fn cos<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let reduced = reduce(o, a);
    let quarters = o.iadd_c(reduced.quarters, 1);
    let turned = o.shl(quarters, 30);
    let sign = o.mask(turned, SIGN);
    wave(o, &reduced, quarters, sign)
}

/// The sine of what is left for an even number of quarters, else the cosine; with a sign.
fn wave<O: Ops>(o: &mut O, reduced: &Reduced<O::V>, quarters: O::V, sign: O::V) -> O::V {
    let Reduced { r, low, .. } = *reduced;
    let s = o.mul(r, r);
    let p = o.horner(s, &SIN);
    let r3 = o.mul(r, s);
    let rest = o.fma(r3, p, low);
    let sine = o.add(r, rest);
    let p = o.horner(s, &COS);
    let s2 = o.mul(s, s);
    let rest = o.mul(s2, p);
    let minus_r = o.neg(r);
    let rest = o.fma(minus_r, low, rest);
    // Not s, which has been rounded.
    let minus_half = o.f(-0.5);
    let h = o.mul(r, minus_half);
    let rest = o.fma(h, r, rest);
    let one = o.bits(ONE);
    let cosine = o.add(one, rest);
    let odd = is_odd(o, quarters);
    let y = o.select(odd, cosine, sine);
    o.flip(y, sign)
}

/// The tangent of an angle in radians: the quotient of sine and cosine, each a sum of two floats.
pub(super) fn tan<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let Reduced { r, low, quarters } = reduce(o, a);
    // 1 - r² / 2, exactly but for the rounding of r².
    let s = o.mul(r, r);
    let minus_half = o.f(-0.5);
    let one = o.bits(ONE);
    let first = o.fma(s, minus_half, one);
    let back = o.sub(one, first);
    let rest = o.fma(s, minus_half, back);
    let minus_s = o.neg(s);
    let s_low = o.fma(r, r, minus_s);
    let rest = o.fma(s_low, minus_half, rest);
    let minus_r = o.neg(r);
    let rest = o.fma(minus_r, low, rest);
    let s2 = o.mul(s, s);
    let p = o.horner(s, &COS);
    let rest = o.fma(s2, p, rest);
    let cosine = o.add(first, rest);
    let back = o.sub(cosine, first);
    let cosine_low = o.sub(rest, back);
    let p = o.horner(s, &SIN);
    let r3 = o.mul(r, s);
    let rest = o.mul(low, first);
    let rest = o.fma(r3, p, rest);
    let sine = o.add(r, rest);
    let back = o.sub(sine, r);
    let sine_low = o.sub(rest, back);
    // One over the other, with a minus after an odd number of quarters.
    let odd = is_odd(o, quarters);
    let numerator = o.select(odd, cosine, sine);
    let numerator_low = o.select(odd, cosine_low, sine_low);
    let denominator = o.select(odd, sine, cosine);
    let denominator_low = o.select(odd, sine_low, cosine_low);
    let inverse = o.div(one, denominator);
    let q = o.mul(numerator, inverse);
    let minus_q = o.neg(q);
    let rest = o.fma(minus_q, denominator, numerator);
    let rest = o.add(rest, numerator_low);
    let rest = o.fma(minus_q, denominator_low, rest);
    let y = o.fma(rest, inverse, q);
    let turned = o.shl(quarters, 31);
    let sign = o.xor(sign, turned);
    o.flip(y, sign)
}

fn is_odd<O: Ops>(o: &mut O, quarters: O::V) -> O::V {
    let last = o.mask(quarters, 1);
    let one = o.bits(1);
    o.iequal(last, one)
}
