//! Conversions from and to binary16, all of them, against a model that counts in units.

use super::result;
use samebit_wgsl::lowered::MathFunction::{F16FromFloat, FloatFromF16, QuantizeToF16};

/// The value of a binary16 that is not negative and no NaN.
fn value(bits: u32) -> f64 {
    let (exponent, fraction) = ((bits >> 10).cast_signed(), f64::from(bits & 0x3ff));
    match exponent {
        0 => fraction * 2f64.powi(-24),
        31 => f64::INFINITY,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

#[test]
fn every_half_becomes_its_float_and_comes_back() {
    for bits in 0..0x1_0000_u32 {
        let float = result(FloatFromF16, &[bits]);
        let size = bits & 0x7fff;
        if size > 0x7c00 {
            assert_eq!(float, 0x7fc0_0000, "{bits:04x}");
            continue;
        }
        let sign = (bits & 0x8000) << 16;
        assert_eq!(float, (value(size) as f32).to_bits() | sign, "{bits:04x}");
        assert_eq!(result(F16FromFloat, &[float]), bits, "{bits:04x}");
        assert_eq!(result(QuantizeToF16, &[float]), float, "{bits:04x}");
        assert_eq!(result(FloatFromF16, &[bits | 0xabcd_0000]), float, "{bits:04x}: the upper half counts");
    }
}

#[test]
fn floats_go_to_the_nearest_half() {
    // Between each half and the next: just above the lower, below, at and above the middle, just below the upper.
    for low in 0..0x7c00_u32 {
        let (below, above) = (value(low), if low == 0x7bff { 65536.0 } else { value(low + 1) });
        let middle = f64::midpoint(below, above) as f32;
        let even = low + (low & 1);
        let cases = [
            ((below as f32).next_up(), low),
            (middle.next_down(), low),
            (middle, even),
            (middle.next_up(), low + 1),
            ((above as f32).next_down(), low + 1),
        ];
        for (float, expected) in cases {
            for sign in [0, 0x8000_u32] {
                let bits = float.to_bits() | sign << 16;
                let half = expected | sign;
                assert_eq!(result(F16FromFloat, &[bits]), half, "{float:e} to {half:04x}");
                assert_eq!(result(QuantizeToF16, &[bits]), result(FloatFromF16, &[half]), "{float:e}");
            }
        }
    }
    for float in [65536.0, 1e6, f32::MAX, f32::INFINITY] {
        assert_eq!(result(F16FromFloat, &[float.to_bits()]), 0x7c00);
        assert_eq!(result(QuantizeToF16, &[(-float).to_bits()]), f32::NEG_INFINITY.to_bits());
    }
}
