//! What programs on the host's own machine may ask over its local socket, and nobody else.
//!
//! The daemon holds the store, so a command that needs it asks the daemon to act: to take a file in, to fetch a blob,
//! to write one out. Paths are absolute, and are opened with the daemon's rights, which are the user's own.

use samebit_spec::{BlobRef, DecodeError, Hash};
use serde::{Deserialize, Serialize};

use super::provider::bounded;
use super::{HostInfo, Provider, Text};

/// The longest path, in bytes.
const PATH_BYTES_MAX: usize = 4096;

/// A request from this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LocalRequest {
    /// Takes a file into the store, keeps it, and serves it to whoever the policy allows.
    Publish {
        /// The file.
        path: String,
    },
    /// Fetches a blob into the store, and writes it to a file.
    Fetch(FetchWish),
    /// Lists the hosts that are known from announcements.
    Peers,
    /// Says how much room blobs take.
    Room,
}

/// A blob that is wanted here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchWish {
    /// The blob.
    pub hash: Hash,
    /// Its size if it is known. Another one is an error.
    pub size_bytes: Option<u64>,
    /// Who may have it.
    pub providers: Vec<Provider>,
    /// Where to write it, if anywhere but the store.
    pub out: Option<String>,
}

/// What comes of a request from this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LocalResponse {
    /// The file is in the store.
    Published {
        /// What it is.
        blob: BlobRef,
        /// A ticket for it, with this host's addresses.
        ticket: Text<2048>,
        /// A ticket for a list that has this file alone, under its name.
        list_ticket: Text<2048>,
    },
    /// The blob is on its way.
    Fetching {
        /// How much is here, in bytes.
        done_bytes: u64,
        /// How much it is in all, in bytes.
        total_bytes: u64,
    },
    /// The blob is here, hashed, and written where it was wanted.
    Fetched {
        /// What it is.
        blob: BlobRef,
    },
    /// A host that is known from its announcement.
    Peer {
        /// What it says of itself.
        info: Box<HostInfo>,
        /// How to reach it.
        provider: Provider,
        /// When the announcement was made, in milliseconds since 1970-01-01 UTC by that host's clock.
        announced_unix_ms: u64,
    },
    /// How much room blobs take.
    Room {
        /// All of them, in bytes.
        used_bytes: u64,
        /// Those that are never evicted, in bytes.
        kept_bytes: u64,
        /// What all of them may take, in bytes, if there is a bound.
        quota_bytes: Option<u64>,
    },
}

impl LocalRequest {
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        let path = match self {
            Self::Publish { path } => Some(path),
            Self::Fetch(wish) => {
                Provider::check_all(&wish.providers)?;
                wish.out.as_ref()
            }
            Self::Peers | Self::Room => None,
        };
        bounded("bytes of a path", path.map_or(0, String::len), PATH_BYTES_MAX)
    }
}
