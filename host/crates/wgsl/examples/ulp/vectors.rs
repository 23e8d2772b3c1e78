//! Files of inputs and results, for whoever writes the sequences again.

use super::functions::{FUNCTIONS, Measured};
use super::pairs::random;
use samebit_wgsl::lowered::{MathFunction, Type, eval};
use samebit_wgsl::math::native;
use std::fmt::Write as _;

/// Where sequences change what they do, and where numbers end.
const EDGES: [u32; 46] = [
    0x0000_0000,
    0x0000_0001,
    0x0000_0002,
    0x0040_0000,
    0x007f_ffff,
    0x0080_0000,
    0x0080_0001,
    0x3380_0000,
    0x3880_0000,
    0x387f_ffff,
    0x3380_0001,
    0x3eff_ffff,
    0x3f00_0000,
    0x3f00_0001,
    0x3f35_04f2,
    0x3f35_04f3,
    0x3f66_6666,
    0x3f7f_ffff,
    0x3f80_0000,
    0x3f80_0001,
    0x3fb5_04f3,
    0x3fb5_04f4,
    0x3fc9_0fdb,
    0x4000_0000,
    0x4040_0000,
    0x4049_0fdb,
    0x4120_0000,
    0x42ae_ac50,
    0x42b0_c0a5,
    0x42b1_7217,
    0x42b1_7218,
    0x42cf_f1b5,
    0x42d0_0000,
    0x42fe_0000,
    0x4300_0000,
    0x4316_0000,
    0x4600_0000,
    0x477f_e000,
    0x477f_f000,
    0x4780_0000,
    0x4780_0001,
    0x7f7f_ffff,
    0x7f80_0000,
    0x7f80_0001,
    0x7fc0_0000,
    0x7fff_ffff,
];
/// How many inputs are searched for those that are hard to round, or whose results are worst.
const SEARCHED: u32 = 1 << 20;

/// Writes a file for each function into a folder.
pub(super) fn write(folder: &str) {
    for function in MathFunction::ALL {
        let measured = FUNCTIONS.iter().find(|measured| measured.function == *function);
        let mut text = String::new();
        for input in inputs(*function, measured) {
            let operands = &input[..function.params().len()];
            for operand in operands {
                let _ = write!(text, "{operand:08x} ");
            }
            let mut result = native(*function, operands);
            if function.result() == Type::Float && f32::from_bits(result).is_nan() {
                result = eval::NAN;
            }
            let _ = writeln!(text, "{result:08x}");
        }
        let path = format!("{folder}/{function:?}.txt");
        if let Err(error) = std::fs::write(&path, text) {
            eprintln!("{path}: {error}");
        }
    }
}

fn inputs(function: MathFunction, measured: Option<&Measured>) -> Vec<[u32; 2]> {
    let mut inputs = Vec::new();
    let signs = |bits: u32| [bits, bits | 0x8000_0000];
    if function == MathFunction::FloatFromF16 {
        return [0, 1, 0x3ff, 0x400, 0x3bff, 0x3c00, 0x7bff, 0x7c00, 0x7c01, 0x7e00, 0x1_3c00]
            .into_iter()
            .flat_map(|bits| [bits, bits | 0x8000])
            .chain((0..100).map(|number| random(number)[0] & 0xffff))
            .map(|bits| [bits, 0])
            .collect();
    }
    let two = function.params().len() == 2;
    if !two {
        inputs.extend(EDGES.iter().flat_map(|bits| signs(*bits)).map(|bits| [bits, 0]));
        // Any bits, and numbers of ordinary size.
        inputs.extend((0..100).map(|number| [random(number)[0], 0]));
        inputs.extend((0..100).map(|number| [0x3d00_0000 + (random(number)[1] & 0x87ff_ffff), 0]));
    }
    let Some(measured) = measured else { return inputs };
    if two {
        inputs.extend((0..4096).step_by(7).map(measured.input));
        inputs.extend((1 << 16..(1 << 16) + 200).map(measured.input));
    }
    let mut found: Vec<(f64, f64, [u32; 2])> = (0..SEARCHED)
        .map(|number| (measured.input)(number.wrapping_mul(0x9e37_79b1)))
        .filter_map(|input| {
            let truth = (measured.truth)(input);
            let result = f32::from_bits(native(function, &input[..function.params().len()]));
            let nearest = truth as f32;
            let ordinary = nearest.is_normal() && result.is_normal() && f64::from(nearest) != truth;
            let unit = f64::from(nearest.abs().next_up()) - f64::from(nearest.abs());
            let off = (truth - f64::from(nearest)).abs() / unit;
            let error = (truth - f64::from(result)).abs() / unit;
            ordinary.then_some(((0.5 - off).abs(), -error, input))
        })
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    inputs.extend(found.iter().take(32).map(|found| found.2));
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    inputs.extend(found.iter().take(32).map(|found| found.2));
    inputs
}
