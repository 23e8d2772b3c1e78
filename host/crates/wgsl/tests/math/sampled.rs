//! Errors of seeded samples against f64. `examples/ulp` measures them over all inputs; this keeps them where they are.

use super::functions::{FUNCTIONS, ulps};
use super::result;
use samebit_wgsl::lowered::MathFunction::{Exp, Exp2, Log2};

/// How many inputs of each function. Multiples of an odd constant are spread over all 2³² evenly.
const SAMPLES: u32 = 1 << 18;

/// The most that a function may be off, in ULP.
fn limit(name: &str) -> f64 {
    match name {
        "pow" | "atan2" | "asinh" | "acosh" | "atanh" => 2.0,
        "ldexp" => 0.5,
        "quantizeToF16" => 0.0,
        _ => 1.0,
    }
}

#[test]
fn errors_stay_within_their_limits() {
    let start = 0x5a3e_b172_u32;
    println!("the first number is {start:#x}");
    std::thread::scope(|scope| {
        for measured in FUNCTIONS {
            scope.spawn(move || {
                let (name, limit) = (measured.name, limit(measured.name));
                for sample in 0..SAMPLES {
                    let number = start.wrapping_add(sample.wrapping_mul(0x9e37_79b1));
                    let input = (measured.input)(number);
                    let got = f32::from_bits(result(measured.function, &input[..measured.function.params().len()]));
                    let truth = (measured.truth)(input);
                    if got.is_nan() || truth.is_nan() {
                        assert_eq!(got.is_nan(), truth.is_nan(), "{name} of {input:08x?} is {got}, not {truth}");
                        continue;
                    }
                    let error = if f64::from(got) == truth { 0.0 } else { ulps(got, truth) };
                    assert!(error <= limit, "{name} of {input:08x?} is {got:e}, not {truth:e}: {error} ULP");
                    let sign = truth.is_sign_negative() == got.is_sign_negative();
                    assert!(sign, "{name} of {input:08x?} is {got:e}, not {truth:e}");
                }
            });
        }
    });
}

#[test]
fn powers_of_two_are_exact() {
    for e in -149..=127_i32 {
        let power = (2f64.powi(e) as f32).to_bits();
        let e = (e as f32).to_bits();
        assert_eq!(result(Exp2, &[e]), power, "2 to the power of {}", f32::from_bits(e));
        assert_eq!(result(Log2, &[power]), e, "the logarithm of {:e}", f32::from_bits(power));
    }
}

#[test]
fn exponentials_saturate_in_order() {
    for function in [Exp, Exp2] {
        // By bits of the operand, around the greatest results, and the least.
        for (first, rises) in [(0x42ae_0000_u32, true), (0xc2ae_0000, false), (0x42ff_f000, true), (0xc30c_0000, false)]
        {
            let results: Vec<f32> = (first..first + 0x8_0000).map(|x| f32::from_bits(result(function, &[x]))).collect();
            let ordered = results.windows(2).all(|pair| if rises { pair[0] <= pair[1] } else { pair[0] >= pair[1] });
            assert!(ordered, "{function:?} from {first:08x}");
        }
    }
}
