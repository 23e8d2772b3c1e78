//! Connections that come in too fast from one address.
#![cfg(target_os = "linux")]

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use iroh::endpoint::{Endpoint, presets};
use iroh::{EndpointAddr, EndpointId, RelayMode};
use samebit_net::ALPN;

use crate::support::{Lab, Machine, soon};

/// More than an address may bring while this goes on.
const FLOOD: usize = 400;
/// How long it goes on.
const FLOOD_TIME: Duration = Duration::from_secs(4);

/// An endpoint at an address of its own. On Linux, all that begin with 127 are this machine's.
async fn at(address: Ipv4Addr) -> Endpoint {
    let endpoint = Endpoint::builder(presets::Minimal).relay_mode(RelayMode::Disabled).clear_ip_transports();
    soon(endpoint.bind_addr((address, 0)).expect("an address").bind()).await.expect("bound")
}

/// Connects as often as the flood wants, all at once, and counts who is taken on.
async fn flood(crowd: &Endpoint, host: &Machine, taken: &AtomicUsize) {
    let host = host.provider();
    let id = EndpointId::from_bytes(host.host.as_bytes()).expect("key");
    let address = host.addresses.iter().fold(EndpointAddr::new(id), |address, ip| address.with_ip_addr(*ip));
    let connects = (0..FLOOD).map(|_| async {
        if crowd.connect(address.clone(), ALPN).await.is_ok() {
            taken.fetch_add(1, Ordering::Relaxed);
        }
    });
    futures_util::future::join_all(connects).await;
}

#[tokio::test]
async fn who_floods_waits_and_who_comes_from_elsewhere_does_not() {
    let lab = Lab::new();
    let (host, honest) = (lab.machine(1).await, lab.machine(2).await);
    let (crowd, taken) = (at(Ipv4Addr::new(127, 0, 0, 2)).await, AtomicUsize::new(0));
    let began = Instant::now();
    let flooding = tokio::time::timeout(FLOOD_TIME, flood(&crowd, &host, &taken));
    let asking = async {
        // Later than all of the crowd.
        tokio::time::sleep(FLOOD_TIME / 2).await;
        let client = soon(honest.node.connect(&host.provider())).await.expect("nobody else comes from there");
        soon(client.info()).await.expect("served");
    };
    let (flooded, ()) = tokio::join!(flooding, asking);
    let (taken, most) = (taken.into_inner(), 101 + began.elapsed().as_millis() as usize / 50);
    assert!(flooded.is_err() && taken <= most, "{taken} were taken on in {:?}", began.elapsed());
    assert!(taken > 50, "{taken}: those that proved their address have the other half");
}
