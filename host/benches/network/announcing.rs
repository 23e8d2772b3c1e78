//! Many hosts in one process that announce themselves by gossip.

use std::process::Command;
use std::time::{Duration, Instant};

use samebit_net::message::{DeviceOffer, HostInfo, Load, Text};
use samebit_net::store::Store;
use samebit_net::{Crowd, Node, NodeConfig, Reach};
use samebit_runner::spec::{Limits, SecretKey};
use serde_json::{Value, json};

use crate::author::runtime;
use crate::figures::{Row, shown};

const HOSTS: usize = 200;
/// As often as `samebit host` announces itself.
const INTERVAL: Duration = Duration::from_secs(60);
/// When to give up.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) fn rows() -> Vec<Row> {
    let this = std::env::current_exe().expect("this program has a path");
    // In a network of its own, where nobody else's bytes are counted, if this user may make one.
    let alone = "ip link set lo up && exec \"$0\" --crowd";
    let mut unshared = Command::new("unshare");
    unshared.args(["--net", "--map-root-user", "sh", "-c", alone]).arg(&this);
    let measured = [(unshared, ""), (crowd_here(&this), ", with all else on loopback")];
    let (value, others) = measured
        .into_iter()
        .find_map(|(mut command, others)| {
            let output = command.output().ok()?;
            let value: Value = serde_json::from_slice(&output.stdout).ok()?;
            Some((value, others))
        })
        .expect("a crowd");
    let known = Duration::from_millis(value["known_ms"].as_u64().expect("a time"));
    let bytes = value["bytes"].as_u64().expect("bytes") as f64 / 1024.0;
    let pairs = value["pairs"].as_u64().expect("pairs");
    let known = match pairs {
        0 => shown(known),
        missing => format!("not within {}: {missing} of {} pairs missing", shown(known), HOSTS * (HOSTS - 1)),
    };
    vec![
        (format!("{HOSTS} hosts in one process, the first start → all know all"), known, ""),
        (format!("{HOSTS} hosts, sent by each in a minute"), format!("{bytes:.0} KiB{others}"), ""),
    ]
}

fn crowd_here(this: &std::path::Path) -> Command {
    let mut command = Command::new(this);
    command.arg("--crowd");
    command
}

/// Starts the hosts, waits until all know all, and counts what they send in the minute after.
pub(crate) fn crowd() -> Value {
    runtime().block_on(async {
        let dir = tempfile::tempdir().expect("a temporary folder");
        // They serve nothing, so one store is enough.
        let store = Store::open(&dir.path().join("store"), Duration::ZERO).await.expect("a store");
        let started = Instant::now();
        let mut crowds = Vec::new();
        let mut first = Vec::new();
        for number in 0..HOSTS {
            let key = SecretKey::from_bytes(&[number as u8 + 1; 32]);
            let config = NodeConfig { gossip: true, ..NodeConfig::new(key.clone(), Reach::Offline) };
            let node = Node::start(config, &store).await.expect("a node");
            let crowd = std::sync::Arc::new(node.join(&first).await.expect("joined"));
            if first.is_empty() {
                first.push(node.provider());
            }
            tokio::spawn(announce(crowd.clone(), info(&node), key));
            crowds.push((node, crowd));
        }
        let missing = || crowds.iter().map(|(_, crowd)| (HOSTS - 1).saturating_sub(crowd.hosts().len())).sum::<usize>();
        while missing() > 0 && started.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let (known, pairs, before) = (started.elapsed(), missing(), sent_bytes());
        tokio::time::sleep(INTERVAL).await;
        let bytes = (sent_bytes() - before) / HOSTS as u64;
        json!({ "known_ms": known.as_millis() as u64, "pairs": pairs, "bytes": bytes })
    })
}

async fn announce(crowd: std::sync::Arc<Crowd>, info: HostInfo, key: SecretKey) {
    let mut interval = tokio::time::interval(INTERVAL);
    loop {
        interval.tick().await;
        crowd.announce(info.clone(), &key).await.expect("announced");
    }
}

fn info(node: &Node) -> HostInfo {
    let device = DeviceOffer {
        name: Text::fit("samebit reference device"),
        driver: Text::fit("samebit 0.1.0"),
        backend: Text::fit("cpu"),
        exact: true,
        native: true,
    };
    HostInfo {
        host: node.key(),
        program: Text::fit("samebit 0.1.0"),
        devices: vec![device],
        caps: Limits::default(),
        load: Load::default(),
        price: Some(Text::fit("1 EUR a core-hour")),
        labels: vec![Text::fit("region=eu")],
        receipts: 0,
    }
}

/// What went over loopback so far, with headers; 0 where the system does not tell.
fn sent_bytes() -> u64 {
    let table = std::fs::read_to_string("/proc/self/net/dev").unwrap_or_default();
    let line = table.lines().find_map(|line| line.trim().strip_prefix("lo:"));
    line.and_then(|line| line.split_whitespace().nth(8)?.parse().ok()).unwrap_or(0)
}
