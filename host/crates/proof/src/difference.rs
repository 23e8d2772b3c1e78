//! The first difference between a claimed and a replayed outcome.
//!
//! The order is fixed, so that every verifier names the same one: status, outputs in the order of their names, log,
//! fuel. A status comes first because it explains the rest.

use core::fmt;

use samebit_spec::{BlobRef, Name, Outcome, Status, Tolerance};
use serde::Serialize;

use crate::{ByteDifference, FloatDifference};

/// The first difference between a claimed and a replayed outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Difference {
    /// The job ended in another way.
    Status {
        /// How the claim says it ended.
        claimed: Status,
        /// How it ended here.
        replayed: Status,
    },
    /// A claimed output was not written here.
    OutputMissing {
        /// The output.
        name: Name,
        /// What the claim says it is.
        claimed: BlobRef,
    },
    /// An output was written here that the claim does not have.
    OutputExtra {
        /// The output.
        name: Name,
        /// What it is here.
        replayed: BlobRef,
    },
    /// An output has other bytes.
    Output {
        /// The output.
        name: Name,
        /// How they differ.
        #[serde(flatten)]
        blobs: BlobDifference,
    },
    /// An output is no array of binary32 numbers of the claimed one's length, so no tolerance is of use.
    Shape {
        /// The output.
        name: Name,
        /// The claimed blob.
        claimed: BlobRef,
        /// The replayed blob.
        replayed: BlobRef,
    },
    /// An output's numbers are out of the job's tolerance.
    Beyond {
        /// The output.
        name: Name,
        /// The tolerance.
        tolerance: Tolerance,
        /// The first number that is.
        #[serde(flatten)]
        float: FloatDifference,
    },
    /// The module's own `compare` refuses an output.
    Refused {
        /// The output.
        name: Name,
        /// Why, in the module's words.
        reason: String,
    },
    /// The log has other bytes.
    Log {
        /// How they differ.
        #[serde(flatten)]
        blobs: BlobDifference,
    },
    /// Another amount of fuel was spent.
    Fuel {
        /// What the claim says was spent.
        claimed: u64,
        /// What was spent here.
        replayed: u64,
    },
}

/// How two blobs of the same name differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlobDifference {
    /// The claimed blob.
    pub claimed: BlobRef,
    /// The replayed blob.
    pub replayed: BlobRef,
    /// The first differing byte, where the claimed bytes were at hand to look for it.
    pub byte: Option<ByteDifference>,
}

impl Difference {
    /// The first difference, or `None` if the outcomes are equal.
    pub fn first(claimed: &Outcome, replayed: &Outcome) -> Option<Self> {
        if claimed.status != replayed.status {
            return Some(Self::Status { claimed: claimed.status.clone(), replayed: replayed.status.clone() });
        }
        first_output(claimed, replayed)
            .or_else(|| BlobDifference::between(claimed.log, replayed.log).map(|blobs| Self::Log { blobs }))
            .or_else(|| {
                (claimed.fuel != replayed.fuel).then_some(Self::Fuel { claimed: claimed.fuel, replayed: replayed.fuel })
            })
    }

    /// The two blobs to look into for the first differing byte, if this difference is one of bytes.
    pub fn blobs(&self) -> Option<&BlobDifference> {
        match self {
            Self::Output { blobs, .. } | Self::Log { blobs } => Some(blobs),
            _ => None,
        }
    }

    /// The same difference with its first differing byte; unchanged if it is not one of bytes.
    pub fn with_byte(mut self, byte: ByteDifference) -> Self {
        if let Self::Output { blobs, .. } | Self::Log { blobs } = &mut self {
            blobs.byte = Some(byte);
        }
        self
    }
}

impl BlobDifference {
    fn between(claimed: BlobRef, replayed: BlobRef) -> Option<Self> {
        (claimed != replayed).then_some(Self { claimed, replayed, byte: None })
    }
}

/// The first difference among outputs, by name in byte order.
fn first_output(claimed: &Outcome, replayed: &Outcome) -> Option<Difference> {
    let of_claimed = claimed.outputs.iter().find_map(|(name, blob)| match replayed.outputs.get(name) {
        None => Some((name, Difference::OutputMissing { name: name.clone(), claimed: *blob })),
        Some(other) => {
            BlobDifference::between(*blob, *other).map(|blobs| (name, Difference::Output { name: name.clone(), blobs }))
        }
    });
    let extra = replayed.outputs.iter().find(|(name, _)| !claimed.outputs.contains_key(*name));
    match (of_claimed, extra) {
        (Some((name, difference)), Some((extra, _))) if name < extra => Some(difference),
        (_, Some((name, blob))) => Some(Difference::OutputExtra { name: name.clone(), replayed: *blob }),
        (of_claimed, None) => of_claimed.map(|(_, difference)| difference),
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { claimed, replayed } => {
                // A message is the guest's text, or a forger's: control characters in it must not reach a terminal.
                write!(f, "status differs: claimed {:?}, replayed {:?}", claimed.to_string(), replayed.to_string())
            }
            Self::OutputMissing { name, claimed } => {
                write!(f, "output {name} is missing: claimed {} bytes, not written here", Grouped(claimed.size_bytes))
            }
            Self::OutputExtra { name, replayed } => {
                write!(f, "output {name} is extra: not claimed, replayed {} bytes", Grouped(replayed.size_bytes))
            }
            Self::Output { name, blobs } => write!(f, "output {name} {blobs}"),
            Self::Shape { name, claimed, replayed } => {
                let [claimed, replayed] = [claimed, replayed].map(|blob| Grouped(blob.size_bytes));
                write!(f, "output {name} cannot be compared as 32-bit floats: ")?;
                write!(f, "claimed {claimed} bytes, replayed {replayed} bytes")
            }
            Self::Beyond { name, tolerance, float } => write!(f, "output {name} is not within {tolerance}: {float}"),
            Self::Refused { name, reason } => {
                write!(f, "output {name} is not the same, says the module's own compare: {reason:?}")
            }
            Self::Log { blobs } => write!(f, "log {blobs}"),
            Self::Fuel { claimed, replayed } => {
                write!(f, "fuel differs: claimed {}, replayed {}", Grouped(*claimed), Grouped(*replayed))
            }
        }
    }
}

