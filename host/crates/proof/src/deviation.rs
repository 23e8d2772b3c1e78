//! How far two binary32 numbers are from each other, in integers.
//!
//! Every finite binary32 number is an integer of 24 bits times a power of two, so differences and their ratios are done on
//! `u128`, and what does not fit is rounded up once, to binary32. Since a tolerance is a binary32 number itself, a
//! deviation rounded up is within it exactly if the true one is: nothing is lost by reporting, and comparing, the
//! rounded one. Deviations are held as bits, which order as the numbers do where no number has a sign.

/// The bits of positive infinity: the deviation between numbers that no tolerance joins.
pub(crate) const INFINITY: u32 = 0x7f80_0000;

/// The exponent of the smallest positive binary32 number.
const EXPONENT_MIN: i32 = -149;

/// How far numbers are aligned. Beyond it, the smaller one is less than any bit that rounding looks at.
const ALIGNED_BITS: i32 = 100;

/// The magnitude, without the sign.
fn magnitude(bits: u32) -> u32 {
    bits & 0x7fff_ffff
}

/// True for both infinities and every NaN.
fn is_special(bits: u32) -> bool {
    magnitude(bits) >= INFINITY
}

fn is_nan(bits: u32) -> bool {
    magnitude(bits) > INFINITY
}

/// The deviation where an infinity or a NaN is involved: none if both are the same infinity or both are NaN.
fn special(a: u32, b: u32) -> Option<bool> {
    (is_special(a) || is_special(b)).then(|| a == b || (is_nan(a) && is_nan(b)))
}

/// Steps from one number to the next that lie between two; `u64::MAX` where no count joins them. Both zeros are one.
pub(crate) fn ulps(a: u32, b: u32) -> u64 {
    if let Some(same) = special(a, b) {
        return if same { 0 } else { u64::MAX };
    }
    let place = |bits: u32| {
        let magnitude = i64::from(magnitude(bits));
        if bits >> 31 == 0 { magnitude } else { -magnitude }
    };
    place(a).abs_diff(place(b))
}

/// |a − b|, rounded up.
pub(crate) fn absolute(a: u32, b: u32) -> u32 {
    match special(a, b) {
        Some(true) => 0,
        Some(false) => INFINITY,
        None => {
            let (difference, exponent) = difference(a, b);
            round_up(difference, exponent, false)
        }
    }
}

/// |a − b| ÷ max(|a|, |b|), rounded up; 0 for two zeros.
pub(crate) fn relative(a: u32, b: u32) -> u32 {
    match special(a, b) {
        Some(true) => return 0,
        Some(false) => return INFINITY,
        None => {}
    }
    let (difference, exponent) = difference(a, b);
    if difference == 0 {
        return 0;
    }
    let (divisor, divisor_exponent) = parts(magnitude(a).max(magnitude(b)));
    // As many bits of the quotient as there is room for: at least 80, as the divisor has 24 at most.
    let shift = difference.leading_zeros();
    let (dividend, divisor) = (difference << shift, u128::from(divisor));
    let is_cut = dividend % divisor != 0;
    round_up(dividend / divisor, exponent - shift as i32 - divisor_exponent, is_cut)
}

/// A finite magnitude as an integer and its exponent of two.
fn parts(magnitude: u32) -> (u32, i32) {
    let (exponent, fraction) = ((magnitude >> 23) as i32, magnitude & 0x007f_ffff);
    match exponent {
        0 => (fraction, EXPONENT_MIN),
        _ => (fraction | 0x0080_0000, EXPONENT_MIN + exponent - 1),
    }
}

/// |a − b| of two finite numbers, as an integer and its exponent of two.
///
/// Exact unless the exponents are more than [`ALIGNED_BITS`] apart. Then a smaller number that is not zero counts as one
/// unit in the last place of the larger one so aligned, which rounds to the same numbers, as does its ratio.
fn difference(a: u32, b: u32) -> (u128, i32) {
    let (large, small) = if magnitude(a) >= magnitude(b) { (a, b) } else { (b, a) };
    let ((large_part, large_exponent), (small_part, small_exponent)) =
        (parts(magnitude(large)), parts(magnitude(small)));
    let apart = large_exponent - small_exponent;
    let shift = apart.min(ALIGNED_BITS);
    let large = u128::from(large_part) << shift;
    let small_part = if apart > ALIGNED_BITS { u128::from(small_part != 0) } else { u128::from(small_part) };
    let difference = if (a ^ b) >> 31 == 0 { large - small_part } else { large + small_part };
    (difference, large_exponent - shift)
}

