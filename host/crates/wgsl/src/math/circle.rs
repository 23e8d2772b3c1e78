//! `sin`, `cos` and `tan`.

use super::reduce::{Reduced, reduce};
use super::steps::{ONE, SIGN, Steps};
use crate::lowered::Ops;

/// (sin r - r) / r³, in r², for |r| ≤ 0.7875.
const SIN: [u32; 3] = [0xbe2a_aaa2, 0x3c08_8370, 0xb94c_94cf];
/// (cos r - 1) / r², in r², for |r| ≤ 0.7875.
const COS: [u32; 4] = [0xbf00_0000, 0x3d2a_aaa5, 0xbab6_0613, 0x37cc_f383];
/// (tan r - r) / r³, in r², for |r| ≤ 0.7875.
const TAN: [u32; 7] = [0x3eaa_aab0, 0x3e08_86cb, 0x3d5d_6e0d, 0x3cae_50c9, 0x3c31_c515, 0x3889_e59f, 0x3b8f_dc2e];

/// The sine of an angle in radians.
pub(super) fn sin<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let reduced = reduce(o, a);
    let quarters = reduced.quarters;
    let turned = o.shl(quarters, 30);
    let turned = o.mask(turned, SIGN);
    let sign = o.xor(sign, turned);
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
    let minus_r = o.neg(r);
    let rest = o.mul(minus_r, low);
    let rest = o.fma(s, p, rest);
    let one = o.bits(ONE);
    let cosine = o.add(one, rest);
    let odd = is_odd(o, quarters);
    let y = o.select(odd, cosine, sine);
    o.flip(y, sign)
}

/// The tangent of an angle in radians.
pub(super) fn tan<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let Reduced { r, low, quarters } = reduce(o, a);
    let s = o.mul(r, r);
    let p = o.horner(s, &TAN);
    let r3 = o.mul(r, s);
    let low = o.fma(low, s, low);
    let rest = o.fma(r3, p, low);
    let high = o.add(r, rest);
    let back = o.sub(high, r);
    let low = o.sub(rest, back);
    let minus_one = o.bits(ONE | SIGN);
    let one = o.bits(ONE);
    let inverse = o.div(minus_one, high);
    let wrong = o.fma(inverse, high, one);
    let wrong = o.fma(inverse, low, wrong);
    let inverse = o.fma(inverse, wrong, inverse);
    let odd = is_odd(o, quarters);
    let y = o.select(odd, inverse, high);
    o.flip(y, sign)
}

fn is_odd<O: Ops>(o: &mut O, quarters: O::V) -> O::V {
    let last = o.mask(quarters, 1);
    let one = o.bits(1);
    o.iequal(last, one)
}
