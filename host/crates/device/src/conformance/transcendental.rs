//! `exp`, `sin` and their kin in the exact profile: special values, values that are known exactly, and no answer far from
//! the true one. Their bits are defined by `docs/EXACT.md`; here they are only held to what any good definition gives.

use super::floats::{FLOATS, bits, float};
use super::lab::{Failure, Lab, expect};
use super::sheet::{self, Row, pairs};

const INF: u32 = 0x7f80_0000;
const NAN: u32 = 0x7fc0_0000;
const ONE: u32 = 0x3f80_0000;
const MINUS: u32 = 0x8000_0000;
/// π/2 and π, rounded.
const QUARTER: u32 = 0x3fc9_0fdb;
const HALF: u32 = 0x4049_0fdb;

/// Function, argument, value.
const KNOWN: &[(&str, u32, u32)] = &[
    ("exp", 0, ONE),
    ("exp", MINUS, ONE),
    ("exp", INF, INF),
    ("exp", INF | MINUS, 0),
    ("exp", 0x42c8_0000, INF),
    ("exp", 0xc300_0000, 0),
    ("exp2", 0, ONE),
    ("exp2", 0x42fe_0000, 0x7f00_0000),
    ("exp2", 0xc315_0000, 1),
    ("exp2", 0x4300_0000, INF),
    ("exp2", INF | MINUS, 0),
    ("log", ONE, 0),
    ("log", 0, INF | MINUS),
    ("log", MINUS, INF | MINUS),
    ("log", INF, INF),
    ("log", 0xbf80_0000, NAN),
    ("log2", ONE, 0),
    ("log2", 0x7f00_0000, 0x42fe_0000),
    ("log2", 1, 0xc315_0000),
    ("log2", 0, INF | MINUS),
    ("log2", 0x8000_0001, NAN),
    ("sin", 0, 0),
    ("sin", MINUS, MINUS),
    ("sin", INF, NAN),
    ("cos", 0, ONE),
    ("cos", MINUS, ONE),
    ("cos", INF | MINUS, NAN),
    ("tan", MINUS, MINUS),
    ("tan", INF, NAN),
    ("asin", MINUS, MINUS),
    ("asin", ONE, QUARTER),
    ("asin", 0x3f80_0001, NAN),
    ("acos", ONE, 0),
    ("acos", ONE | MINUS, HALF),
    ("acos", INF, NAN),
    ("atan", MINUS, MINUS),
    ("atan", INF, QUARTER),
    ("atan", INF | MINUS, QUARTER | MINUS),
    ("sinh", MINUS, MINUS),
    ("sinh", INF | MINUS, INF | MINUS),
    ("cosh", 0, ONE),
    ("cosh", INF | MINUS, INF),
    ("tanh", MINUS, MINUS),
    ("tanh", INF, ONE),
    ("tanh", 0xc2c8_0000, ONE | MINUS),
    ("asinh", MINUS, MINUS),
    ("asinh", INF | MINUS, INF | MINUS),
    ("acosh", ONE, 0),
    ("acosh", INF, INF),
    ("acosh", 0x3f7f_ffff, NAN),
    ("atanh", MINUS, MINUS),
    ("atanh", ONE, INF),
    ("atanh", ONE | MINUS, INF | MINUS),
    ("atanh", 0x3f80_0001, NAN),
];

/// Computes one function of many arguments.
async fn compute(lab: &mut Lab, function: &str, args: &[u32]) -> Result<Vec<u32>, Failure> {
    let kernel = lab.kernel(&format!(
        "@group(0) @binding(0) var<storage> source: array<f32>;
         @group(0) @binding(1) var<storage, read_write> out: array<f32>;
         @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {{
             if id.x < arrayLength(&source) {{ out[id.x] = {function}(source[id.x]); }}
         }}"
    ))?;
    let source = lab.buffer(args)?;
    let out = lab.zeros(args.len())?;
    lab.run(kernel, &[source, out], [(args.len() as u32).div_ceil(64), 1, 1])?;
    lab.words(out).await
}

pub(super) async fn has_known_values(mut lab: Lab) -> Result<(), Failure> {
    for of_one in KNOWN.chunk_by(|a, b| a.0 == b.0) {
        let function = of_one[0].0;
        let mut args: Vec<u32> = of_one.iter().map(|(_, arg, _)| *arg).collect();
        args.extend([NAN, 0xffa1_2345]);
        let found = compute(&mut lab, function, &args).await?;
        let expected = of_one.iter().map(|(.., value)| *value).chain([NAN, NAN]);
        for ((arg, found), expected) in args.iter().zip(found).zip(expected) {
            let what = format!("`{function}` of {arg:#x}, as a number");
            expect(&what, format!("{found:#x}"), format!("{expected:#x}"))?;
        }
    }
    Ok(())
}

