//! What a job came to.
//!
//! An outcome holds no clock, no host name and no device name: two honest hosts produce the same bytes. Failures are
//! outcomes too, and verify like successes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::encoding::{decode, encode};
use crate::{BlobRef, DecodeError, Limit, Name, OutcomeId};

/// The most outputs a job may have.
pub const OUTPUTS_MAX: usize = 4096;
/// The longest message of a failed job, in bytes. Longer ones are cut at a character boundary.
pub const MESSAGE_BYTES_MAX: usize = 4096;

/// What a job came to. Its id is the hash of its canonical bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How the job ended.
    pub status: Status,
    /// Outputs by name. Empty unless the guest ended by itself.
    pub outputs: BTreeMap<Name, BlobRef>,
    /// The log, one line of text after the other.
    pub log: BlobRef,
    /// Fuel spent. 0 for a stack overflow.
    pub fuel: u64,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The guest returned success.
    Ok,
    /// The guest returned an error, with this message (at most [`MESSAGE_BYTES_MAX`] bytes).
    Failed(String),
    /// A WASI command exited with this non-zero code.
    Exited(u8),
    /// The guest trapped.
    Trapped(Trap),
    /// The guest reached one of its limits.
    Exceeded(Limit),
}

/// Why a guest trapped. The words are WebAssembly's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trap {
    /// `unreachable` was executed: in Rust, a panic or an abort.
    Unreachable,
    /// A load or store was out of a memory's bounds.
    MemoryOutOfBounds,
    /// An access was out of a table's bounds.
    TableOutOfBounds,
    /// An indirect call went to a null entry.
    IndirectCallToNull,
    /// An indirect call's signature did not match.
    BadSignature,
    /// An integer division overflowed.
    IntegerOverflow,
    /// An integer division by zero.
    IntegerDivisionByZero,
    /// A float could not be converted to an integer.
    BadConversionToInteger,
    /// The call stack ran out.
    StackOverflow,
    /// The guest broke a rule of the component model: a forged handle, an invalid string, a re-entrance.
    BrokenContract,
}

impl Status {
    /// True if the guest ended by itself, in success or failure, so that what it wrote is kept.
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::Ok | Self::Failed(_) | Self::Exited(_))
    }

    /// A failure with its message cut to [`MESSAGE_BYTES_MAX`] at a character boundary.
    pub fn failed(message: &str) -> Self {
        Self::Failed(message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)].to_owned())
    }
}

impl core::fmt::Display for Status {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Failed(message) => write!(f, "failed: {message}"),
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Trapped(trap) => write!(f, "trapped: {trap}"),
            Self::Exceeded(limit) => write!(f, "limit exceeded: {limit}"),
        }
    }
}

impl core::fmt::Display for Trap {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "unreachable executed",
            Self::MemoryOutOfBounds => "out of bounds memory access",
            Self::TableOutOfBounds => "out of bounds table access",
            Self::IndirectCallToNull => "indirect call to null",
            Self::BadSignature => "indirect call with a bad signature",
            Self::IntegerOverflow => "integer overflow",
            Self::IntegerDivisionByZero => "integer division by zero",
            Self::BadConversionToInteger => "invalid conversion to integer",
            Self::StackOverflow => "call stack exhausted",
            Self::BrokenContract => "a rule of the component model was broken",
        })
    }
}

impl Outcome {
    /// Checks the rules that the types alone do not express.
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        let rule = |text: &str| Err(DecodeError::Invalid(text.to_owned()));
        match &self.status {
            Status::Failed(message) if message.len() > MESSAGE_BYTES_MAX => rule("the failure's message is too long"),
            Status::Exited(0) => rule("exit code 0 is success"),
            status if !status.is_finished() && !self.outputs.is_empty() => {
                rule("a job that was stopped has no outputs")
            }
            // How deep a stack goes depends on the host's instruction set, and so does what was done by then.
            Status::Trapped(Trap::StackOverflow) if self.fuel != 0 || self.log != BlobRef::of(b"") => {
                rule("a stack overflow has fuel 0 and an empty log")
            }
            _ if self.outputs.len() > OUTPUTS_MAX => rule("there are too many outputs"),
            _ => Ok(()),
        }
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads an outcome from its canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let outcome: Self = decode(bytes)?;
        outcome.check()?;
        Ok(outcome)
    }

    /// The outcome's id.
    pub fn id(&self) -> OutcomeId {
        OutcomeId::of_canonical(&self.encode())
    }
}
