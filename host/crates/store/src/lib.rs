//! Content-addressed blobs on disk: modules, inputs, outputs and receipts, each named by the hash of its bytes.
//!
//! The store promises three things. What it hands out was hashed in full before the caller got it, so a flipped byte on
//! disk is an error and never a wrong answer. A folder belongs to one process at a time: a second one waits, then gets
//! an error that says so. And a process that is killed at any instant leaves a store that opens again, with everything
//! that [`Store::keep`] had returned for. A power cut may cost the bytes of recent blobs, since nothing here waits for
//! the disk except `keep`, and it waits for the index alone; such a blob reads as [`ReadError::Corrupt`].
//!
//! iroh-blobs keeps the index: which blobs exist, their tags, their hash trees for serving. The bytes are plain files,
//! either the store's own or a user's file that is only referred to. The crate does not speak to the network, knows
//! nothing of runs or devices, and deletes no blob unless it is asked to make room by [`Store::evict`].
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! use std::time::Duration;
//! let store = samebit_store::Store::open(folder.path(), Duration::ZERO).await?;
//! let (blob, _pin) = store.import_bytes("an input".into()).await?;
//! assert_eq!(store.open_blob(&blob.hash).await?.size_bytes(), 8);
//! store.close().await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().expect("a runtime").block_on(example()).expect("the example runs");
//! ```

mod adopt;
mod blob;
mod books;
mod error;
mod evict;
mod export;
mod hashing;
mod import;
mod layout;
mod lock;
mod pin;
mod published;
mod read;
mod receipts;
mod recent;
mod references;
mod shelf;
mod stamp;
mod store;
mod sweep;

pub use blob::{Blob, FileBlob};
pub use books::Usage;
pub use error::DatabaseError;
pub use evict::Evicted;
pub use export::ExportError;
pub use import::{ImportBy, ImportError, REFERENCE_FROM_BYTES};
pub use pin::{Pin, Reading};
pub use read::{MEMORY_BYTES_MAX, ReadError};
pub use receipts::{KeepError, ReceiptsError};
pub use store::{OpenError, Store};
