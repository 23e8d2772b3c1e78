//! Ed25519 keys and signatures. A host's public key is its identity, the same that iroh uses for its endpoint.

use core::fmt;
use core::str::FromStr;

use ed25519_dalek::Signer;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A host's Ed25519 public key, 32 bytes. Shown and parsed as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostKey(#[serde(with = "crate::hex")] [u8; 32]);

/// An Ed25519 signature, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

/// A host's Ed25519 secret key. Never shown by `Debug`.
#[derive(Clone)]
pub struct SecretKey(ed25519_dalek::SigningKey);

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not an Ed25519 key: it must be 64 hexadecimal digits")]
pub struct KeyParseError;

impl SecretKey {
    /// A key from its 32 secret bytes, which must come from a cryptographic random generator.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(bytes))
    }

    /// The 32 secret bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> HostKey {
        HostKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `message` as one of a kind, which `context` names: what is signed is the BLAKE3 hash of the message in
    /// key-derivation mode under that string, so that no message can ever pass for one of another kind.
    pub fn sign_as(&self, context: &str, message: &[u8]) -> Signature {
        self.sign(&blake3::derive_key(context, message))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

impl HostKey {
    /// A key from its 32 bytes. Whether it is a valid point shows when a signature is verified.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// True if `signature` is what [`SecretKey::sign_as`] gives for this key, context and message.
    pub fn verifies_as(&self, context: &str, message: &[u8], signature: &Signature) -> bool {
        self.verifies(&blake3::derive_key(context, message), signature)
    }

    /// True if `signature` is this key's over `message`, by the strict rules of `docs/RECEIPT.md`: canonical key, point
    /// and scalar, no point of small order, and the equation without cofactor.
    pub(crate) fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        ed25519_dalek::VerifyingKey::from_bytes(&self.0).is_ok_and(|key| {
            key.to_edwards().compress().as_bytes() == &self.0
                && key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok()
        })
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl FromStr for HostKey {
    type Err = KeyParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| KeyParseError)?;
        bytes.try_into().map(Self).map_err(|_| KeyParseError)
    }
}

// Serde derives arrays of at most 32 elements; a signature travels as two halves, which postcard writes as 64 bytes.
impl Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(&format_args!("{self:?}"));
        }
        let (head, tail) = self.0.split_at(32);
        let halves: (&[u8; 32], &[u8; 32]) =
            (head.try_into().map_err(serde::ser::Error::custom)?, tail.try_into().map_err(serde::ser::Error::custom)?);
        halves.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return crate::hex::deserialize_text(deserializer).map(Self);
        }
        let (head, tail) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&head);
        bytes[32..].copy_from_slice(&tail);
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_context_and_message_alone() {
        let key = SecretKey::from_bytes(&[7; 32]);
        let other = SecretKey::from_bytes(&[8; 32]);
        let signature = key.sign_as("samebit test a", b"message");
        assert!(key.public().verifies_as("samebit test a", b"message", &signature));
        assert!(!key.public().verifies_as("samebit test b", b"message", &signature));
        assert!(!key.public().verifies_as("samebit test a", b"massage", &signature));
        assert!(!other.public().verifies_as("samebit test a", b"message", &signature));
    }
}
