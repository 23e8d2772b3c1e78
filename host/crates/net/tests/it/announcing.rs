//! Hosts that find each other by announcements, and one that makes things up.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use iroh::address_lookup::memory::MemoryLookup;
use iroh::endpoint::{Endpoint, presets};
use iroh::protocol::Router;
use iroh::{EndpointAddr, RelayMode};
use iroh_gossip::net::Gossip;
use iroh_gossip::proto::TopicId;
use samebit_net::message::{HostInfo, Load, Provider, Text};
use samebit_net::{Announcement, Crowd, Notice};
use samebit_spec::{Hash, HostKey, Limits, SecretKey};

use crate::support::{Lab, Machine, key, noise, soon};

fn info(key: &SecretKey) -> HostInfo {
    HostInfo {
        host: key.public(),
        program: Text::fit("samebit test"),
        devices: Vec::new(),
        caps: Limits::default(),
        load: Load { running: 1, slots: 2, queued: 3, queue_max: 4 },
        price: Some(Text::fit("a smile")),
        labels: vec![Text::fit("region=eu")],
        receipts: 7,
    }
}

fn known(crowd: &Crowd) -> BTreeSet<HostKey> {
    crowd.hosts().iter().map(|announcement| announcement.notice.info.host).collect()
}

async fn until_known(crowd: &Crowd, wanted: &[HostKey]) {
    let wanted = wanted.iter().copied().collect();
    soon(async {
        while known(crowd) != wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn three_hosts_learn_of_each_other_and_how_to_connect() {
    let lab = Lab::new();
    let machines = [lab.machine(1).await, lab.machine(2).await, lab.machine(3).await];
    let first = [machines[0].provider()];
    let mut crowds = Vec::new();
    for (index, machine) in machines.iter().enumerate() {
        let bootstrap = if index == 0 { &[][..] } else { &first };
        crowds.push(machine.node.join(bootstrap).await.expect("joined"));
    }
    for (crowd, number) in crowds.iter().zip(1..) {
        crowd.announce(info(&key(number)), &key(number)).await.expect("announced");
    }
    let keys = [1, 2, 3].map(|number| key(number).public());
    for (index, crowd) in crowds.iter().enumerate() {
        let others: Vec<_> = keys.into_iter().filter(|other| *other != keys[index]).collect();
        until_known(crowd, &others).await;
    }
    let announced = crowds[1].hosts();
    let third = announced.iter().find(|announced| announced.notice.info.host == keys[2]).expect("known");
    assert_eq!(third.notice.info, info(&key(3)));
    // Never told of it but by announcement: the key alone is enough to connect.
    let client = soon(machines[1].node.connect(&Provider::of_key(keys[2]))).await.expect("connected");
    soon(client.info()).await.expect("it is there");
}

#[tokio::test]
async fn who_comes_late_is_told_of_who_is_there() {
    let lab = Lab::new();
    let machines = [lab.machine(1).await, lab.machine(2).await];
    let early = machines[0].node.join(&[]).await.expect("joined");
    early.announce(info(&key(1)), &key(1)).await.expect("announced");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let late = machines[1].node.join(&[machines[0].provider()]).await.expect("joined");
    until_known(&late, &[key(1).public()]).await;
}

/// A neighbor that says what it likes.
async fn gossiper(to: &Machine) -> (iroh_gossip::api::GossipTopic, Router) {
    let lookup = MemoryLookup::new();
    let provider = to.provider();
    let id = iroh::EndpointId::from_bytes(provider.host.as_bytes()).expect("key");
    let address = provider.addresses.iter().fold(EndpointAddr::new(id), |address, ip| address.with_ip_addr(*ip));
    lookup.add_endpoint_info(address);
    let endpoint = Endpoint::builder(presets::Minimal)
        .relay_mode(RelayMode::Disabled)
        .clear_ip_transports()
        .bind_addr((Ipv4Addr::LOCALHOST, 0))
        .expect("loopback")
        .address_lookup(lookup)
        .bind()
        .await
        .expect("bound");
    let gossip = Gossip::builder().max_message_size(32 << 10).spawn(endpoint.clone());
    let router = Router::builder(endpoint).accept(iroh_gossip::ALPN, gossip.clone()).spawn();
    let topic = TopicId::from_bytes(*Hash::of(b"samebit host announcements v1").as_bytes());
    let mut topic = soon(gossip.subscribe(topic, vec![id])).await.expect("subscribed");
    soon(topic.joined()).await.expect("a neighbor");
    (topic, router)
}

#[tokio::test]
async fn what_is_forged_expired_or_noise_is_not_remembered() {
    let lab = Lab::new();
    let host = lab.machine(1).await;
    let crowd = host.node.join(&[]).await.expect("joined");
    let (mut rogue, _router) = gossiper(&host).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
    let notice = |number: u8, announced_unix_ms| Notice {
        info: info(&key(number)),
        provider: Provider::of_key(key(number).public()),
        announced_unix_ms,
        lifetime_s: 60,
    };
    let good = notice(7, now).sign(&key(7));
    let replaced = Announcement { notice: notice(6, now), signature: good.signature };
    let messages = [
        notice(2, now).sign(&key(3)).encode(),
        replaced.encode(),
        notice(4, now - 61_000).sign(&key(4)).encode(),
        notice(5, now + 600_000).sign(&key(5)).encode(),
        noise(1, 300),
        noise(2, 9000),
        Vec::new(),
        good.encode(),
        good.encode(),
    ];
    for message in messages {
        soon(rogue.broadcast(message.into())).await.expect("sent");
    }
    // The good one came last, so when it is there the others were looked at.
    until_known(&crowd, &[key(7).public()]).await;
}
