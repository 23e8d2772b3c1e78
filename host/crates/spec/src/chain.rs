//! A host's receipts in the order in which it signed them, each entry naming the one before.
//!
//! Whoever has pulled a chain once can tell later whether the host has taken a receipt back, or put one in between: the
//! entries would not follow one another, or two would claim one place. A chain promises nothing about receipts that
//! were never entered. Like everything here this is pure: an entry is checked against what came before it, and where
//! entries come from is somebody else's business.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::encoding::{decode, encode};
use crate::{BlobRef, DecodeError, EntryId, Hash, HostKey, ReceiptId, SecretKey, Signature};

/// A place in a host's chain of receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEntry {
    /// The place, from 0.
    pub sequence: u64,
    /// The entry before; 32 zero bytes for the first.
    pub previous: Hash,
    /// The receipt.
    pub receipt: ReceiptId,
    /// The receipt's file.
    pub file: BlobRef,
    /// Whose chain it is.
    pub host: HostKey,
    /// The host's signature over the [`EntryId`].
    pub signature: Signature,
}

/// What is signed: the entry without its signature.
#[derive(Serialize)]
struct EntryStatement {
    sequence: u64,
    previous: Hash,
    receipt: ReceiptId,
    file: BlobRef,
    host: HostKey,
}

/// Why bytes are not a valid entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainEntryError {
    /// The bytes are not an entry's.
    #[error("not a chain entry: {0}")]
    Decode(#[from] DecodeError),
    /// The signature is not the named host's over these contents.
    #[error("bad signature: it is not host {0}'s over this chain entry; the entry was changed or forged")]
    BadSignature(HostKey),
}

/// Why an entry does not continue a chain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The entry is of another host.
    #[error("entry {sequence} is host {found}'s, but the chain is host {wanted}'s")]
    Host {
        /// The entry's place.
        sequence: u64,
        /// Whose chain it is.
        wanted: HostKey,
        /// Whose entry it is.
        found: HostKey,
    },
    /// The entry has another place.
    #[error("the chain is broken: entry {wanted} was expected, and entry {found} came")]
    Sequence {
        /// The place that comes next.
        wanted: u64,
        /// The entry's place.
        found: u64,
    },
    /// The entry does not name the one before.
    #[error("the chain is broken: entry {sequence} follows {found}, but the entry before it is {wanted}")]
    Previous {
        /// The entry's place.
        sequence: u64,
        /// The entry before it.
        wanted: Hash,
        /// What it names instead.
        found: Hash,
    },
}

impl ChainEntry {
    /// The id that the signature covers.
    pub fn id(&self) -> EntryId {
        let Self { sequence, previous, receipt, file, host, .. } = *self;
        EntryStatement { sequence, previous, receipt, file, host }.id()
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads an entry from its canonical bytes and checks its signature. No part of an entry that fails is released.
    pub fn decode(bytes: &[u8]) -> Result<Self, ChainEntryError> {
        let entry: Self = decode(bytes)?;
        if entry.host.verifies(entry.id().as_bytes(), &entry.signature) {
            Ok(entry)
        } else {
            Err(ChainEntryError::BadSignature(entry.host))
        }
    }
}

impl EntryStatement {
    fn id(&self) -> EntryId {
        EntryId::of_canonical(&encode(self))
    }
}

/// The end of a chain: what the next entry must continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    host: HostKey,
    sequence: u64,
    previous: Hash,
}

impl ChainHead {
    /// The head of a host's empty chain.
    pub const fn new(host: HostKey) -> Self {
        Self { host, sequence: 0, previous: Hash::from_bytes([0; 32]) }
    }

    /// The head after an entry that is known to be good.
    pub fn after(entry: &ChainEntry) -> Self {
        let previous = Hash::from_bytes(*entry.id().as_bytes());
        Self { host: entry.host, sequence: entry.sequence.saturating_add(1), previous }
    }

    /// The place that comes next, which is the number of entries so far.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Signs the next entry. The head stays: it moves with [`ChainHead::advance`], once the entry is kept.
    pub fn sign(&self, receipt: ReceiptId, file: BlobRef, key: &SecretKey) -> ChainEntry {
        let (sequence, previous, host) = (self.sequence, self.previous, key.public());
        let id = EntryStatement { sequence, previous, receipt, file, host }.id();
        ChainEntry { sequence, previous, receipt, file, host, signature: key.sign(id.as_bytes()) }
    }

    /// Moves on past an entry, if it is the one that comes next.
    pub fn advance(&mut self, entry: &ChainEntry) -> Result<(), ChainError> {
        let sequence = entry.sequence;
        if entry.host != self.host {
            return Err(ChainError::Host { sequence, wanted: self.host, found: entry.host });
        }
        if sequence != self.sequence {
            return Err(ChainError::Sequence { wanted: self.sequence, found: sequence });
        }
        if entry.previous != self.previous {
            return Err(ChainError::Previous { sequence, wanted: self.previous, found: entry.previous });
        }
        *self = Self::after(entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(key: &SecretKey, count: u8) -> Vec<ChainEntry> {
        let mut head = ChainHead::new(key.public());
        let sign = |index: u8| {
            let receipt = ReceiptId::of_canonical(&[index]);
            let entry = head.sign(receipt, BlobRef::of(&[index]), key);
            head.advance(&entry).expect("it was signed for this place");
            entry
        };
        (0..count).map(sign).collect()
    }

    #[test]
    fn a_chain_is_followed_from_its_start_or_from_any_entry() {
        let key = SecretKey::from_bytes(&[7; 32]);
        let entries = chain(&key, 5);
        let mut head = ChainHead::new(key.public());
        for entry in &entries {
            assert_eq!(ChainEntry::decode(&entry.encode()).as_ref(), Ok(entry));
            head.advance(entry).expect("unbroken");
        }
        assert_eq!(head.sequence(), 5);
        let mut head = ChainHead::after(&entries[2]);
        head.advance(&entries[3]).expect("it continues anywhere");
    }

    #[test]
    fn what_does_not_follow_breaks_the_chain() {
        let (key, other) = (SecretKey::from_bytes(&[7; 32]), SecretKey::from_bytes(&[8; 32]));
        let entries = chain(&key, 3);
        let mut head = ChainHead::after(&entries[0]);
        assert!(matches!(head.advance(&entries[2]), Err(ChainError::Sequence { wanted: 1, found: 2 })), "left out");
        assert!(matches!(head.advance(&entries[0]), Err(ChainError::Sequence { .. })), "repeated");
        assert!(matches!(head.advance(&chain(&other, 2)[1]), Err(ChainError::Host { .. })), "a stranger's");
        let rewritten = ChainHead::new(key.public()).sign(ReceiptId::of_canonical(b"x"), BlobRef::of(b"x"), &key);
        let fork = ChainHead::after(&rewritten).sign(entries[1].receipt, entries[1].file, &key);
        assert!(matches!(head.advance(&fork), Err(ChainError::Previous { sequence: 1, .. })), "of another past");
        head.advance(&entries[1]).expect("refusals changed nothing");
    }

    #[test]
    fn a_changed_entry_is_refused() {
        let key = SecretKey::from_bytes(&[7; 32]);
        let entry = chain(&key, 1).remove(0);
        let bytes = entry.encode();
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            ChainEntry::decode(&changed).expect_err("every bit counts");
        }
    }
}
