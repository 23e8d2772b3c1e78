//! An author's signature under a module.
//!
//! A module says nothing about who wrote it, and whoever submits a job can claim anything. A publication is what a host
//! can hold on to: the author's key, over the module's hash and size. It says that the holder of that key stands by these
//! bytes, and no more; two people may publish one module, and a publication is good for ever.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::encoding::{decode, encode};
use crate::{BlobRef, DecodeError, HostKey, PublicationId, SecretKey, Signature};

/// A module that somebody stands by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// The module.
    pub module: BlobRef,
    /// Who stands by it.
    pub author: HostKey,
    /// The author's signature over the [`PublicationId`].
    pub signature: Signature,
}

/// What is signed.
#[derive(Serialize)]
struct PublicationStatement {
    module: BlobRef,
    author: HostKey,
}

/// Why bytes are not a valid publication.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublicationError {
    /// The bytes are not a publication's.
    #[error("not a publication: {0}")]
    Decode(#[from] DecodeError),
    /// The signature is not the named author's over this module.
    #[error("bad signature: it is not author {0}'s over this module; the publication was changed or forged")]
    BadSignature(HostKey),
}

impl Publication {
    /// Signs a module.
    pub fn sign(module: BlobRef, key: &SecretKey) -> Self {
        let author = key.public();
        let id = PublicationStatement { module, author }.id();
        Self { module, author, signature: key.sign(id.as_bytes()) }
    }

    /// The id that the signature covers.
    pub fn id(&self) -> PublicationId {
        PublicationStatement { module: self.module, author: self.author }.id()
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads a publication from its canonical bytes and checks its signature.
    pub fn decode(bytes: &[u8]) -> Result<Self, PublicationError> {
        let publication: Self = decode(bytes)?;
        publication.check()?;
        Ok(publication)
    }

    /// Checks the signature of a publication that came as part of something else.
    pub fn check(&self) -> Result<(), PublicationError> {
        let good = self.author.verifies(self.id().as_bytes(), &self.signature);
        if good { Ok(()) } else { Err(PublicationError::BadSignature(self.author)) }
    }
}

impl PublicationStatement {
    fn id(&self) -> PublicationId {
        PublicationId::of_canonical(&encode(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publication_is_its_authors_alone() {
        let key = SecretKey::from_bytes(&[7; 32]);
        let publication = Publication::sign(BlobRef::of(b"module"), &key);
        assert_eq!(Publication::decode(&publication.encode()).as_ref(), Ok(&publication));
        let author = SecretKey::from_bytes(&[8; 32]).public();
        let forged = Publication { author, ..publication.clone() };
        assert_eq!(forged.check(), Err(PublicationError::BadSignature(author)));
        let other = Publication { module: BlobRef::of(b"other"), ..publication };
        other.check().expect_err("another module");
    }
}
