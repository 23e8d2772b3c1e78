//! Floats, one at a time, in the exact profile. The answers come from Rust's IEEE arithmetic.

use std::cmp::Ordering;
use std::ops::{Div, Sub};

use super::lab::{Failure, Lab};
use super::sheet::{self, Row, pairs};

/// Zeros, subnormals, the ends of binades, halves, where integers end, infinities and NaNs.
pub(super) const FLOATS: [u32; 40] = [
    0,
    0x8000_0000,
    1,
    0x8000_0001,
    0x0000_1234,
    0x007f_ffff,
    0x0080_0000,
    0x8080_0000,
    0x0080_0001,
    0x3f7f_ffff,
    0x3f80_0000,
    0xbf80_0000,
    0x3f80_0001,
    0x3f00_0000,
    0xbf00_0000,
    0x3eff_ffff,
    0x3fc0_0000,
    0x4020_0000,
    0xc020_0000,
    0x4049_0fdb,
    0x3dcc_cccd,
    0x3eaa_aaab,
    0x40a0_0000,
    0x4b00_0000,
    0x4aff_ffff,
    0x4b80_0001,
    0xcb00_0001,
    0x4eff_ffff,
    0x4f00_0000,
    0xcf00_0000,
    0x4f7f_ffff,
    0x4f80_0000,
    0x5f00_0000,
    0x1f80_0000,
    0x7f7f_ffff,
    0xff7f_ffff,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0xffa1_2345,
];

/// The one NaN that buffers and integers see.
pub(super) fn bits(x: f32) -> u32 {
    if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }
}

pub(super) fn float(word: u32) -> f32 {
    f32::from_bits(word)
}

fn of_one(word: u32, of: impl Fn(f32) -> f32) -> u32 {
    bits(of(float(word)))
}

fn of_two(a: u32, b: u32, of: impl Fn(f32, f32) -> f32) -> u32 {
    bits(of(float(a), float(b)))
}

pub(super) async fn computes(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("bitcast<u32>(f)", |[a, ..]| bits(float(a))),
        ("bitcast<u32>(f + g)", |[a, b, ..]| of_two(a, b, |a, b| a + b)),
        ("bitcast<u32>(f - g)", |[a, b, ..]| of_two(a, b, |a, b| a - b)),
        ("bitcast<u32>(f * g)", |[a, b, ..]| of_two(a, b, |a, b| a * b)),
        ("bitcast<u32>(f / g)", |[a, b, ..]| of_two(a, b, |a, b| a / b)),
        ("bitcast<u32>(f % g)", |[a, b, ..]| of_two(a, b, |a, b| (-b).mul_add((a / b).trunc(), a))),
        ("bitcast<u32>(-f)", |[a, ..]| of_one(a, |a| -a)),
        ("bitcast<u32>(fma(f, g, h))", |[a, b, c, _]| bits(float(a).mul_add(float(b), float(c)))),
        ("bitcast<u32>(sqrt(f))", |[a, ..]| of_one(a, f32::sqrt)),
        ("bitcast<u32>(inverseSqrt(f))", |[a, ..]| of_one(a, |a| 1.0 / a.sqrt())),
        // Nothing is fused, folded or reordered.
        ("bitcast<u32>(f * g + h)", |[a, b, c, _]| bits(float(a) * float(b) + float(c))),
        ("bitcast<u32>((f + g) - f)", |[a, b, ..]| of_two(a, b, |a, b| (a + b) - a)),
        ("bitcast<u32>(f * 0.0)", |[a, ..]| of_one(a, |a| a * 0.0)),
        ("bitcast<u32>(f + 0.0)", |[a, ..]| of_one(a, |a| a + 0.0)),
        ("bitcast<u32>(f - f)", |[a, ..]| of_one(a, |a| Sub::sub(a, a))),
        ("bitcast<u32>(f / f)", |[a, ..]| of_one(a, |a| Div::div(a, a))),
        ("bitcast<u32>(f * g + f * h)", |[a, b, c, _]| bits(float(a) * float(b) + float(a) * float(c))),
        ("bitcast<u32>(sqrt(f) * sqrt(f))", |[a, ..]| of_one(a, |a| a.sqrt() * a.sqrt())),
        ("bitcast<u32>(f / 3.0)", |[a, ..]| of_one(a, |a| a / 3.0)),
        ("bitcast<u32>((u.xy * u.zw + u.yx).x)", |[a, b, c, _]| bits(float(a) * float(c) + float(b))),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&FLOATS)).await
}

pub(super) async fn compares(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("u32(f == g) + 2 * u32(f != g)", |[a, b, ..]| {
            u32::from(float(a) == float(b)) + 2 * u32::from(float(a) != float(b))
        }),
        ("u32(f < g) + 2 * u32(f <= g)", |[a, b, ..]| {
            u32::from(float(a) < float(b)) + 2 * u32::from(float(a) <= float(b))
        }),
        ("u32(f > g) + 2 * u32(f >= g)", |[a, b, ..]| {
            u32::from(float(a) > float(b)) + 2 * u32::from(float(a) >= float(b))
        }),
        ("u32(!(f < g)) + 2 * u32(f != f)", |[a, b, ..]| {
            u32::from(float(a).partial_cmp(&float(b)).is_none_or(Ordering::is_ge)) + 2 * u32::from(float(a).is_nan())
        }),
        ("u32(bool(f))", |[a, ..]| (float(a) != 0.0).into()),
        ("u32(all(u.xy < u.zw)) + 2 * u32(any(u.xy == u.zw))", |[a, b, c, d]| {
            let [a, b, c, d] = [a, b, c, d].map(float);
            u32::from(a < c && b < d) + 2 * u32::from(a == c || b == d)
        }),
        ("bitcast<u32>(select(f, g, f < g))", |[a, b, ..]| bits(if float(a) < float(b) { float(b) } else { float(a) })),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&FLOATS)).await
}

