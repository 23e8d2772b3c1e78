//! A node that is offline has no way off this machine.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use samebit_net::message::Provider;

use crate::support::{Lab, key, soon};

/// The local addresses of this process's own sockets, as the kernel tells them.
fn sockets() -> Vec<(String, String)> {
    let inodes: BTreeSet<String> = fs::read_dir("/proc/self/fd")
        .expect("descriptors")
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|target| Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut found = Vec::new();
    for table in ["udp", "udp6", "tcp", "tcp6", "raw", "raw6"] {
        for line in fs::read_to_string(format!("/proc/self/net/{table}")).unwrap_or_default().lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            if fields.get(9).is_some_and(|inode| inodes.contains(*inode)) {
                found.push((table.to_owned(), fields[1].to_owned()));
            }
        }
    }
    found
}

// Alone in its process, as every test is there: the sockets are the node's.
#[tokio::test]
async fn every_socket_is_bound_to_loopback_also_while_it_looks_for_others() {
    let lab = Lab::new();
    let (one, other) = (lab.machine(1).await, lab.machine(2).await);
    let client = soon(one.node.connect(&other.provider())).await.expect("connected");
    soon(client.info()).await.expect("on this machine it works");
    // Neither a key that nobody knows, nor an address elsewhere, makes it leave.
    let elsewhere =
        Provider { addresses: vec!["192.0.2.1:4433".parse().expect("address")], ..Provider::of_key(key(9).public()) };
    let unknown = Provider::of_key(key(8).public());
    let looking = async {
        let _ = tokio::join!(one.node.connect(&elsewhere), one.node.connect(&unknown));
    };
    let watching = async {
        for _ in 0..10 {
            let sockets = sockets();
            assert!(sockets.len() >= 2, "{sockets:?}");
            for (table, address) in &sockets {
                // 127.0.0.1 as the kernel writes it. IPv6 is not used at all.
                assert!(address.starts_with("0100007F:"), "{table} {address}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    soon(async { tokio::join!(looking, watching) }).await;
    assert!(one.node.sockets().iter().all(|socket| socket.ip().is_loopback()));
}
