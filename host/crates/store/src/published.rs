//! Blobs that are kept because somebody published them: the tag `published/HASH`.

use futures_util::StreamExt;
use samebit_spec::Hash;

use crate::books::Why;
use crate::{DatabaseError, Store};

/// What the tags begin with.
const PREFIX: &str = "published/";

impl Store {
    /// Keeps a blob of the store until [`Store::unpublish`]. Once this has returned, a killed process cannot undo it.
    pub async fn publish(&self, hash: &Hash) -> Result<(), DatabaseError> {
        // Until it is noted that the blob stays.
        let _pin = self.pin(hash).await?;
        let content = iroh_blobs::HashAndFormat::raw((*hash.as_bytes()).into());
        self.index().tags().set(format!("{PREFIX}{hash}"), content).await.map_err(DatabaseError::new)?;
        self.shelf().keep(hash, Why::Published, true);
        self.index().sync_db().await.map_err(DatabaseError::new)
    }

    /// Stops keeping a blob for having been published. False if it was not.
    pub async fn unpublish(&self, hash: &Hash) -> Result<bool, DatabaseError> {
        let removed = self.index().tags().delete(format!("{PREFIX}{hash}")).await.map_err(DatabaseError::new)?;
        self.shelf().keep(hash, Why::Published, false);
        Ok(removed > 0)
    }

    /// Every published blob.
    pub async fn published(&self) -> Result<Vec<Hash>, DatabaseError> {
        let mut tags = self.index().tags().list_prefix(PREFIX).await.map_err(DatabaseError::new)?;
        let mut published = Vec::new();
        while let Some(tag) = tags.next().await {
            published.push(Hash::from_bytes(*tag.map_err(DatabaseError::new)?.hash.as_bytes()));
        }
        Ok(published)
    }
}
