//! BLAKE3 hashes and the ids made of them.
//!
//! A blob is named by the plain BLAKE3 hash of its bytes, the same that `b3sum` prints and iroh-blobs uses. An id is a
//! BLAKE3 hash in key-derivation mode, with one context string per kind, so that no job can ever pass for a receipt.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A BLAKE3 hash, 32 bytes. Shown and parsed as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hash(#[serde(with = "crate::hex")] [u8; 32]);

/// Why a text is not a hash or an id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a BLAKE3 hash: {0:?} is not 64 hexadecimal digits")]
pub struct HashParseError(String);

impl Hash {
    /// The plain BLAKE3 hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// A hash from its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first ten hexadecimal digits, for people.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(10);
        text
    }

    /// The hash of canonical bytes under a context string.
    pub(crate) fn derive(context: &str, bytes: &[u8]) -> Self {
        Self(blake3::derive_key(context, bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = HashParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        data_encoding::HEXLOWER_PERMISSIVE
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| HashParseError(text.chars().take(80).collect()))
    }
}

/// A blob: its hash, and its size so that a limit can be checked before a byte is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlobRef {
    /// BLAKE3 hash of the bytes.
    pub hash: Hash,
    /// Length in bytes.
    pub size_bytes: u64,
}

impl BlobRef {
    /// The name of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { hash: Hash::of(bytes), size_bytes: bytes.len() as u64 }
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $context:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Hash);

        impl $name {
            /// The BLAKE3 key-derivation context of this kind of id.
            pub const CONTEXT: &'static str = $context;

            pub(crate) fn of_canonical(bytes: &[u8]) -> Self {
                Self(Hash::derive(Self::CONTEXT, bytes))
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                self.0.as_bytes()
            }

            /// The first ten hexadecimal digits, for people.
            pub fn short(&self) -> String {
                self.0.short()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = HashParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// Names a job: the hash of its canonical bytes.
    JobId, "samebit 2026 job v1"
);
id!(
    /// Names an outcome: the hash of its canonical bytes. Two honest hosts arrive at the same one.
    OutcomeId, "samebit 2026 outcome v1"
);
id!(
    /// What a host signs: the hash of a [`Statement`](crate::Statement)'s canonical bytes.
    ReceiptId, "samebit 2026 receipt v1"
);
id!(
    /// Names an entry of a host's chain: what the host signs, and what the next entry names.
    EntryId, "samebit 2026 chain entry v1"
);
id!(
    /// What an author signs: the hash of a module's name and the author's key.
    PublicationId, "samebit 2026 publication v1"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_round_trips_through_text() {
        let hash = Hash::of(b"samebit");
        assert_eq!(hash.to_string().parse::<Hash>(), Ok(hash));
        assert_eq!(hash.to_string().to_uppercase().parse::<Hash>(), Ok(hash));
    }

    #[test]
    fn hash_refuses_other_text() {
        for text in ["", "00", "zz", &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
            assert!(text.parse::<Hash>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_id_round_trips_through_text() {
        let id = JobId::of_canonical(b"x");
        assert_eq!(id.to_string().parse::<JobId>(), Ok(id));
    }

    #[test]
    fn kinds_of_id_differ_over_the_same_bytes() {
        assert_ne!(JobId::of_canonical(b"x").as_bytes(), OutcomeId::of_canonical(b"x").as_bytes());
        assert_ne!(JobId::of_canonical(b"x").as_bytes(), Hash::of(b"x").as_bytes());
    }
}
