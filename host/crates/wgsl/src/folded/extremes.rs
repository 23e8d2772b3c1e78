//! Calls of `min` and `max` whose operands may be two zeros.
//!
//! Only the text is looked at: naga drops what it has evaluated. So a call counts as harmless if one of its operands is
//! evidently not a float that is zero: a number that is not zero, or an integer by its suffix.

use crate::scan;

/// Whether machines may evaluate the call at `offset` differently.
pub(super) fn may_differ(text: &str, offset: usize) -> bool {
    !scan::arguments(text, offset).into_iter().any(is_harmless)
}

/// Whether an operand cannot be a zero of a float.
fn is_harmless(operand: &str) -> bool {
    let number = operand.strip_prefix('-').unwrap_or(operand).trim_start();
    if !number.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let is_hexadecimal = number.starts_with("0x") || number.starts_with("0X");
    if number.ends_with(['i', 'u']) && number[..number.len() - 1].bytes().all(|c| c.is_ascii_hexdigit() || c == b'x') {
        return true;
    }
    if is_hexadecimal {
        return u64::from_str_radix(&number[2..], 16).is_ok_and(|number| number != 0);
    }
    // As an `f32`, in which a small number may be zero.
    number.trim_end_matches(['f', 'h']).parse::<f32>().is_ok_and(|number| number != 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_not_zero_makes_a_call_harmless() {
        for operand in ["1", "-1", "0.5", ".5", "1e3f", "0x10", "4u", "0u", "0i", "0x0u", "- 2.0", "1e-30"] {
            assert!(is_harmless(operand), "{operand}");
        }
        for operand in ["0", "-0.0", "0f", "0x0", "1e-50", "x", "N * 2u", "u", "f32(0)", "1 - 1", "1.0 * 0.0", ""] {
            assert!(!is_harmless(operand), "{operand}");
        }
    }

    #[test]
    fn operands_are_told_apart() {
        let differ = |text: &str| may_differ(text, 0);
        assert!(differ("max(0.0, -0.0)"));
        assert!(differ("max(f(1, 2), g[3])"));
        assert!(differ("min(vec2(1.0, 2.0), x)"));
        assert!(!differ("max(f(0.0), /* one */ 1.0)"));
        assert!(!differ("min (4u, N)"));
    }
}
