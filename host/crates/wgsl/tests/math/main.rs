//! The float built-ins: special values, recorded results, sampled errors, and what the document says of them.

mod document;
#[path = "../../examples/ulp/functions.rs"]
mod functions;
mod half;
#[path = "../../examples/ulp/listing.rs"]
mod listing;
mod nan;
#[path = "../../examples/ulp/pairs.rs"]
mod pairs;
mod sampled;
mod special;
mod vectors;

use samebit_wgsl::lowered::{MathFunction, Type, eval};
use samebit_wgsl::math::native;

/// What a function gives, by bits; NaN as the one NaN.
fn result(function: MathFunction, operands: &[u32]) -> u32 {
    let bits = native(function, operands);
    let nan = function.result() == Type::Float && f32::from_bits(bits).is_nan();
    if nan { eval::NAN } else { bits }
}