/// The second operand if it is less or the first is NaN.
pub(super) fn min(a: f32, b: f32) -> f32 {
    if b < a || a.is_nan() { b } else { a }
}

/// The second operand if it is greater or the first is NaN.
pub(super) fn max(a: f32, b: f32) -> f32 {
    if b > a || a.is_nan() { b } else { a }
}

pub(super) async fn rounds_and_limits(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("bitcast<u32>(floor(f))", |[a, ..]| of_one(a, f32::floor)),
        ("bitcast<u32>(ceil(f))", |[a, ..]| of_one(a, f32::ceil)),
        ("bitcast<u32>(trunc(f))", |[a, ..]| of_one(a, f32::trunc)),
        ("bitcast<u32>(round(f))", |[a, ..]| of_one(a, f32::round_ties_even)),
        ("bitcast<u32>(fract(f))", |[a, ..]| of_one(a, |a| a - a.floor())),
        ("bitcast<u32>(modf(f).fract)", |[a, ..]| of_one(a, |a| a - a.trunc())),
        ("bitcast<u32>(modf(f).whole)", |[a, ..]| of_one(a, f32::trunc)),
        ("bitcast<u32>(abs(f))", |[a, ..]| of_one(a, f32::abs)),
        ("bitcast<u32>(sign(f))", |[a, ..]| {
            of_one(a, |a| {
                if a > 0.0 {
                    1.0
                } else if a < 0.0 {
                    -1.0
                } else {
                    0.0
                }
            })
        }),
        ("bitcast<u32>(min(f, g))", |[a, b, ..]| of_two(a, b, min)),
        ("bitcast<u32>(max(f, g))", |[a, b, ..]| of_two(a, b, max)),
        ("bitcast<u32>(clamp(f, g, h))", |[a, b, c, _]| bits(min(max(float(a), float(b)), float(c)))),
        ("bitcast<u32>(saturate(f))", |[a, ..]| of_one(a, |a| min(max(a, 0.0), 1.0))),
        ("bitcast<u32>(step(f, g))", |[a, b, ..]| of_two(a, b, |a, b| if a <= b { 1.0 } else { 0.0 })),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&FLOATS)).await
}

/// Towards zero, then to the nearest that is an integer of the type and a binary32; NaN is 0.
fn to_integer(x: f32, low: f64, high: f64) -> i64 {
    if x.is_nan() { 0 } else { f64::from(x).trunc().clamp(low, high) as i64 }
}

pub(super) async fn converts(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("u32(f)", |[a, ..]| to_integer(float(a), 0.0, 4_294_967_040.0) as u32),
        ("u32(i32(f))", |[a, ..]| to_integer(float(a), -2_147_483_648.0, 2_147_483_520.0) as u32),
        ("vec2u(u.xy).y", |[_, b, ..]| to_integer(float(b), 0.0, 4_294_967_040.0) as u32),
        // By way of binary64, which has all of these integers.
        ("bitcast<u32>(f32(a))", |[a, ..]| (f64::from(a) as f32).to_bits()),
        ("bitcast<u32>(f32(i))", |[a, ..]| (f64::from(a as i32) as f32).to_bits()),
        ("bitcast<u32>(vec2f(w.xy).y)", |[_, b, ..]| (f64::from(b as i32) as f32).to_bits()),
        ("bitcast<u32>(f32(a < b))", |[a, b, ..]| if a < b { 0x3f80_0000 } else { 0 }),
    ];
    let mut words = FLOATS.to_vec();
    words.extend([0x0100_0001, 0x0100_0003, 0x0fff_ffff, 0x7fff_ffbf, 0x7fff_ffc0, 0xffff_ff7f, 0xffff_ff80, u32::MAX]);
    sheet::check(&mut lab, "", ROWS, &pairs(&words)).await
}

/// Whatever NaN an operation makes, memory and integers see one.
pub(super) async fn shows_one_nan(mut lab: Lab) -> Result<(), Failure> {
    const TEXT: &str = "
        struct Out { plain: f32, made: vec3f, list: array<f32, 3>, last: u32 }
        @group(0) @binding(0) var<storage> source: array<f32, 4>;
        @group(0) @binding(1) var<storage, read_write> out: Out;
        var<workgroup> tile: array<f32, 4>;
        @compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) {
            tile[i] = source[i];
            workgroupBarrier();
            if i == 0 {
                out.plain = source[0];
                out.made = vec3f(-source[0], source[1] - source[1], abs(tile[2]));
                out.list = array(tile[3], sqrt(-1.0 - source[3]), tile[2] + 1.0);
                out.last = bitcast<u32>(-tile[0]) + bitcast<vec2u>(vec2f(source[2], 1.0)).x;
            }
        }";
    const NAN: u32 = 0x7fc0_0000;
    let kernel = lab.kernel(TEXT)?;
    let source = lab.buffer(&[0xffff_ffff, 0x7f80_0000, 0xff80_0001, 0x4000_0000])?;
    let out = lab.zeros(16)?;
    lab.run(kernel, &[source, out], [1, 1, 1])?;
    let expected = [NAN, 0, 0, 0, NAN, NAN, NAN, 0x4000_0000, NAN, NAN, NAN.wrapping_mul(2), 0];
    super::lab::expect_words("the words", &lab.words(out).await?[..12], &expected)
}
