//! Bits of one word as several numbers. The answers come from exact arithmetic on numbers of 64 bits.

use super::lab::{Failure, Lab};
use super::sheet::{self, EDGES, Row, pairs};

fn bytes(word: u32) -> [i64; 4] {
    word.to_le_bytes().map(i64::from)
}

fn signed_bytes(word: u32) -> [i64; 4] {
    word.to_le_bytes().map(|byte| i64::from(byte as i8))
}

fn sum(a: [i64; 4], b: [i64; 4]) -> u32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum::<i64>() as u32
}

/// Integers are packed in one way only.
pub(super) async fn packs_integers(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("pack4xU8(v)", |v| u32::from_le_bytes(v.map(|x| x as u8))),
        ("pack4xI8(w)", |v| u32::from_le_bytes(v.map(|x| x as u8))),
        ("pack4xU8Clamp(v)", |v| u32::from_le_bytes(v.map(|x| x.min(255) as u8))),
        ("pack4xI8Clamp(w)", |v| u32::from_le_bytes(v.map(|x| (x as i32).clamp(-128, 127) as u8))),
        ("unpack4xU8(a).x + unpack4xU8(a).y * 3 + unpack4xU8(a).z * 7 + unpack4xU8(a).w * 31", |[a, ..]| {
            sum(bytes(a), [1, 3, 7, 31])
        }),
        ("u32(dot(unpack4xI8(a), vec4i(1, 3, 7, 31)))", |[a, ..]| sum(signed_bytes(a), [1, 3, 7, 31])),
        ("dot4U8Packed(a, b)", |[a, b, ..]| sum(bytes(a), bytes(b))),
        ("u32(dot4I8Packed(a, b))", |[a, b, ..]| sum(signed_bytes(a), signed_bytes(b))),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&EDGES)).await
}

/// `floor(fma(x, steps, 0.5))` of `x` clamped: the product of two binary32 is a binary64, and the sum is rounded once.
fn steps(bits: u32, low: f64, steps: f64) -> i64 {
    let x = f64::from(f32::from_bits(bits));
    let inside = if x.is_nan() { low } else { x.clamp(low, 1.0) };
    f64::from((inside * steps + 0.5) as f32).floor() as i64
}

/// How floats are packed and unpacked is defined bit for bit in the exact profile alone.
pub(super) async fn packs_floats(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("pack4x8unorm(u)", |v| u32::from_le_bytes(v.map(|x| steps(x, 0.0, 255.0) as u8))),
        ("pack4x8snorm(u)", |v| u32::from_le_bytes(v.map(|x| steps(x, -1.0, 127.0) as u8))),
        ("pack2x16unorm(u.xy)", |[a, b, ..]| {
            steps(a, 0.0, 65535.0) as u32 & 0xffff | (steps(b, 0.0, 65535.0) as u32) << 16
        }),
        ("pack2x16snorm(u.yx)", |[a, b, ..]| {
            steps(b, -1.0, 32767.0) as u32 & 0xffff | (steps(a, -1.0, 32767.0) as u32) << 16
        }),
        ("bitcast<u32>(unpack4x8unorm(a).x)", |[a, ..]| (bytes(a)[0] as f32 / 255.0).to_bits()),
        ("bitcast<u32>(unpack4x8unorm(a).w)", |[a, ..]| (bytes(a)[3] as f32 / 255.0).to_bits()),
        ("bitcast<u32>(unpack4x8snorm(a).y)", |[a, ..]| (signed_bytes(a)[1] as f32 / 127.0).max(-1.0).to_bits()),
        ("bitcast<u32>(unpack2x16unorm(a).y)", |[a, ..]| ((a >> 16) as f32 / 65535.0).to_bits()),
        ("bitcast<u32>(unpack2x16snorm(a).x)", |[a, ..]| (f32::from(a as u16 as i16) / 32767.0).max(-1.0).to_bits()),
    ];
    let mut words: Vec<u32> = [0.0_f32, 0.25, 0.5, 1.0, 1.5, 1e-40, 0.999, 0.498, 3e38].map(f32::to_bits).to_vec();
    words.extend((0..12).map(|step| (step as f32 * 0.4 / 127.0).to_bits()));
    words.extend((0..12).map(|step| ((step as f32 + 0.5) / 255.0).to_bits()));
    words.extend((0..12).map(|step| ((step as f32 * 111.0 + 0.5) / 32767.0).to_bits()));
    words.extend(words.clone().iter().map(|word| word | 0x8000_0000));
    words.extend([f32::NAN, f32::INFINITY, f32::NEG_INFINITY].map(f32::to_bits));
    sheet::check(&mut lab, "", ROWS, &pairs(&words)).await?;
    sheet::check(&mut lab, "", ROWS, &pairs(&EDGES)).await
}

/// What a binary16 is, from its parts.
fn half(bits: u32) -> f64 {
    let (sign, exponent, fraction) = (bits >> 15 & 1, bits >> 10 & 31, f64::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent as i32 - 25),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

/// The binary16 nearest to a number, of two the even one, found by trying all; a NaN is `0x7e00`.
fn nearest_half(x: f64) -> u32 {
    if x.is_nan() {
        return 0x7e00;
    }
    let sign = if x.is_sign_negative() { 0x8000 } else { 0 };
    // From 65520 on, what is nearest would be the next power of two.
    if x.abs() >= 65520.0 {
        return sign | 0x7c00;
    }
    let above = (0..0x7c00_u32).collect::<Vec<_>>().partition_point(|bits| half(*bits) < x.abs()) as u32;
    let below = above.saturating_sub(1);
    let (up, down) = (half(above.min(0x7bff)) - x.abs(), x.abs() - half(below));
    let nearest = if above > 0x7bff || down < up || (down == up && below.is_multiple_of(2)) { below } else { above };
    sign | nearest
}

pub(super) async fn packs_halves(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("pack2x16float(u.xy) & 0xffff", |[a, ..]| nearest_half(f32::from_bits(a).into())),
        ("pack2x16float(u.xy) >> 16", |[_, b, ..]| nearest_half(f32::from_bits(b).into())),
        ("bitcast<u32>(quantizeToF16(f))", |[a, ..]| canonical(half(nearest_half(f32::from_bits(a).into())) as f32)),
        ("bitcast<u32>(unpack2x16float(a).x)", |[a, ..]| canonical(half(a & 0xffff) as f32)),
        ("bitcast<u32>(unpack2x16float(a).y)", |[a, ..]| canonical(half(a >> 16) as f32)),
    ];
    let mut words = EDGES.to_vec();
    words.extend(
        [65504.0_f32, 65519.99, 65520.0, 65536.0, 6e-8, 3e-8, 2.9e-8, 6.1e-5, 1.0005, -1.0005].map(f32::to_bits),
    );
    words.extend([f32::NAN, -f32::NAN, f32::INFINITY, 0.1, 2049.0, 2051.0, -0.0].map(f32::to_bits));
    words.extend([0x7c01_fe00, 0x03ff_0400, 0x8001_7bff, 0x7c00_fc00]);
    sheet::check(&mut lab, "", ROWS, &pairs(&words)).await
}

fn canonical(x: f32) -> u32 {
    if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }
}
