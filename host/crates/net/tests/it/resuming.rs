//! Fetches that are cut off, by the end of either side, go on from where they were.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use iroh_blobs::protocol::{ChunkRanges, ChunkRangesExt, GetRequest};
use samebit_net::message::Provider;
use samebit_net::{FetchProgress, Fetcher, Wish};
use samebit_spec::BlobRef;

use crate::support::{Lab, Machine, noise, soon};

const SIZE_BYTES: usize = 6 << 20;
const HALF_BYTES: u64 = 3 << 20;
/// Set in the process that is killed: the ticket of its provider.
const CHILD: &str = "SAMEBIT_TEST_FETCH_FROM";
/// Its folder.
const FOLDER: &str = "SAMEBIT_TEST_FOLDER";

/// Fetches the first half of a blob, as a fetch that is cut there would have.
async fn fetch_half(to: &Machine, from: &Provider, blob: BlobRef) {
    let connection = to.raw_connection(from).await;
    let request = GetRequest::blob_ranges((*blob.hash.as_bytes()).into(), ChunkRanges::bytes(0..HALF_BYTES));
    soon(to.store.index().remote().execute_get(connection, request).complete()).await.expect("half");
}

/// Fetches the rest, and says how much was there at the beginning.
async fn fetch_rest(to: &Machine, from: &[Provider], blob: BlobRef) -> u64 {
    let first = Mutex::new(None);
    let note = |progress: FetchProgress| {
        first.lock().expect("first").get_or_insert(progress.done_bytes);
    };
    let fetcher = Fetcher::new(&to.node, from, 1 << 30);
    let (fetched, _pin) = soon(fetcher.fetch(Wish::from(blob), &note)).await.expect("fetched");
    assert_eq!(fetched, blob);
    first.into_inner().expect("first").expect("progress")
}

#[tokio::test]
async fn another_provider_goes_on_where_one_ended() {
    let lab = Lab::new();
    let (first, second, to) = (lab.machine(1).await, lab.machine(2).await, lab.machine(3).await);
    let bytes = noise(1, SIZE_BYTES);
    let blob = first.add(&bytes).await;
    second.add(&bytes).await;
    fetch_half(&to, &first.provider(), blob).await;
    let providers = [first.provider(), second.provider()];
    first.stop().await;
    assert_eq!(fetch_rest(&to, &providers, blob).await, HALF_BYTES);
}

#[tokio::test]
async fn a_killed_fetch_asks_only_for_what_is_missing() {
    if let Ok(ticket) = std::env::var(CHILD) {
        return be_killed(&Provider::parse(&ticket).expect("ticket")).await;
    }
    let lab = Lab::new();
    let from = lab.machine(1).await;
    let blob = from.add(&noise(1, SIZE_BYTES)).await;
    let other = Lab::new();
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "resuming::a_killed_fetch_asks_only_for_what_is_missing"])
        .env(CHILD, from.provider().ticket().expect("ticket"))
        .env(FOLDER, other.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let started = Instant::now();
    while !other.path("half").exists() {
        assert!(started.elapsed() < Duration::from_secs(30), "the child got nowhere");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    let to = other.machine(2).await;
    assert_eq!(fetch_rest(&to, &[from.provider()], blob).await, HALF_BYTES);
}

/// Fetches half, tells so, and waits for the end.
async fn be_killed(from: &Provider) {
    let folder = std::env::var_os(FOLDER).expect("a folder");
    let lab = Lab::at(folder.as_ref());
    let to = lab.machine(2).await;
    fetch_half(&to, from, BlobRef::of(&noise(1, SIZE_BYTES))).await;
    to.store.index().sync_db().await.expect("on disk");
    std::fs::write(lab.path("half"), b"").expect("told");
    tokio::time::sleep(Duration::from_secs(60)).await;
}