impl fmt::Display for BlobDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (claimed, replayed) = (&self.claimed, &self.replayed);
        match &self.byte {
            Some(byte) => fmt::Display::fmt(byte, f),
            None if claimed.size_bytes != replayed.size_bytes => write!(
                f,
                "differs in size: claimed {} bytes, replayed {} bytes",
                Grouped(claimed.size_bytes),
                Grouped(replayed.size_bytes)
            ),
            None => write!(f, "differs in hash: claimed {}, replayed {}", claimed.hash, replayed.hash),
        }
    }
}

/// A number with its thousands set apart: `1,024`.
pub(crate) struct Grouped(pub(crate) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn outcome(outputs: &[(&str, &[u8])], log: &[u8], fuel: u64) -> Outcome {
        let outputs: BTreeMap<_, _> =
            outputs.iter().map(|(name, bytes)| (Name::new(*name).expect("valid"), BlobRef::of(bytes))).collect();
        Outcome { status: Status::Ok, outputs, log: BlobRef::of(log), fuel }
    }

    fn first(claimed: &Outcome, replayed: &Outcome) -> String {
        Difference::first(claimed, replayed).expect("they differ").to_string()
    }

    #[test]
    fn equal_outcomes_have_no_difference() {
        let outcome = outcome(&[("a", b"1")], b"log", 5);
        assert_eq!(Difference::first(&outcome, &outcome.clone()), None);
    }

    #[test]
    fn status_comes_first_then_outputs_then_log_then_fuel() {
        let claimed = outcome(&[("a", b"1")], b"log", 5);
        let mut replayed = outcome(&[("a", b"2")], b"gol", 6);
        replayed.status = Status::failed("disk on fire");
        assert_eq!(first(&claimed, &replayed), "status differs: claimed \"ok\", replayed \"failed: disk on fire\"");
        replayed.status = Status::failed("\u{1b}[2J");
        assert!(first(&claimed, &replayed).ends_with(r#"replayed "failed: \u{1b}[2J""#));
        replayed.status = Status::Ok;
        assert!(first(&claimed, &replayed).starts_with("output a differs in hash: claimed "));
        replayed.outputs = claimed.outputs.clone();
        assert!(first(&claimed, &replayed).starts_with("log differs in hash: claimed "));
        replayed.log = claimed.log;
        assert_eq!(first(&claimed, &replayed), "fuel differs: claimed 5, replayed 6");
    }

    #[test]
    fn outputs_are_compared_in_the_order_of_their_names() {
        let claimed = outcome(&[("b", b"1"), ("c", b"1")], b"", 0);
        let extra_before = outcome(&[("a", b"1"), ("b", b"2")], b"", 0);
        assert_eq!(first(&claimed, &extra_before), "output a is extra: not claimed, replayed 1 bytes");
        let extra_after = outcome(&[("b", b"12"), ("d", b"1")], b"", 0);
        assert_eq!(first(&claimed, &extra_after), "output b differs in size: claimed 1 bytes, replayed 2 bytes");
        let missing = outcome(&[("b", b"1"), ("d", b"1")], b"", 0);
        assert_eq!(first(&claimed, &missing), "output c is missing: claimed 1 bytes, not written here");
    }

    #[test]
    fn the_first_byte_is_named_once_it_is_known() {
        let (claimed, replayed) = (outcome(&[("image.png", b"?")], b"", 0), outcome(&[("image.png", b"@")], b"", 0));
        let difference = Difference::first(&claimed, &replayed).expect("they differ");
        assert_eq!(difference.blobs().map(|blobs| blobs.byte), Some(None));
        let byte = ByteDifference { offset: 1024, claimed: Some(0x3f), replayed: Some(0x40) };
        let text = difference.with_byte(byte).to_string();
        assert_eq!(text, "output image.png differs at byte 1,024: claimed 0x3f, replayed 0x40");
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (u64::MAX, "18,446,744,073,709,551,615")] {
            assert_eq!(Grouped(number).to_string(), text);
        }
    }
}
