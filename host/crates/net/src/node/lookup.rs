//! Address lookups whose answers are cut down to what this node may speak to.
//!
//! What a lookup finds was written by the host that is looked up. It may name a relay, and whoever chose the host would
//! then choose a server that this machine connects to. So relays that are not configured are left out, and so is
//! everything past the first few addresses.

use std::borrow::Cow;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use iroh::address_lookup::{
    AddrFilter, AddressLookup, AddressLookupBuilder, AddressLookupBuilderError, EndpointData, Error, Item,
};
use iroh::endpoint::Endpoint;
use iroh::endpoint_info::EndpointInfo;
use iroh::{EndpointId, TransportAddr};

use super::Relays;
use crate::message::ADDRESSES_MAX;

/// How many addresses are published: a packet of the DHT holds 1,000 bytes, and one that holds too many is none.
const PUBLISHED_MAX: usize = 8;

/// What makes a lookup, whose answers will be cut down.
#[derive(Debug)]
pub(super) struct Bounded<B> {
    /// Makes the lookup.
    pub(super) inner: B,
    /// What it may answer.
    pub(super) relays: Relays,
}

impl<B: AddressLookupBuilder> AddressLookupBuilder for Bounded<B> {
    fn into_address_lookup(self, endpoint: &Endpoint) -> Result<impl AddressLookup, AddressLookupBuilderError> {
        Ok(BoundedLookup { inner: self.inner.into_address_lookup(endpoint)?, relays: self.relays })
    }
}

#[derive(Debug)]
struct BoundedLookup<L> {
    inner: L,
    relays: Relays,
}

impl<L: AddressLookup> AddressLookup for BoundedLookup<L> {
    fn publish(&self, data: &EndpointData) {
        self.inner.publish(data);
    }

    fn resolve(&self, id: EndpointId) -> Option<BoxStream<'static, Result<Item, Error>>> {
        let relays = self.relays.clone();
        let answers = self.inner.resolve(id)?;
        Some(answers.map(move |answer| answer.map(|item| bounded(&item, &relays))).boxed())
    }
}

fn bounded(item: &Item, relays: &Relays) -> Item {
    let may_use = |address: &&TransportAddr| match address {
        TransportAddr::Relay(url) => relays.contains(url),
        _ => true,
    };
    let addresses = item.addrs().filter(may_use).take(ADDRESSES_MAX).cloned();
    let data = EndpointData::from_iter(addresses);
    Item::new(EndpointInfo::from_parts(item.endpoint_id(), data), item.provenance(), item.last_updated())
}

/// What a host says of itself where anybody can read it: all its addresses, or as many as there is room for.
pub(super) fn published() -> AddrFilter {
    AddrFilter::new(|addresses| {
        let (relays, direct): (Vec<_>, Vec<_>) = addresses.iter().cloned().partition(TransportAddr::is_relay);
        Cow::Owned(relays.into_iter().chain(direct).take(PUBLISHED_MAX).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::relay_url;

    fn relay(url: &str) -> TransportAddr {
        TransportAddr::Relay(relay_url(url).expect("a URL"))
    }

    fn direct(port: u16) -> TransportAddr {
        TransportAddr::Ip(([192, 0, 2, 1], port).into())
    }

    #[test]
    fn relays_of_strangers_are_left_out_of_answers() {
        let id = iroh::SecretKey::from_bytes(&[7; 32]).public();
        let own = Relays::Custom(vec!["https://relay.example".to_owned()]);
        let found = [relay("http://10.0.0.5:8080"), direct(1), relay("https://relay.example"), direct(2)];
        let item = Item::new(EndpointInfo::from_parts(id, EndpointData::from_iter(found)), "test", None);
        let addresses = |relays: &Relays| bounded(&item, relays).addrs().cloned().collect::<Vec<_>>();
        assert_eq!(addresses(&own), [direct(1), relay("https://relay.example"), direct(2)]);
        assert_eq!(addresses(&Relays::None), [direct(1), direct(2)]);
        let many = EndpointData::from_iter((0..1000).map(direct));
        let item = Item::new(EndpointInfo::from_parts(id, many), "test", None);
        assert_eq!(bounded(&item, &own).addrs().count(), ADDRESSES_MAX);
    }

    #[test]
    fn what_is_published_fits_a_packet_with_the_relay_first() {
        let addresses: Vec<_> = (0..1000).map(direct).chain([relay("https://relay.example")]).collect();
        let published = published().apply(&addresses).into_owned();
        assert_eq!((published.len(), &published[0]), (PUBLISHED_MAX, &relay("https://relay.example")));
        let key = iroh::SecretKey::from_bytes(&[7; 32]);
        let info = EndpointInfo::from_parts(key.public(), EndpointData::from_iter(published));
        info.to_pkarr_signed_packet(&key, 30).expect("it fits");
    }
}
