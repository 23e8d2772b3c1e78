//! What a check came to.

use core::fmt;
use std::collections::BTreeMap;

use samebit_spec::{BlobRef, Name, Outcome, Tolerance};
use serde::Serialize;

use crate::{Difference, Within};

/// What a check of a claimed outcome came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// The replayed outcome is the claimed one.
    Match {
        /// As far as which comparison can tell.
        comparison: Comparison,
    },
    /// It is not.
    Mismatch {
        /// The first difference.
        difference: Difference,
    },
    /// Nothing can be said about the claim.
    Unchecked {
        /// Why the job could not be run again here, or not be compared.
        reason: String,
    },
}

/// How two outcomes were compared that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Comparison {
    /// Bit for bit.
    Bitwise,
    /// Bit for bit but for these outputs, whose bytes differ within what the job declares.
    Declared {
        /// By name. At least one.
        outputs: BTreeMap<Name, Agreement>,
    },
}

/// Why an output counts as the claimed one though its bytes differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum Agreement {
    /// Its numbers are within the job's tolerance.
    Tolerance(Within),
    /// The module's own `compare` says so.
    Compare,
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tolerance(within) => within.fmt(f),
            Self::Compare => f.write_str("the same, says the module's own compare"),
        }
    }
}

impl Verdict {
    /// A match, bit for bit.
    pub fn bitwise() -> Self {
        Self::Match { comparison: Comparison::Bitwise }
    }

    /// A mismatch.
    pub fn mismatch(difference: Difference) -> Self {
        Self::Mismatch { difference }
    }

    /// No verdict, for this reason.
    pub fn unchecked(reason: impl fmt::Display) -> Self {
        Self::Unchecked { reason: reason.to_string() }
    }

    /// True for a match, however it was compared.
    pub fn is_match(&self) -> bool {
        matches!(self, Self::Match { .. })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match { comparison: Comparison::Bitwise } => f.write_str("match"),
            Self::Match { comparison: Comparison::Declared { outputs } } => {
                f.write_str("match")?;
                for (index, (name, agreement)) in outputs.iter().enumerate() {
                    write!(f, "{} output {name} is {agreement}", if index == 0 { ":" } else { ";" })?;
                }
                Ok(())
            }
            Self::Mismatch { difference } => write!(f, "mismatch: {difference}"),
            Self::Unchecked { reason } => write!(f, "unchecked: {reason}"),
        }
    }
}

/// Compares a claimed outcome with a replayed one of the same job, bit for bit. Never [`Verdict::Unchecked`].
pub fn compare(claimed: &Outcome, replayed: &Outcome) -> Verdict {
    Difference::first(claimed, replayed).map_or_else(Verdict::bitwise, Verdict::mismatch)
}

/// An output whose bytes differ, and that the job lets differ to some extent: its bytes have to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The output.
    pub name: Name,
    /// To what extent.
    pub tolerance: Tolerance,
    /// The claimed blob.
    pub claimed: BlobRef,
    /// The replayed blob.
    pub replayed: BlobRef,
}

/// Compares bit for bit what the job declares no tolerance for. If that is equal, gives the outputs whose bytes have to
/// be looked at; the outcomes match if all of those agree. A difference that nothing forgives comes first, wherever it is.
pub fn compare_tolerantly(
    claimed: &Outcome,
    replayed: &Outcome,
    tolerances: &BTreeMap<Name, Tolerance>,
) -> Result<Vec<Doubt>, Difference> {
    let mut forgiven = claimed.clone();
    let mut doubts = Vec::new();
    for (name, claimed) in &mut forgiven.outputs {
        let (Some(replayed), Some(tolerance)) = (replayed.outputs.get(name), tolerances.get(name)) else { continue };
        if claimed != replayed {
            doubts.push(Doubt { name: name.clone(), tolerance: *tolerance, claimed: *claimed, replayed: *replayed });
            *claimed = *replayed;
        }
    }
    Difference::first(&forgiven, replayed).map_or(Ok(doubts), Err)
}

#[cfg(test)]
mod tests {
    use samebit_spec::Status;

    use super::*;
    use crate::Deviation;

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
        assert!(Verdict::bitwise().is_match());
        let within = Within { tolerance: Tolerance::Ulp(4), largest: Deviation::Ulp(3), differing: 2, elements: 1000 };
        let outputs = [("a", Agreement::Tolerance(within)), ("b", Agreement::Compare)];
        let outputs = outputs.map(|(name, agreement)| (Name::new(name).expect("a name"), agreement)).into();
        let verdict = Verdict::Match { comparison: Comparison::Declared { outputs } };
        let text = "match: output a is within ulp:4: 2 of 1,000 elements differ, by 3 ULP at most; output b is the same, \
                    says the module's own compare";
        assert_eq!(verdict.to_string(), text);
        serde_json::to_string(&verdict).expect("plain data");
    }

    #[test]
    fn a_tolerance_forgives_its_own_output_only() {
        let outcome = |outputs: &[(&str, &[u8])], fuel| {
            let blob = |(name, bytes): &(&str, &[u8])| (Name::new(*name).expect("a name"), BlobRef::of(bytes));
            let outputs = outputs.iter().map(blob).collect();
            Outcome { status: Status::Ok, outputs, log: BlobRef::of(b""), fuel }
        };
        let tolerances = BTreeMap::from([(Name::new("a").expect("a name"), Tolerance::Ulp(1))]);
        let claimed = outcome(&[("a", b"1111"), ("b", b"1")], 7);
        let first = |replayed: &Outcome| compare_tolerantly(&claimed, replayed, &tolerances);

        assert_eq!(first(&claimed), Ok(Vec::new()));
        let doubts = first(&outcome(&[("a", b"2222"), ("b", b"1")], 7)).expect("nothing else differs");
        let names: Vec<_> = doubts.iter().map(|doubt| (doubt.name.as_str(), doubt.tolerance)).collect();
        assert_eq!(names, [("a", Tolerance::Ulp(1))]);
        assert_eq!((doubts[0].claimed, doubts[0].replayed), (BlobRef::of(b"1111"), BlobRef::of(b"2222")));

        for replayed in [
            outcome(&[("a", b"2222"), ("b", b"2")], 7),
            outcome(&[("a", b"2222"), ("b", b"1")], 8),
            outcome(&[("b", b"1")], 7),
        ] {
            let difference = first(&replayed).expect_err("not forgiven");
            let is_other = !matches!(&difference, Difference::Output { name, .. } if name.as_str() == "a");
            assert!(is_other, "{difference}");
        }
    }
}
