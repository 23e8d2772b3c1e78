//! Which NaN goes in never shows.

use super::result;
use samebit_wgsl::lowered::{MathFunction, Type, eval};

const NANS: [u32; 8] =
    [0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, 0xff80_0001, 0x7fff_ffff, 0xffff_ffff, 0x7fa5_a5a5, 0xff81_2345];
/// Other operands, as floats and as integers.
const OTHERS: [u32; 8] = [0, 0x8000_0000, 0x3f80_0000, 0xbf80_0000, 0x7f80_0000, 0xff80_0000, 0x0000_0001, 0x42f6_e979];

#[test]
fn any_nan_gives_nan() {
    for function in MathFunction::ALL {
        let params = function.params();
        for place in (0..params.len()).filter(|place| params[*place] == Type::Float) {
            for (nan, other) in NANS.iter().flat_map(|nan| OTHERS.map(|other| (*nan, other))) {
                let mut operands = vec![other; params.len()];
                operands[place] = nan;
                let expected = match function {
                    MathFunction::FrexpExp => 0,
                    MathFunction::F16FromFloat => 0x7e00,
                    _ => eval::NAN,
                };
                assert_eq!(result(*function, &operands), expected, "{function:?} of {operands:08x?}");
            }
        }
    }
}
