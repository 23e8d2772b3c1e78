//! Which services a node uses to find others and to be reached, and so whom it speaks to.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use iroh::address_lookup::memory::MemoryLookup;
use iroh::address_lookup::{DnsAddressLookup, PkarrPublisher, PkarrResolver};
use iroh::defaults::prod::default_relay_map;
use iroh::endpoint::{Endpoint, QuicTransportConfig, presets};
use iroh::{RelayMode, RelayUrl, SecretKey};
use iroh_mainline_address_lookup::DhtAddressLookup;
use iroh_mdns_address_lookup::MdnsAddressLookup;
use n0_mainline::DhtBuilder;

use super::congestion::ByDistance;
use super::lookup::{Bounded, published};
use super::{NodeConfig, NodeError};
use crate::address::{AddressError, relay_url};

/// How long a connection without a sign of life is kept.
const IDLE_TIME: Duration = Duration::from_secs(20);
/// Streams of one connection that a peer may have open. Those of `samebit/1` are bounded further by policy.
const STREAMS: u32 = 128;
/// The same in one direction. Gossip needs a few.
const UNI_STREAMS: u32 = 64;

/// What a peer that connects may send before it is read, on all streams of its connection together, in bytes. Requests are
/// short, and what is longer goes on once its beginning was read.
const UNREAD_BYTES_MAX: u32 = 256 << 10;
/// The same for those that this node connects to: blobs come from them.
pub(super) const UNREAD_BYTES_MAX_OF_HOSTS: u32 = 32 << 20;

/// Whom a node speaks to, beside the peers that it is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Nobody: it listens on loopback alone, so that nothing can leave the machine.
    Offline,
    /// The network, with the help that is named here.
    Network {
        /// Relays, for hosts that cannot reach one another directly.
        relays: Relays,
        /// True to find and be found on the local network, by multicast DNS.
        mdns: bool,
        /// The distributed hash table in which hosts are found by their keys.
        dht: Dht,
    },
}

/// BitTorrent's "mainline" distributed hash table. Hosts that take jobs publish their addresses there, signed with their
/// keys, for anybody to read; everybody else only looks up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dht {
    /// Not used.
    Off,
    /// The one that the world shares.
    Public,
    /// One's own, by nodes to begin with, as `NAME:PORT`.
    Custom(Vec<String>),
}

/// Servers that carry encrypted packets between hosts that cannot reach one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relays {
    /// None.
    None,
    /// Those of n0, who make iroh, together with their address lookup by key.
    Public,
    /// One's own, by URL.
    Custom(Vec<String>),
}

impl Reach {
    pub(super) fn relays(&self) -> Relays {
        match self {
            Self::Offline => Relays::None,
            Self::Network { relays, .. } => relays.clone(),
        }
    }
}

impl Relays {
    /// One's own, by URLs that are checked here.
    pub fn custom(urls: Vec<String>) -> Result<Self, AddressError> {
        let relays = Self::Custom(urls);
        relays.own().map(|_| relays)
    }

    /// One's own, read.
    pub(super) fn own(&self) -> Result<Vec<RelayUrl>, AddressError> {
        match self {
            Self::None | Self::Public => Ok(Vec::new()),
            Self::Custom(urls) => urls.iter().map(|url| relay_url(url)).collect(),
        }
    }

    /// True if a node that uses these may speak to this one.
    pub(super) fn contains(&self, url: &RelayUrl) -> bool {
        match self {
            Self::None => false,
            Self::Public => default_relay_map().contains(url),
            Self::Custom(own) => own.iter().any(|own| relay_url(own).is_ok_and(|own| own == *url)),
        }
    }
}

impl Dht {
    /// A node of it, if it is used.
    fn builder(&self) -> Option<DhtBuilder> {
        let mut builder = DhtBuilder::default();
        match self {
            Self::Off => return None,
            Self::Public => {}
            Self::Custom(nodes) => drop(builder.bootstrap(nodes)),
        }
        Some(builder)
    }
}

