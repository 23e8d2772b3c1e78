//! From a valid kernel to its lowered form.
//!
//! The way there: functions are inlined and composites taken apart ([`function`], [`statement`], [`expression`] and what
//! they use), operation by operation into a [`builder`](Builder) that folds constants; then what is in vain is left out.

mod access;
mod arithmetic;
mod builder;
mod built_in;
mod bypass;
mod data;
mod expression;
mod fold;
mod function;
mod indexed;
mod layout;
mod leave;
mod module;
mod overwritten;
mod returns;
mod spans;
mod statement;
mod sweep;
mod tidy;

use builder::Builder;

use crate::lowered::Lowered;
use crate::{Kernel, ParseError, kernel};

/// What a profile admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Admission {
    /// Only what has one answer: atomics whose order cannot show.
    Exact,
    /// Atomics of any kind as well.
    Native,
}

/// Lowers a kernel. `text` is what it was parsed from, for the excerpts of refusals.
///
/// # Errors
/// [`ParseError::Refused`] for a kernel that is not admitted, or whose lowered form is too large.
pub fn lower(kernel: &Kernel, text: &str, admission: Admission) -> Result<Lowered, ParseError> {
    kernel::contained(|| module::lower(kernel, text, admission))
}
