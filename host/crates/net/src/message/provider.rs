//! Where blobs may be had: hints, which bind nobody and prove nothing.

use std::net::SocketAddr;

use samebit_spec::{DecodeError, HostKey};
use serde::{Deserialize, Serialize};

use super::Text;

/// The most providers in one list.
pub const PROVIDERS_MAX: usize = 16;
/// The most addresses of one provider.
pub const ADDRESSES_MAX: usize = 16;

/// A host that may have a blob, and ways to reach it. What it sends is checked against the hash, so a wrong hint costs
/// an attempt and nothing more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Provider {
    /// The host's key, by which it is authenticated.
    pub host: HostKey,
    /// Addresses to try, none if only discovery can tell.
    pub addresses: Vec<SocketAddr>,
    /// The relay that it listens at.
    pub relay: Option<Text<256>>,
}

impl Provider {
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        bounded("addresses of a provider", self.addresses.len(), ADDRESSES_MAX)
    }

    pub(crate) fn check_all(providers: &[Self]) -> Result<(), DecodeError> {
        bounded("providers", providers.len(), PROVIDERS_MAX)?;
        providers.iter().try_for_each(Self::check)
    }
}

/// An error if there are more of something than a message may hold.
pub(crate) fn bounded(what: &str, count: usize, max: usize) -> Result<(), DecodeError> {
    if count <= max {
        Ok(())
    } else {
        Err(DecodeError::Invalid(format!("too many {what}: {count}, at most {max} are allowed")))
    }
}