/// The least binary32 number that is not below `integer` × 2^`exponent`, or not at or below it if bits of it were cut.
fn round_up(integer: u128, exponent: i32, is_cut: bool) -> u32 {
    let bits = (u128::BITS - integer.leading_zeros()) as i32;
    // Cut to 24 bits, or to fewer where the number is subnormal.
    let cut = (bits - 24).max(EXPONENT_MIN - exponent);
    let (kept, is_cut) = match cut {
        ..=0 => (integer << -cut, is_cut),
        1..128 => (integer >> cut, is_cut || integer & ((1 << cut) - 1) != 0),
        _ => (0, is_cut || integer != 0),
    };
    let kept = kept as u32 + u32::from(is_cut);
    // The carry of 2^24 runs into the exponent, as it should.
    let biased = (exponent + cut - EXPONENT_MIN) as u32;
    let bits = if kept < 0x0080_0000 { kept } else { (biased << 23) + kept };
    bits.min(INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers at the edges of the format, and random ones around a common exponent.
    fn samples() -> Vec<u32> {
        let mut samples = vec![0, 1, 2, 0x007f_ffff, 0x0080_0000, 0x0080_0001, 0x3f7f_ffff, 0x3f80_0000, 0x3f80_0001];
        samples.extend([0x3eaa_aaab, 0x4b80_0000, 0x7f00_0000, 0x7f7f_ffff]);
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..300 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Exponents close enough that differences and products are exact in binary64.
            samples.push(0x3f80_0000 - (random as u32 & 0x03ff_ffff));
            samples.push(random as u32 & 0x00ff_ffff);
        }
        samples.iter().flat_map(|bits| [*bits, *bits | 0x8000_0000]).collect()
    }

    /// The numbers of two bit patterns in binary64, if what is between them is exact there.
    fn exact(a: u32, b: u32) -> Option<(f64, f64)> {
        let parts = [a, b].map(|bits| (bits >> 23 & 0xff) as i32);
        let close = (parts[0] - parts[1]).abs() < 28 || magnitude(a) == 0 || magnitude(b) == 0;
        close.then(|| (f64::from(f32::from_bits(a)), f64::from(f32::from_bits(b))))
    }

    /// A deviation is the least binary32 number that is not below the true one.
    #[test]
    fn deviations_are_rounded_up_and_no_further() {
        let samples = samples();
        let below = |bits: u32| f64::from(f32::from_bits(bits.wrapping_sub(1)));
        let mut seen = 0;
        for (a, b) in samples.iter().flat_map(|a| samples.iter().map(|b| (*a, *b))) {
            let Some((x, y)) = exact(a, b) else { continue };
            let (difference, larger) = ((x - y).abs(), x.abs().max(y.abs()));
            let found = absolute(a, b);
            if found == INFINITY {
                assert!(difference > f64::from(f32::MAX), "{a:08x} {b:08x}");
            } else {
                assert!(f64::from(f32::from_bits(found)) >= difference, "{a:08x} {b:08x}: {found:08x}");
            }
            assert!(found == 0 || below(found) < difference, "{a:08x} {b:08x}: {found:08x}");

            // A product of 24 bits and 24 bits is exact too.
            let found = relative(a, b);
            assert!(f64::from(f32::from_bits(found)) * larger >= difference, "{a:08x} {b:08x}: {found:08x}");
            assert!(found == 0 || below(found) * larger < difference, "{a:08x} {b:08x}: {found:08x}");
            seen += 1;
        }
        assert!(seen > 100_000, "{seen}");
    }

    #[test]
    fn what_is_far_apart_is_rounded_as_if_all_bits_were_there() {
        let (one, tiny) = (0x3f80_0000, 1);
        assert_eq!(absolute(one, tiny), one, "just below 1");
        assert_eq!(absolute(one, tiny | 0x8000_0000), one + 1, "just above 1");
        assert_eq!(relative(one, tiny), one);
        assert_eq!(relative(one, tiny | 0x8000_0000), one + 1);
        assert_eq!(absolute(0x7f7f_ffff, 0xff7f_ffff), INFINITY, "twice the largest");
        assert_eq!(absolute(0x7f7f_ffff, 0x8000_0001), INFINITY, "the largest and a little");
        assert_eq!(relative(0x7f7f_ffff, 0xff7f_ffff), 0x4000_0000, "2");
        assert_eq!(relative(1, 2), 0x3f00_0000, "a half, of the smallest numbers");
    }

    #[test]
    fn ulps_count_steps_across_zero_and_binades() {
        for (a, b, steps) in [
            (0, 0x8000_0000, 0),
            (1, 0x8000_0001, 2),
            (0x007f_ffff, 0x0080_0000, 1),
            (0x3f7f_ffff, 0x3f80_0001, 2),
            (0x7f7f_ffff, 0xff7f_ffff, 2 * 0x7f7f_ffff),
        ] {
            assert_eq!((ulps(a, b), ulps(b, a)), (steps, steps), "{a:08x} {b:08x}");
        }
    }

    #[test]
    fn infinities_and_nans_are_near_only_their_like() {
        let (inf, nan) = (INFINITY, 0x7fc0_0000);
        for (a, b) in [(inf, inf), (nan, nan), (nan, 0xffff_ffff), (0x7f80_0001, nan)] {
            assert_eq!((absolute(a, b), relative(a, b), ulps(a, b)), (0, 0, 0), "{a:08x} {b:08x}");
        }
        for (a, b) in [(inf, 0xff80_0000), (inf, nan), (inf, 0x7f7f_ffff), (nan, 0), (nan, 0x3f80_0000)] {
            for (a, b) in [(a, b), (b, a)] {
                assert_eq!((absolute(a, b), relative(a, b), ulps(a, b)), (inf, inf, u64::MAX), "{a:08x} {b:08x}");
            }
        }
    }
}
