//! `log` and `log2`.

use super::steps::{INFINITY, NAN, ONE, SIGN, Steps};
use crate::lowered::Ops;

/// Bits of √½, rounded down: where [`log`] and `pow` split.
pub(super) const SQRT_HALF: u32 = 0x3f35_04f3;
/// Bits of 0.675: where [`log2`] splits, so that the fraction's logarithm is small wherever the result is below 1/2.
const LOG2_LEAST: u32 = 0x3f2c_cccd;
/// Bits of ln 2 in 16 bits, so that its products with exponents are exact.
const LN2_HIGH: u32 = 0x3f31_7200;
/// Bits of what is missing from [`LN2_HIGH`], rounded.
const LN2_LOW: u32 = 0x35bf_be8e;
/// Bits of log₂ e, rounded.
const LOG2_E_HIGH: u32 = 0x3fb8_aa3b;
/// Bits of what is missing from [`LOG2_E_HIGH`], rounded.
const LOG2_E_LOW: u32 = 0x32a5_7060;

/// (ln(1 + f) - f) / f² for √½ ≤ 1 + f < √2: the coefficient of degree 0, those of 1, 3, 5, 7, and those of 2, 4, 6, 8.
const LOG: [&[u32]; 3] = [
    &[0xbeff_fffc],
    &[0x3eaa_aaa8, 0x3e4c_d20d, 0x3e11_36fe, 0x3e04_306a],
    &[0xbe80_0219, 0xbe2a_12e2, 0xbe07_9fd4, 0xbd9c_2397],
];
/// (log₂(1 + f) - f log₂ e) / f² for 0.675 ≤ 1 + f < 1.35, in the same order.
const LOG2: [&[u32]; 3] = [
    &[0xbf38_aa3b],
    &[0x3ef6_3812, 0x3e93_cf94, 0x3e4e_e35b, 0x3e4e_8385],
    &[0xbeb8_aa82, 0xbe76_2cec, 0xbe37_c7bb, 0xbe2c_7c1e],
];

/// The natural logarithm.
pub(super) fn log<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let [m, e, special] = split(o, x, SQRT_HALF);
    let y = log_of(o, m, e, None);
    override_zero(o, y, special)
}

/// The logarithm to base 2.
pub(super) fn log2<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let [m, e, special] = split(o, x, LOG2_LEAST);
    let one = o.bits(ONE);
    let f = o.sub(m, one);
    let f2 = o.mul(f, f);
    let q = o.even_odd(f, f2, LOG2);
    let high = o.bits(LOG2_E_HIGH);
    let low = o.bits(LOG2_E_LOW);
    let p = o.mul(f, high);
    let minus_p = o.neg(p);
    let rest = o.fma(f, high, minus_p);
    let rest = o.fma(f, low, rest);
    let rest = o.fma(f2, q, rest);
    let s = o.add(e, p);
    let back = o.sub(s, e);
    let lost = o.sub(p, back);
    let rest = o.add(rest, lost);
    let y = o.add(s, rest);
    override_zero(o, y, special)
}

/// ln(m 2ᵉ) + `extra`, with m in [√½, √2) and something small.
pub(super) fn log_of<O: Ops>(o: &mut O, m: O::V, e: O::V, extra: Option<O::V>) -> O::V {
    let one = o.bits(ONE);
    let f = o.sub(m, one);
    let f2 = o.mul(f, f);
    let q = o.even_odd(f, f2, LOG);
    let high = o.bits(LN2_HIGH);
    let low = o.bits(LN2_LOW);
    let n = o.mul(e, high);
    let s = o.add(n, f);
    let back = o.sub(s, n);
    let lost = o.sub(f, back);
    let rest = match extra {
        Some(extra) => o.add(lost, extra),
        None => lost,
    };
    let rest = o.fma(e, low, rest);
    let rest = o.fma(f2, q, rest);
    o.add(s, rest)
}

/// x = m 2ᵉ with m in [`least`, 2 `least`), as floats, for a finite x above zero. For every other x, m 2ᵉ is 1, and the third has
/// the bits of the logarithm, which are zero otherwise.
fn split<O: Ops>(o: &mut O, x: O::V, least: u32) -> [O::V; 3] {
    let odd = is_odd(o, x);
    let zero = o.bits(0);
    let [m, e] = split_normal(o, x, 0, least);
    o.rarely(odd, [m, e, zero], |o| {
        let minus_infinity = o.bits(INFINITY | SIGN);
        let nan = o.bits(NAN);
        let infinity = o.bits(INFINITY);
        let zero = o.bits(0);
        let one = o.bits(ONE);
        let [m, e] = split_subnormal(o, x, least);
        let positive = o.less(zero, x);
        let finite = o.less(x, infinity);
        let subnormal = o.both(positive, finite);
        let is_zero = o.equal(x, zero);
        let special = o.select(is_zero, minus_infinity, nan);
        let special = o.select(positive, infinity, special);
        let special = o.select(subnormal, zero, special);
        let m = o.select(subnormal, m, one);
        let e = o.select(subnormal, e, zero);
        [m, e, special]
    })
}

/// Whether x is anything but a normal number above zero.
pub(super) fn is_odd<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let bits = o.to_bits(x);
    let least = o.bits(0x0080_0000);
    let above = o.isub(bits, least);
    let last = o.bits(0x7eff_ffff);
    o.uless(last, above)
}

/// x = m 2^(e - `more`) with m in [`least`, 2 `least`), for a normal x above zero.
pub(super) fn split_normal<O: Ops>(o: &mut O, x: O::V, more: i32, least: u32) -> [O::V; 2] {
    let bits = o.to_bits(x);
    let least = o.bits(least);
    let above = o.isub(bits, least);
    let n = o.sar(above, 23);
    let shifted = o.mask(above, 0xff80_0000);
    let m = o.isub(bits, shifted);
    let n = if more == 0 { n } else { o.iadd_c(n, more.cast_unsigned()) };
    [o.to_float(m), o.convert(n)]
}

/// x = m 2ᵉ with m in [`least`, 2 `least`), for a subnormal x above zero.
pub(super) fn split_subnormal<O: Ops>(o: &mut O, x: O::V, least: u32) -> [O::V; 2] {
    let up = o.f(16_777_216.0);
    let x = o.mul(x, up);
    split_normal(o, x, -24, least)
}

/// `y`, or where `special` is not zero, `special`: `y` is zero there.
fn override_zero<O: Ops>(o: &mut O, y: O::V, special: O::V) -> O::V {
    let bits = o.to_bits(y);
    let special = o.to_bits(special);
    let bits = o.or(bits, special);
    o.to_float(bits)
}
