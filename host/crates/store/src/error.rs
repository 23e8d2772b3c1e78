//! The one error that every operation may meet: the index does not answer.

use std::fmt::Display;

use thiserror::Error;

/// The store's index failed or has stopped.
///
/// iroh-blobs runs its index in tasks of its own. When one of them fails or panics over a damaged file, every later
/// request ends in this error; none hangs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the store's index failed: {0}; make sure that the disk has space, and if the index is damaged move the store's folder away"
)]
pub struct DatabaseError(String);

impl DatabaseError {
    /// Keeps the text of an error and its causes: iroh-blobs' own types are not part of this crate's interface.
    pub(crate) fn new(error: impl Display) -> Self {
        Self(format!("{error:#}"))
    }
}
