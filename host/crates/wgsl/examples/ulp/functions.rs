//! What is measured, against what.

use super::pairs;
use samebit_wgsl::lowered::MathFunction;

/// A function to measure.
pub(super) struct Measured {
    /// Its name in WGSL.
    pub(super) name: &'static str,
    /// Which it is.
    pub(super) function: MathFunction,
    /// The operands of a number, the second 0 if there is but one.
    pub(super) input: fn(u32) -> [u32; 2],
    /// The true value.
    pub(super) truth: fn([u32; 2]) -> f64,
}

macro_rules! measured {
    ($($name:literal $function:ident $input:path, $truth:expr;)*) => {
        /// All that is measured.
        pub(super) const FUNCTIONS: &[Measured] = &[
            $(Measured { name: $name, function: MathFunction::$function, input: $input, truth: $truth },)*
        ];
    };
}

// Far out, exponential functions are infinite or zero, which the C library takes long to find out.
measured! {
    "exp" Exp one, |x| first(x).clamp(-1e3, 1e3).exp();
    "exp2" Exp2 one, |x| first(x).clamp(-1e3, 1e3).exp2();
    "log" Log one, |x| first(x).ln();
    "log2" Log2 one, |x| first(x).log2();
    "sin" Sin one, |x| first(x).sin();
    "cos" Cos one, |x| first(x).cos();
    "tan" Tan one, |x| first(x).tan();
    "asin" Asin one, |x| first(x).asin();
    "acos" Acos one, |x| first(x).acos();
    "atan" Atan one, |x| first(x).atan();
    "sinh" Sinh one, |x| first(x).clamp(-1e3, 1e3).sinh();
    "cosh" Cosh one, |x| first(x).clamp(-1e3, 1e3).cosh();
    "tanh" Tanh one, |x| first(x).tanh();
    "asinh" Asinh one, |x| asinh(first(x));
    "acosh" Acosh one, |x| acosh(first(x));
    "atanh" Atanh one, |x| atanh(first(x));
    "quantizeToF16" QuantizeToF16 one, quantized;
    "pow" Pow pairs::pow, power;
    "atan2" Atan2 pairs::atan2, |x| first(x).atan2(second(x));
    "ldexp" Ldexp pairs::ldexp, scaled;
}

fn one(number: u32) -> [u32; 2] {
    [number, 0]
}

fn first(x: [u32; 2]) -> f64 {
    f64::from(f32::from_bits(x[0]))
}

fn second(x: [u32; 2]) -> f64 {
    f64::from(f32::from_bits(x[1]))
}

/// Rust's own loses digits.
fn asinh(x: f64) -> f64 {
    let a = x.abs();
    if a.is_infinite() {
        return x;
    }
    (a + a * a / (1.0 + (1.0 + a * a).sqrt())).ln_1p().copysign(x)
}

fn acosh(x: f64) -> f64 {
    let t = if x < 1.0 { f64::NAN } else { x - 1.0 };
    (t + (t * (t + 2.0)).sqrt()).ln_1p()
}

fn atanh(x: f64) -> f64 {
    let a = x.abs();
    (0.5 * (2.0 * a / (1.0 - a)).ln_1p()).copysign(x)
}

/// As `docs/EXACT.md` has it: NaN below zero, and where a factor is NaN.
fn power(x: [u32; 2]) -> f64 {
    let (x, y) = (first(x), second(x));
    if x.is_nan() || y.is_nan() || (x < 0.0 && y != 0.0) { f64::NAN } else { x.abs().powf(y) }
}

/// Exact in f64: it has room for any binary32 times 2 to the power of ±600.
fn scaled(x: [u32; 2]) -> f64 {
    let e = x[1].cast_signed().clamp(-600, 600);
    first(x) * 2f64.powi(e)
}

/// An independent model: the multiple of the unit in question, in f64.
fn quantized(x: [u32; 2]) -> f64 {
    let x = first(x);
    let exponent = ((x.abs().to_bits() >> 52) as i32 - 1023).clamp(-14, 1000);
    let unit = 2f64.powi(exponent - 10);
    let rounded = (x / unit).round_ties_even() * unit;
    if rounded.abs() > 65504.0 { f64::INFINITY.copysign(x) } else { rounded }
}

/// The distance of a result from the true value, in units of the last place of a binary32 near the true value. Infinity
/// counts as 2¹²⁸.
pub(super) fn ulps(got: f32, truth: f64) -> f64 {
    let edge = 2f64.powi(128);
    let got = f64::from(got).clamp(-edge, edge);
    let truth = truth.clamp(-edge, edge);
    let exponent = ((truth.to_bits() >> 52) & 0x7ff) as i64 - 1023;
    let exponent = exponent.clamp(-126, 127);
    // 2^(23 - exponent), which is exact.
    let scale = f64::from_bits(((1023 + 23 - exponent) as u64) << 52);
    (got - truth).abs() * scale
}
