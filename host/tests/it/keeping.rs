//! A host whose store has a quota.

use std::time::{Duration, Instant};

use crate::guests::CAT;
use crate::hosting::{Host, LONG, submit};
use crate::support::Desk;

const QUOTA: u64 = 1 << 20;

/// What the files of a store's blobs take.
fn on_disk(desk: &Desk, store: &str) -> u64 {
    let folders = ["files", "references", "index/data"].map(|name| desk.path(&format!("{store}/{name}")));
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    // A file may go between the list and the look.
    entries.filter_map(|entry| entry.ok()?.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Waits until the host's blobs take at most the quota: it evicts after a job's end, not before it tells of it.
fn settled(desk: &Desk) -> u64 {
    let began = Instant::now();
    loop {
        let used = on_disk(desk, "host");
        if used <= QUOTA {
            return used;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{used} bytes");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_host_stays_within_its_quota_and_keeps_every_receipt() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    let args = ["--allow", "any", "--disk-quota", "1MiB"];
    let host = Host::start(&desk, "host", &args);
    for number in 0..12_u8 {
        desk.file("in.bin", vec![number; 150_000]);
        let order = ["cat.wasm", "-i", "stdin=in.bin", "--limit-output", "200KiB", "--out", "out", "--wait"];
        desk.samebit("author", &submit(&host, &order)).exits(0);
        assert!(std::fs::read(desk.path("out/stdout")).expect("written") == vec![number; 150_000]);
        // Not even for a moment much more: an output is committed once there is room for it.
        let used = on_disk(&desk, "host");
        assert!(used <= QUOTA + 16_384, "{number}: {used}");
        settled(&desk);
    }
    let (_, status) = desk.json("host", &["host", "status"]);
    let store = &status["store"];
    assert_eq!((&status["receipts"], &store["quota_bytes"]), (&12.into(), &QUOTA.into()), "{status}");
    let used = store["used_bytes"].as_u64().expect("a number");
    assert!(used == settled(&desk) && used > QUOTA / 2, "{status}");
    // What could never fit is refused before it travels.
    desk.file("in.bin", vec![99; 900_000]);
    let order = ["cat.wasm", "-i", "stdin=in.bin", "--limit-output", "200KiB"];
    desk.samebit("author", &submit(&host, &order)).exits(2).says(&["host.disk-quota"]);
    assert_eq!(settled(&desk), used);
    desk.samebit("author", &submit(&host, &["cat.wasm", "-i", "stdin=in.bin"])).exits(2).says(&["host.disk-quota"]);
    // The order of uses outlives the host, and a smaller quota is kept at once.
    drop(host);
    let host = Host::start(&desk, "host", &["--allow", "any", "--disk-quota", "500KiB"]);
    let (_, status) = desk.json("host", &["host", "status"]);
    assert!(status["store"]["used_bytes"].as_u64().expect("a number") <= 500 << 10, "{status}");
    assert_eq!(status["receipts"], 12);
    desk.file("in.bin", vec![3; 150_000]);
    let order = ["cat.wasm", "-i", "stdin=in.bin", "--limit-output", "200KiB", "--receipt", "r"];
    desk.samebit("author", &submit(&host, &order)).exits(0).says(&["is known there"]);
    // The host may have lost what the receipt names; the author has not, apart from the output.
    desk.samebit("author", &["verify", "r", "--offline", "--outputs", "out"]).exits(1);
    std::fs::write(desk.path("out/stdout"), vec![3; 150_000]).expect("written");
    desk.samebit("author", &["verify", "r", "--offline", "--outputs", "out"]).exits(0).says(&["match"]);
}

#[test]
fn a_peer_has_its_share_of_an_hour() {
    let desk = Desk::new();
    desk.module("long.wasm", LONG);
    desk.module("cat.wasm", CAT);
    let policy = "submitters.allow = ['any']\n[peer]\ngpu-time-per-hour = '1s'\noutput-bytes-per-hour = '1MiB'";
    desk.file("policy.toml", policy);
    let host = Host::start(&desk, "host", &["--policy", "policy.toml"]);
    // As often as it takes on this machine, and each time another job.
    let refused = (0..50).find_map(|number| {
        let number = number.to_string();
        let done = desk.samebit("one", &submit(&host, &["long.wasm", "--arg", &number, "--wait"]));
        (done.code != 0).then_some((number, done))
    });
    let (number, done) = refused.expect("50 runs take a second");
    assert_ne!(number, "0", "{done:?}");
    done.exits(2).says(&["peer.gpu-time-per-hour"]);
    // Another peer has a share of its own, here of bytes: it is cut off where that ends, and gets no further jobs.
    desk.file("in.bin", vec![1; 3 << 20]);
    let order = ["cat.wasm", "-i", "stdin=in.bin", "--wait"];
    desk.samebit("three", &submit(&host, &order)).exits(0);
    let hash = blake3::hash(&vec![1; 3 << 20]).to_string();
    let ticket = host.ticket();
    desk.samebit("two", &["fetch", &hash, "--offline", "--from", ticket, "--out", "got"]).exits(3);
    assert!(!desk.path("got").exists());
    // It may still ask for what is there already, of which it is sent as little.
    desk.samebit("two", &submit(&host, &order)).exits(3).says(&["is known there", "refuses to serve"]);
    desk.file("in.bin", "small");
    desk.samebit("two", &submit(&host, &order)).exits(2).says(&["peer.output-bytes-per-hour"]);
    desk.samebit("three", &submit(&host, &order)).exits(0);
}
