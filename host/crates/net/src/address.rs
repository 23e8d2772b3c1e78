//! Hosts and blobs by name: keys, addresses and tickets, in iroh's forms and ours.
//!
//! Tickets are iroh's own, so that other programs of its family can read them.

use std::net::SocketAddr;

use iroh::{EndpointAddr, EndpointId, RelayUrl};
use iroh_blobs::BlobFormat;
use iroh_blobs::ticket::BlobTicket;
use iroh_tickets::endpoint::EndpointTicket;
use samebit_spec::{Hash, HostKey};
use thiserror::Error;

use crate::message::{ADDRESSES_MAX, Provider, Text};

/// Why a text names no host, or no blob.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Neither ticket nor key.
    #[error(
        "not a host: {0:?} is neither an endpoint ticket nor a key of 64 hexadecimal digits, with or without `@ADDRESS:PORT`"
    )]
    Host(String),
    /// Neither ticket nor hash.
    #[error("not a blob: {0:?} is neither a blob ticket nor a hash of 64 hexadecimal digits")]
    Blob(String),
    /// The key is no point on the curve.
    #[error("not a host: {0} is no valid Ed25519 key")]
    Key(HostKey),
    /// The relay's address is none.
    #[error("not a relay: {0:?} is no URL")]
    Relay(String),
}

/// A blob, or a collection of blobs, and who may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobAddress {
    /// Its hash.
    pub hash: Hash,
    /// True if the blob is the list of a collection.
    pub is_collection: bool,
    /// Who may have it: one host, if this was a ticket.
    pub provider: Option<Provider>,
}

impl Provider {
    /// A host known by its key alone.
    pub fn of_key(host: HostKey) -> Self {
        Self { host, addresses: Vec::new(), relay: None }
    }

    /// Reads a host as users name it: an endpoint ticket, a key, or `KEY@ADDRESS:PORT`.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let unknown = || AddressError::Host(shown(text));
        if let Ok(ticket) = text.parse::<EndpointTicket>() {
            return Ok(Self::from_endpoint(ticket.endpoint_addr()));
        }
        let (key, address) = match text.split_once('@') {
            Some((key, address)) => (key, Some(address.parse::<SocketAddr>().map_err(|_| unknown())?)),
            None => (text, None),
        };
        let host = key.parse().map_err(|_| unknown())?;
        Ok(Self { host, addresses: address.into_iter().collect(), relay: None })
    }

    /// The endpoint ticket of this host.
    pub fn ticket(&self) -> Result<String, AddressError> {
        Ok(EndpointTicket::new(self.endpoint()?).to_string())
    }

    pub(crate) fn from_endpoint(address: &EndpointAddr) -> Self {
        Self {
            host: HostKey::from_bytes(*address.id.as_bytes()),
            addresses: address.ip_addrs().copied().take(ADDRESSES_MAX).collect(),
            relay: address.relay_urls().next().and_then(|url| Text::new(url.to_string()).ok()),
        }
    }

    pub(crate) fn endpoint(&self) -> Result<EndpointAddr, AddressError> {
        let id = EndpointId::from_bytes(self.host.as_bytes()).map_err(|_| AddressError::Key(self.host))?;
        let mut address = EndpointAddr::new(id);
        for ip in &self.addresses {
            address = address.with_ip_addr(*ip);
        }
        match &self.relay {
            Some(relay) => Ok(address.with_relay_url(relay_url(relay.as_str())?)),
            None => Ok(address),
        }
    }
}

impl BlobAddress {
    /// Reads a blob as users name it: a blob ticket, or a hash.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if let Ok(ticket) = text.parse::<BlobTicket>() {
            return Ok(Self {
                hash: Hash::from_bytes(*ticket.hash().as_bytes()),
                is_collection: ticket.recursive(),
                provider: Some(Provider::from_endpoint(ticket.addr())),
            });
        }
        let hash = text.parse().map_err(|_| AddressError::Blob(shown(text)))?;
        Ok(Self { hash, is_collection: false, provider: None })
    }

    /// The blob ticket, which needs a provider to name.
    pub fn ticket(&self, provider: &Provider) -> Result<String, AddressError> {
        let format = if self.is_collection { BlobFormat::HashSeq } else { BlobFormat::Raw };
        Ok(BlobTicket::new(provider.endpoint()?, (*self.hash.as_bytes()).into(), format).to_string())
    }
}

pub(crate) fn relay_url(text: &str) -> Result<RelayUrl, AddressError> {
    text.parse().map_err(|_| AddressError::Relay(shown(text)))
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use samebit_spec::SecretKey;

    use super::*;

    fn provider() -> Provider {
        Provider {
            host: SecretKey::from_bytes(&[7; 32]).public(),
            addresses: vec!["127.0.0.1:4".parse().expect("address"), "[::1]:5".parse().expect("address")],
            relay: Some(Text::new("https://relay.example/").expect("text")),
        }
    }

    #[test]
    fn a_host_round_trips_through_its_ticket() {
        let ticket = provider().ticket().expect("ticket");
        assert_eq!(Provider::parse(&ticket), Ok(provider()));
    }

    #[test]
    fn a_host_is_read_from_its_key_with_and_without_address() {
        let key = provider().host;
        assert_eq!(Provider::parse(&key.to_string()), Ok(Provider::of_key(key)));
        let with = Provider::parse(&format!("{key}@127.0.0.1:4")).expect("read");
        assert_eq!(with.addresses, [SocketAddr::from(([127, 0, 0, 1], 4))]);
    }

    #[test]
    fn a_blob_round_trips_through_its_ticket() {
        for is_collection in [false, true] {
            let blob = BlobAddress { hash: Hash::of(b"x"), is_collection, provider: Some(provider()) };
            assert_eq!(BlobAddress::parse(&blob.ticket(&provider()).expect("ticket")), Ok(blob));
        }
    }

    #[test]
    fn the_ticket_of_a_folder_that_sendme_sent_is_read() {
        // Of sendme 0.37.1, with the endpoint's id alone.
        let ticket = "blobad6aglaydj65lzuehki5ndakpzzhnjvbqsuph5bv5352fluk3bvs6aaaafvoxzju4dn7aw6hdtzwpgbei2c3qplrwom47djm5zby2zfadmx4y";
        let address = BlobAddress::parse(ticket).expect("a ticket");
        assert!(address.is_collection);
        assert_eq!(address.hash.to_string(), "6aebe534e0dbf05bc71cf36798244685b83d71b399cf8d2cee438d64a01b2fcc");
        let provider = address.provider.clone().expect("who has it");
        assert_eq!((provider.addresses.len(), &provider.relay), (0, &None));
        assert_eq!(address.ticket(&provider).as_deref(), Ok(ticket));
    }

    #[test]
    fn other_text_is_refused() {
        let long = "x".repeat(1 << 20);
        for text in ["", "endpoint", "endpointaaaa", "../x", "00@", long.as_str()] {
            assert!(matches!(Provider::parse(text), Err(AddressError::Host(_))), "{:.40}", text);
            assert!(matches!(BlobAddress::parse(text), Err(AddressError::Blob(_))), "{:.40}", text);
        }
    }
}
