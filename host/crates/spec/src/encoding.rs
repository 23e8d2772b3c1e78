//! Canonical bytes: postcard, one version enum around each kind, decoded strictly.
//!
//! A value has one encoding. Decoding accepts that encoding and nothing else: trailing bytes, over-long integers,
//! unsorted or repeated map keys and unknown versions are errors. This holds by construction: what was decoded is
//! encoded again and must give the same bytes.
//!
//! [`encode`] and [`decode`] are also for formats of other crates, such as the messages between hosts: whoever defines
//! one checks what its types alone do not express.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest canonical encoding of a job, outcome or receipt, in bytes. The largest valid receipt fits.
pub const ENCODED_BYTES_MAX: usize = 1 << 21;

/// Why bytes are not a canonical job, outcome or receipt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Longer than any valid encoding.
    #[error("too long: {0} bytes, at most {ENCODED_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// The bytes are of another version of the format.
    #[error("unknown version: this program reads version 1 only; a newer program may have written it")]
    UnknownVersion,
    /// The bytes do not follow the format.
    #[error("malformed: the bytes are cut short or hold an invalid value")]
    Malformed,
    /// Bytes are left over after the value.
    #[error("malformed: {0} bytes follow the end of the value")]
    Trailing(usize),
    /// The value could be read, but this is not its canonical encoding.
    #[error("not canonical: the same value has another encoding, which is the only valid one")]
    NotCanonical,
    /// The value breaks a rule that the format alone cannot express.
    #[error("invalid: {0}")]
    Invalid(String),
}

/// The version enum around every kind. Version 1 is variant 0.
#[derive(Serialize, Deserialize)]
enum Versioned<T> {
    V1(T),
}

/// The canonical bytes of a value, as version 1 of its kind.
///
/// The value is plain data: sequences of known length, no flattened or untagged serde types.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Postcard into a growing vector fails only for types without a known length, and ours all have one.
    postcard::to_allocvec(&Versioned::V1(value)).expect("plain data always encodes")
}

/// Reads a value from its canonical bytes, at most [`ENCODED_BYTES_MAX`] of them.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() > ENCODED_BYTES_MAX {
        return Err(DecodeError::TooLong(bytes.len()));
    }
    if bytes.first().is_some_and(|version| *version != 0) {
        return Err(DecodeError::UnknownVersion);
    }
    let (Versioned::V1(value), rest) =
        postcard::take_from_bytes::<Versioned<T>>(bytes).map_err(|_| DecodeError::Malformed)?;
    if !rest.is_empty() {
        return Err(DecodeError::Trailing(rest.len()));
    }
    if encode(&value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}