/// Makes the endpoint.
pub(super) async fn bind(config: &NodeConfig, lookups: [&MemoryLookup; 2]) -> Result<Endpoint, NodeError> {
    let relays = config.reach.relays();
    let mut builder = Endpoint::builder(presets::Minimal);
    builder = match &relays {
        Relays::None => builder.relay_mode(RelayMode::Disabled),
        Relays::Custom(_) => builder.relay_mode(RelayMode::custom(relays.own()?)),
        Relays::Public => builder
            .relay_mode(RelayMode::Default)
            .address_lookup(PkarrPublisher::n0_dns())
            .address_lookup(Bounded { inner: PkarrResolver::n0_dns(), relays: relays.clone() })
            .address_lookup(Bounded { inner: DnsAddressLookup::n0_dns(), relays: relays.clone() }),
    };
    if let Reach::Network { mdns: true, .. } = &config.reach {
        builder = builder.address_lookup(Bounded { inner: MdnsAddressLookup::builder(), relays: relays.clone() });
    }
    if let Reach::Network { dht, .. } = &config.reach
        && let Some(dht) = dht.builder()
    {
        let lookup = DhtAddressLookup::builder().dht_builder(dht);
        let is_host = config.server.is_some();
        let inner = if is_host { lookup.addr_filter(published()) } else { lookup.no_publish() };
        builder = builder.address_lookup(Bounded { inner, relays });
    }
    let addresses = addresses(config)?;
    if !addresses.is_empty() {
        builder = builder.clear_ip_transports();
    }
    for address in addresses {
        builder = builder.bind_addr(address).map_err(|error| NodeError::Bind(error.to_string()))?;
    }
    for lookup in lookups {
        builder = builder.address_lookup(lookup.clone());
    }
    builder
        .secret_key(SecretKey::from_bytes(&config.key.to_bytes()))
        .transport_config(transport()?)
        .bind()
        .await
        .map_err(|error| NodeError::Bind(format!("{error:#}")))
}

/// Where to listen, if not at any port of every interface.
fn addresses(config: &NodeConfig) -> Result<Vec<SocketAddr>, NodeError> {
    if config.reach != Reach::Offline {
        return Ok(config.bind.clone());
    }
    match config.bind.iter().find(|address| !address.ip().is_loopback()) {
        Some(address) => Err(NodeError::NotLoopback(*address)),
        None if config.bind.is_empty() => Ok(vec![(Ipv4Addr::LOCALHOST, 0).into()]),
        None => Ok(config.bind.clone()),
    }
}

/// iroh's settings, but for three things. The congestion control is that of [`ByDistance`]. A peer's streams are bounded,
/// and so is what it sends on all of them unread: by default it could fill each stream's window, 160 MB in all. A stream's
/// window stays as it is: larger ones have killed connections.
fn transport() -> Result<QuicTransportConfig, NodeError> {
    let idle = IDLE_TIME.try_into().map_err(|_| NodeError::Bind("the idle time is out of range".to_owned()))?;
    Ok(QuicTransportConfig::builder()
        .congestion_controller_factory(Arc::new(ByDistance))
        .max_idle_timeout(Some(idle))
        .receive_window(UNREAD_BYTES_MAX.into())
        .max_concurrent_bidi_streams(STREAMS.into())
        .max_concurrent_uni_streams(UNI_STREAMS.into())
        .build())
}

#[cfg(test)]
mod tests {
    use samebit_spec::SecretKey;

    use super::*;

    fn config(bind: &str) -> NodeConfig {
        let bind = vec![bind.parse().expect("address")];
        NodeConfig { bind, ..NodeConfig::new(SecretKey::from_bytes(&[7; 32]), Reach::Offline) }
    }

    #[test]
    fn only_configured_relays_are_spoken_to() {
        let own = Relays::Custom(vec!["https://relay.example".to_owned()]);
        let url = |text: &str| relay_url(text).expect("a URL");
        assert!(own.contains(&url("https://relay.example")));
        for stranger in ["http://10.0.0.5:8080/relay", "https://relay.example:1", "http://relay.example"] {
            for relays in [&own, &Relays::None, &Relays::Public] {
                assert!(!relays.contains(&url(stranger)), "{stranger} {relays:?}");
            }
        }
        let public: Vec<RelayUrl> = default_relay_map().urls();
        assert!(!public.is_empty() && public.iter().all(|url| Relays::Public.contains(url)));
    }

    #[test]
    fn offline_is_loopback_or_nothing() {
        for bind in ["0.0.0.0:0", "192.0.2.1:7", "[::]:0"] {
            assert!(matches!(addresses(&config(bind)), Err(NodeError::NotLoopback(_))), "{bind}");
        }
        for bind in ["127.0.0.1:0", "127.3.2.1:7", "[::1]:0"] {
            assert_eq!(addresses(&config(bind)).expect("loopback"), config(bind).bind);
        }
    }
}
