//! Comparisons, by integers, and the smaller and larger of two floats.

use super::Steps;
use crate::exact::target::Instructions;
use samebit_device::wgsl::lowered::Binary;

/// `==`, `<` or `<=`.
pub(in super::super) fn integer<I: Instructions>(i: &mut I, op: Binary, a: I::V, b: I::V) -> I::V {
    let [nan_a, nan_b] = [a, b].map(|bits| i.is_nan(bits));
    let [key_a, key_b] = [a, b].map(|bits| key(i, bits));
    let holds = match op {
        Binary::FloatLess => i.sless(key_a, key_b),
        Binary::FloatLessEqual => {
            let is_greater = i.sless(key_b, key_a);
            i.not(is_greater)
        }
        _ => i.equal(key_a, key_b),
    };
    let nan = i.either(nan_a, nan_b);
    let are_numbers = i.not(nan);
    i.both(holds, are_numbers)
}

/// An integer that is less where the float is, and the same for both zeros.
fn key<I: Instructions>(i: &mut I, bits: I::V) -> I::V {
    // -m for a negative float of magnitude m.
    let mask = i.with(Binary::ShiftRightSigned, bits, 31);
    let magnitude = i.magnitude(bits);
    let flipped = i.xor(magnitude, mask);
    i.sub(flipped, mask)
}

/// The smaller or larger of two floats, from how they compare: the second if `second` holds or the first is NaN.
pub(in super::super) fn extreme<I: Instructions>(i: &mut I, second: I::V, a: I::V, b: I::V) -> I::V {
    let nan = i.is_nan(a);
    let takes_second = i.either(second, nan);
    i.select(takes_second, b, a)
}
