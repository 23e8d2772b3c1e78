//! A house that is full of strangers who sit still, and somebody who comes with a question.

use std::time::Duration;

use samebit_net::{ClientError, ServerBounds};

use crate::support::{Lab, soon};

#[tokio::test]
async fn who_sits_still_gives_way_to_who_comes() {
    let lab = Lab::with_bounds(ServerBounds { connections: 2, ..ServerBounds::default() });
    let (host, still, honest) = (lab.machine(1).await, lab.machine(2).await, lab.machine(3).await);
    let first = soon(still.node.connect(&host.provider())).await.expect("in");
    soon(first.info()).await.expect("served");
    let second = soon(still.node.connect(&host.provider())).await.expect("in");
    soon(second.info()).await.expect("served");
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let client = soon(honest.node.connect(&host.provider())).await.expect("in");
    soon(client.info()).await.expect("served in the place of who was there first");
    let error = soon(first.info()).await.expect_err("gone");
    assert!(matches!(error, ClientError::Lost(_)) && error.is_transient(), "{error}");
    soon(second.info()).await.expect("it sat still for a shorter time");
}

#[tokio::test]
async fn what_nobody_reads_is_held_back() {
    let lab = Lab::new();
    let host = lab.machine(1).await;
    let provider = host.provider();
    let id = iroh::EndpointId::from_bytes(provider.host.as_bytes()).expect("key");
    let address = provider.addresses.iter().fold(iroh::EndpointAddr::new(id), |address, ip| address.with_ip_addr(*ip));
    let endpoint = iroh::Endpoint::builder(iroh::endpoint::presets::Minimal).relay_mode(iroh::RelayMode::Disabled);
    let endpoint = soon(endpoint.bind()).await.expect("bound");
    let connection = soon(endpoint.connect(address, samebit_net::ALPN)).await.expect("connected");
    // As many as are answered at once dribble in, so that the others are not read.
    let mut streams = Vec::new();
    for _ in 0..64 {
        let mut stream = soon(connection.open_bi()).await.expect("a stream");
        stream.0.write_all(&[0]).await.expect("sent");
        streams.push(stream);
    }
    let mut sent = 0;
    let bytes = vec![0; 64 << 10];
    for _ in 0..32 {
        let mut stream = soon(connection.open_bi()).await.expect("a stream");
        while let Ok(Ok(count)) = tokio::time::timeout(Duration::from_millis(30), stream.0.write(&bytes)).await {
            sent += count;
        }
        streams.push(stream);
    }
    // A sender takes some into its own buffers, too.
    assert!(sent <= 1 << 20, "{sent} bytes were taken off it unread");
}
