//! Receipts, and the blobs that they keep.
//!
//! A kept receipt is a blob like any other, with the tag `receipt/ID/receipt`. Every blob that it names has a tag
//! `receipt/ID/blob/HASH`. The receipt's own tag is set last, so that a receipt that is listed has had all its tags. A store
//! that is kept within a size may lose what receipts name, with these tags, and never a receipt itself.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use iroh_blobs::api::Tag;
use samebit_spec::{DecodeError, ENCODED_BYTES_MAX, Hash, RECEIPT_MAGIC, Receipt, ReceiptError, ReceiptId};
use thiserror::Error;

use crate::books::Why;
use crate::{Blob, DatabaseError, ImportError, ReadError, Store};

/// What every tag of a receipt begins with.
const PREFIX: &str = "receipt/";
/// What the tag of the receipt itself ends with.
const SUFFIX: &str = "/receipt";

/// Why a receipt cannot be kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeepError {
    /// The store lacks a blob that the receipt names.
    #[error("cannot keep the receipt: it names blob {0}, which is not in the store; import that first")]
    Missing(Hash),
    /// The receipt could not be stored.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The index does not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Why a kept receipt cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReceiptsError {
    /// No such receipt is kept.
    #[error("receipt {0} is not in the store")]
    Unknown(ReceiptId),
    /// Its blob cannot be read.
    #[error("cannot read a kept receipt: {0}")]
    Read(#[from] ReadError),
    /// Its blob is no valid receipt, or another one.
    #[error("cannot read a kept receipt: {0}")]
    Decode(#[from] ReceiptError),
    /// The index does not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl Store {
    /// Stores a receipt, and keeps it and every blob it names until [`Store::forget`].
    ///
    /// Once this has returned, a killed process cannot undo it. Keeping a receipt again changes nothing.
    pub async fn keep(&self, receipt: &Receipt) -> Result<ReceiptId, KeepError> {
        let id = receipt.id();
        let named = named_blobs(receipt);
        let mut pins = Vec::new();
        for hash in &named {
            // First, so that what is here stays here until it is marked.
            pins.push(self.pin(hash).await?);
            if !self.contains(hash).await? {
                return Err(KeepError::Missing(*hash));
            }
        }
        let (blob, _pin) = self.import_bytes(receipt.encode().into()).await?;
        for hash in named {
            self.tag(&format!("{PREFIX}{id}/blob/{hash}"), &hash).await?;
        }
        self.tag(&format!("{PREFIX}{id}{SUFFIX}"), &blob.hash).await?;
        self.shelf().keep(&blob.hash, Why::Receipt, true);
        self.commit().await?;
        Ok(id)
    }

    /// A kept receipt, its signature checked.
    pub async fn receipt(&self, id: &ReceiptId) -> Result<Receipt, ReceiptsError> {
        let tag = self.index().tags().get(format!("{PREFIX}{id}{SUFFIX}")).await.map_err(DatabaseError::new)?;
        let hash = tag.ok_or(ReceiptsError::Unknown(*id))?.hash;
        let receipt = self.read_receipt(&Hash::from_bytes(*hash.as_bytes())).await?;
        if receipt.id() == *id { Ok(receipt) } else { Err(ReceiptsError::Unknown(*id)) }
    }

    /// Every kept receipt in the order of ids, or why it cannot be read: a damaged one does not hide the others.
    pub async fn receipts(&self) -> Result<Vec<Result<Receipt, ReceiptsError>>, DatabaseError> {
        let mut receipts = Vec::new();
        for hash in self.receipt_files().await? {
            receipts.push(self.read_receipt(&hash).await);
        }
        Ok(receipts)
    }

    /// Stops keeping a receipt and the blobs that it alone kept. False if it was not kept.
    pub async fn forget(&self, id: &ReceiptId) -> Result<bool, DatabaseError> {
        let tag = self.index().tags().get(format!("{PREFIX}{id}{SUFFIX}")).await.map_err(DatabaseError::new)?;
        let removed = self.index().tags().delete_prefix(format!("{PREFIX}{id}/")).await.map_err(DatabaseError::new)?;
        if let Some(tag) = tag {
            self.shelf().keep(&Hash::from_bytes(*tag.hash.as_bytes()), Why::Receipt, false);
        }
        self.commit().await?;
        Ok(removed > 0)
    }

    /// The blobs that hold kept receipts themselves.
    pub(crate) async fn receipt_files(&self) -> Result<Vec<Hash>, DatabaseError> {
        Ok(self.tags().await?.into_iter().filter(|(name, _)| is_receipt(name)).map(|(_, hash)| hash).collect())
    }

    /// The tags of all blobs that receipts name.
    pub(crate) async fn blob_tags(&self) -> Result<Vec<(Tag, Hash)>, DatabaseError> {
        Ok(self.tags().await?.into_iter().filter(|(name, _)| !is_receipt(name)).collect())
    }

    /// Every tag of receipts.
    async fn tags(&self) -> Result<Vec<(Tag, Hash)>, DatabaseError> {
        let mut tags = self.index().tags().list_prefix(PREFIX).await.map_err(DatabaseError::new)?;
        let mut found = Vec::new();
        while let Some(tag) = tags.next().await {
            let tag = tag.map_err(DatabaseError::new)?;
            found.push((tag.name, Hash::from_bytes(*tag.hash.as_bytes())));
        }
        Ok(found)
    }

    async fn read_receipt(&self, hash: &Hash) -> Result<Receipt, ReceiptsError> {
        let bytes_max = ENCODED_BYTES_MAX + RECEIPT_MAGIC.len();
        match self.open_within(hash, bytes_max as u64).await? {
            Blob::Bytes(bytes) => Ok(Receipt::decode(&bytes)?),
            Blob::File(file) => {
                let size = usize::try_from(file.size_bytes()).unwrap_or(usize::MAX);
                Err(ReceiptError::Decode(DecodeError::TooLong(size)).into())
            }
        }
    }

    async fn tag(&self, name: &str, hash: &Hash) -> Result<(), DatabaseError> {
        let content = iroh_blobs::HashAndFormat::raw((*hash.as_bytes()).into());
        self.index().tags().set(name, content).await.map_err(DatabaseError::new)
    }

    /// Waits until the index is on disk. Its answers alone come before that, by up to half a second.
    async fn commit(&self) -> Result<(), DatabaseError> {
        self.index().sync_db().await.map_err(DatabaseError::new)
    }
}

/// True for the tag of a receipt itself.
fn is_receipt(name: &Tag) -> bool {
    name.as_ref().ends_with(SUFFIX.as_bytes())
}

/// Everything that a re-run and a comparison need.
fn named_blobs(receipt: &Receipt) -> BTreeSet<Hash> {
    let (job, outcome) = (&receipt.job, &receipt.outcome);
    let blobs = job.blobs().chain(outcome.outputs.values()).chain([&outcome.log]);
    blobs.map(|blob| blob.hash).collect()
}
