//! `exp` and `exp2`.

use super::steps::{ONE, ROUND_EXPONENT, Steps};
use crate::lowered::Ops;

/// Bits of log₂ e, rounded.
const LOG2_E: u32 = 0x3fb8_aa3b;
/// Bits of -ln 2, rounded.
const MINUS_LN2_HIGH: u32 = 0xbf31_7218;
/// Bits of what is missing from [`MINUS_LN2_HIGH`], rounded.
const MINUS_LN2_LOW: u32 = 0x3102_e308;

/// exp(r) for |r| ≤ 0.3478.
const EXP: [u32; 7] = [ONE, ONE, 0x3eff_fffc, 0x3e2a_aa45, 0x3d2a_adbf, 0x3c09_1f4b, 0x3ab4_3985];
/// 2ʳ for |r| ≤ 0.5.
const EXP2: [u32; 7] = [ONE, 0x3f31_7218, 0x3e75_fdec, 0x3d63_57bb, 0x3c1d_9850, 0x3aaf_85c1, 0x391f_d103];

/// e raised to a power.
pub(super) fn exp<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let x = o.at_most(x, 104.0);
    let x = o.at_least(x, -104.0);
    let (n, r) = reduce(o, x);
    let p = o.horner(r, &EXP);
    o.scale(p, n)
}

/// Two raised to a power.
pub(super) fn exp2<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let x = o.at_most(x, 130.0);
    let x = o.at_least(x, -152.0);
    let round = o.bits(ROUND_EXPONENT);
    let t = o.add(x, round);
    let n = o.sub(t, round);
    let r = o.sub(x, n);
    let p = o.horner(r, &EXP2);
    let n = o.to_bits(t);
    o.scale(p, n)
}

/// x = n ln 2 + r with |r| ≤ 0.3478, for |x| ≤ 110. The first result has n for [`Steps::scale`].
pub(super) fn reduce<O: Ops>(o: &mut O, x: O::V) -> (O::V, O::V) {
    let (t, r, _, _) = reduce_half(o, x);
    (t, r)
}

/// The same, and what r lacks.
pub(super) fn reduce_exactly<O: Ops>(o: &mut O, x: O::V) -> (O::V, O::V, O::V) {
    let (t, r, first, n) = reduce_half(o, x);
    let back = o.sub(first, r);
    let low = o.bits(MINUS_LN2_LOW);
    let lost = o.fma(n, low, back);
    (t, r, lost)
}

fn reduce_half<O: Ops>(o: &mut O, x: O::V) -> (O::V, O::V, O::V, O::V) {
    let round = o.bits(ROUND_EXPONENT);
    let log2_e = o.bits(LOG2_E);
    let t = o.fma(x, log2_e, round);
    let n = o.sub(t, round);
    let high = o.bits(MINUS_LN2_HIGH);
    let low = o.bits(MINUS_LN2_LOW);
    // Exact: what is left is a multiple of the last bit of either, and small.
    let first = o.fma(n, high, x);
    let r = o.fma(n, low, first);
    (o.to_bits(t), r, first, n)
}
