//! What a check came to.

use core::fmt;

use samebit_spec::Outcome;
use serde::Serialize;

use crate::Difference;

/// What a check of a claimed outcome came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// The replayed outcome is the claimed one, bit for bit.
    Match,
    /// It is not.
    Mismatch {
        /// The first difference.
        difference: Difference,
    },
    /// Nothing can be said about the claim.
    Unchecked {
        /// Why the job could not be run again here.
        reason: String,
    },
}

impl Verdict {
    /// A mismatch.
    pub fn mismatch(difference: Difference) -> Self {
        Self::Mismatch { difference }
    }

    /// No verdict, for this reason.
    pub fn unchecked(reason: impl fmt::Display) -> Self {
        Self::Unchecked { reason: reason.to_string() }
    }

    /// True for a match.
    pub fn is_match(&self) -> bool {
        matches!(self, Self::Match)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match => f.write_str("match"),
            Self::Mismatch { difference } => write!(f, "mismatch: {difference}"),
            Self::Unchecked { reason } => write!(f, "unchecked: {reason}"),
        }
    }
}

/// Compares a claimed outcome with a replayed one of the same job. Never [`Verdict::Unchecked`].
pub fn compare(claimed: &Outcome, replayed: &Outcome) -> Verdict {
    Difference::first(claimed, replayed).map_or(Verdict::Match, Verdict::mismatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_read_as_one_line_and_serialize_with_a_tag() {
        let verdict = Verdict::unchecked("input image is not in the store");
        assert_eq!(verdict.to_string(), "unchecked: input image is not in the store");
        assert_eq!(
            serde_json::to_string(&verdict).expect("plain data"),
            r#"{"verdict":"unchecked","reason":"input image is not in the store"}"#
        );
        let verdict = Verdict::mismatch(Difference::Fuel { claimed: 1000, replayed: 7 });
        assert_eq!(verdict.to_string(), "mismatch: fuel differs: claimed 1,000, replayed 7");
        assert_eq!(
            serde_json::to_string(&verdict).expect("plain data"),
            r#"{"verdict":"mismatch","difference":{"kind":"fuel","claimed":1000,"replayed":7}}"#
        );
        assert!(Verdict::Match.is_match());
    }
}