/// A function of WGSL, and its true value nearly.
type OfOne = (&'static str, fn(f64) -> f64);

/// All of one float that are not exact.
const FUNCTIONS: [OfOne; 16] = [
    ("exp", f64::exp),
    ("exp2", f64::exp2),
    ("log", f64::ln),
    ("log2", f64::log2),
    ("sin", f64::sin),
    ("cos", f64::cos),
    ("tan", f64::tan),
    ("asin", f64::asin),
    ("acos", f64::acos),
    ("atan", f64::atan),
    ("sinh", f64::sinh),
    ("cosh", f64::cosh),
    ("tanh", f64::tanh),
    ("asinh", f64::asinh),
    ("acosh", f64::acosh),
    ("atanh", f64::atanh),
];

pub(super) async fn is_near_the_truth(mut lab: Lab) -> Result<(), Failure> {
    let mut args: Vec<u32> = FLOATS.to_vec();
    args.extend((0..400).map(|step| 0x3000_0000 + step * 0x0011_3577));
    args.extend((0..200).map(|step| 0xb000_0000 + step * 0x0021_3577));
    for (function, truth) in FUNCTIONS {
        let found = compute(&mut lab, function, &args).await?;
        for (arg, found) in args.iter().zip(found) {
            let truth = truth(f64::from(float(*arg))) as f32;
            let distance = place(found).abs_diff(place(bits(truth)));
            if distance > 2 {
                let truth = truth.to_bits();
                return Err(Failure(format!(
                    "`{function}` of {arg:#x}: found {found:#x}, the true value is {truth:#x}"
                )));
            }
        }
    }
    Ok(())
}

/// The number of a float among all floats; NaN is far from all others.
fn place(bits: u32) -> i64 {
    match (bits, bits >> 31) {
        (NAN, _) => i64::MAX,
        (_, 0) => i64::from(bits),
        _ => -i64::from(bits & 0x7fff_ffff),
    }
}

/// A function of two floats, its true value nearly, and arguments.
type OfTwo = (&'static str, fn(f64, f64) -> f64, &'static [[f32; 2]]);

const OF_TWO: [OfTwo; 2] = [
    (
        "atan2",
        f64::atan2,
        &[
            [0.0, 1.0],
            [0.0, -1.0],
            [-0.0, -1.0],
            [-0.0, 1.0],
            [1.0, 0.0],
            [-1.0, -0.0],
            [3.0, 4.0],
            [-1e-30, 1e30],
            [1e30, 1e-30],
            [-5.5, -0.1],
            [2.0, -3.0],
        ],
    ),
    (
        "pow",
        f64::powf,
        &[
            [2.0, 10.0],
            [2.0, -149.0],
            [0.5, 3.0],
            [9.0, 0.5],
            [1.0, 77.0],
            [5.0, 0.0],
            [0.0, 2.0],
            [1.5, -7.25],
            [10.0, 30.0],
            [1.000_001, 1e6],
            [1e-20, 3.0],
            [3.0, 1e9],
        ],
    ),
];

pub(super) async fn has_functions_of_two(mut lab: Lab) -> Result<(), Failure> {
    for (function, truth, args) in OF_TWO {
        let kernel = lab.kernel(&format!(
            "@group(0) @binding(0) var<storage> source: array<vec2f>;
             @group(0) @binding(1) var<storage, read_write> out: array<f32>;
             @compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u) {{
                 out[id.x] = {function}(source[id.x].x, source[id.x].y);
             }}"
        ))?;
        let source = lab.buffer(args.as_flattened().iter().map(|arg| arg.to_bits()).collect::<Vec<_>>().as_slice())?;
        let out = lab.zeros(args.len())?;
        lab.run(kernel, &[source, out], [args.len() as u32, 1, 1])?;
        for ([a, b], found) in args.iter().zip(lab.words(out).await?) {
            let truth = (truth(f64::from(*a), f64::from(*b)) as f32).to_bits();
            if place(found).abs_diff(place(truth)) > 2 {
                let what = format!("`{function}` of {a:?} and {b:?}: found {found:#x}, the true value is {truth:#x}");
                return Err(Failure(what));
            }
        }
    }
    Ok(())
}

pub(super) async fn takes_floats_apart(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("bitcast<u32>(frexp(f).fract)", |[a, ..]| bits(apart(float(a)).0)),
        ("u32(frexp(f).exp)", |[a, ..]| apart(float(a)).1 as u32),
        ("bitcast<u32>(frexp(u.xy).fract.y)", |[_, b, ..]| bits(apart(float(b)).0)),
        ("bitcast<u32>(ldexp(f, j % 300))", |[a, b, ..]| {
            // Rounded once: every product here is a binary64.
            bits((f64::from(float(a)) * 2_f64.powi(b as i32 % 300)) as f32)
        }),
        ("bitcast<u32>(ldexp(frexp(f).fract, frexp(f).exp))", |[a, ..]| bits(float(a))),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&FLOATS)).await
}

/// `x` as a number from half to one, and a power of two.
fn apart(x: f32) -> (f32, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let (mut fraction, mut exponent) = (f64::from(x), 0);
    while fraction.abs() >= 1.0 {
        (fraction, exponent) = (fraction / 2.0, exponent + 1);
    }
    while fraction.abs() < 0.5 {
        (fraction, exponent) = (fraction * 2.0, exponent - 1);
    }
    (fraction as f32, exponent)
}
