//! Kernels in, kernels or refusals out, through the public interface only.

mod admission;
mod bad;
mod constants;
mod fuzz;
mod good;
mod hostile;
mod lower;
mod straight;

use samebit_wgsl::{Kernel, ParseError, Refusal, Source};

/// Parses a kernel whose entry point is `main`.
fn parse(text: &str, constants: &[(&str, f64)]) -> Result<Kernel, Refusal> {
    let constants: Vec<_> = constants.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    match samebit_wgsl::parse(&Source { text, entry_point: "main", constants: &constants }) {
        Ok(kernel) => Ok(kernel),
        Err(ParseError::Refused(refusal)) => Err(refusal),
        Err(error) => panic!("{error}"),
    }
}
