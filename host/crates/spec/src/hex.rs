//! How 32-byte values travel through serde: raw in canonical bytes, hexadecimal where people read.
//!
//! The JSON that the program prints shows hashes and keys as it shows them everywhere else. It is no canonical form: ids
//! are hashes of postcard bytes only.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&data_encoding::HEXLOWER.encode(bytes))
    } else {
        bytes.serialize(serializer)
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    if deserializer.is_human_readable() {
        deserialize_text(deserializer)
    } else {
        Deserialize::deserialize(deserializer)
    }
}

/// Reads exactly `N` bytes from hexadecimal digits.
pub(crate) fn deserialize_text<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(D::Error::custom)?;
    bytes.try_into().map_err(|_| D::Error::custom(format_args!("must be {} hexadecimal digits", 2 * N)))
}
