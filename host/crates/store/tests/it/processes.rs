//! Two processes, and processes that die.
//!
//! The second process is this test binary, told by its environment to play a part.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use samebit_spec::{BlobRef, Receipt};
use samebit_store::{OpenError, Store};

use crate::{Folder, noise, receipt};

const STORE: &str = "SAMEBIT_TEST_CHILD_STORE";

/// Starts this binary with one of the parts below, and gives its lines.
fn start(part: &str, store: &Path) -> (Child, std::io::Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", &format!("processes::{part}"), "--ignored", "--nocapture", "--test-threads=1"])
        .env(STORE, store)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("start");
    let lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    (child, lines)
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nchild: {line}").and_then(|()| out.flush()).expect("a parent that listens");
}

fn hear(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Option<String> {
    lines.map_while(Result::ok).find_map(|line| line.strip_prefix("child: ").map(str::to_owned))
}

/// The blobs and the receipt of round `index`.
fn round(index: u64) -> ([Vec<u8>; 3], Receipt) {
    let blobs = [noise(3 * index + 1, 700), noise(3 * index + 2, 30_000), noise(3 * index + 3, 400_000)];
    let [module, input, output] = blobs.each_ref().map(|bytes| BlobRef::of(bytes));
    (blobs, receipt(module, input, output))
}

#[tokio::test]
#[ignore = "the part of the second process; other tests start it"]
async fn part_hold() {
    let Some(path) = std::env::var_os(STORE) else { return };
    let store = Store::open(path.as_ref(), Duration::ZERO).await.expect("open");
    say("held");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("stdin");
    store.close().await.expect("close");
}

#[tokio::test]
#[ignore = "the part of the second process; other tests start it"]
async fn part_work() {
    let Some(path) = std::env::var_os(STORE) else { return };
    let store = Store::open(path.as_ref(), Duration::ZERO).await.expect("open");
    let from = store.receipts().await.expect("list").len() as u64;
    for index in from.. {
        let ([module, input, output], receipt) = round(index);
        let scratch = store.scratch_dir().join("out");
        std::fs::write(&scratch, output).expect("write");
        let _pins = (
            store.import_bytes(module.into()).await.expect("import"),
            store.import_bytes(input.into()).await.expect("import"),
            store.adopt_file(&scratch).await.expect("adopt"),
        );
        store.keep(&receipt).await.expect("keep");
        say(&format!("kept {index}"));
    }
}

#[tokio::test]
#[ignore = "the part of the second process; other tests start it"]
async fn part_evict() {
    let Some(path) = std::env::var_os(STORE) else { return };
    let store = Store::open(path.as_ref(), Duration::ZERO).await.expect("open");
    store.keep_accounts().await.expect("accounts");
    let from = store.receipts().await.expect("list").len() as u64;
    for index in from.. {
        let (blobs, receipt) = round(index);
        let mut pins = Vec::new();
        for bytes in blobs {
            pins.push(store.import_bytes(bytes.into()).await.expect("import"));
        }
        store.keep(&receipt).await.expect("keep");
        drop(pins);
        say(&format!("kept {index}"));
        store.evict(500_000).await.expect("evict");
    }
}

#[tokio::test]
async fn serial_second_process_waits_or_is_told_who() {
    let folder = Folder::new();
    let (mut child, mut lines) = start("part_hold", &folder.store());
    assert_eq!(hear(&mut lines).as_deref(), Some("held"));
    let error = Store::open(&folder.store(), Duration::from_millis(30)).await.expect_err("busy");
    let OpenError::Busy { pid, .. } = &error else { panic!("{error}") };
    if cfg!(unix) {
        assert_eq!(*pid, Some(child.id()));
        assert!(error.to_string().contains(&child.id().to_string()), "{error}");
    }
    let mut stdin = child.stdin.take().expect("stdin");
    let release = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        stdin.write_all(b"\n").expect("release");
    });
    folder.open().await.close().await.expect("close");
    release.join().expect("release");
    assert!(child.wait().expect("wait").success());
}

#[tokio::test]
async fn serial_killed_process_leaves_a_store_with_all_that_was_kept() {
    let folder = Folder::new();
    let mut kept = 0;
    for kill in 0..8_u64 {
        let (mut child, mut lines) = start("part_work", &folder.store());
        // A few rounds, then at a moment that differs from kill to kill.
        for _ in 0..1 + kill % 3 {
            let line = hear(&mut lines).expect("the child works");
            kept = line.strip_prefix("kept ").and_then(|index| index.parse::<u64>().ok()).expect("an index") + 1;
        }
        std::thread::sleep(Duration::from_micros(kill * 1_700));
        child.kill().expect("kill");
        child.wait().expect("wait");

        let store = folder.open().await;
        for index in 0..kept {
            let (blobs, receipt) = round(index);
            assert_eq!(store.receipt(&receipt.id()).await.expect("kept"), receipt, "kill {kill} receipt {index}");
            for bytes in blobs {
                let blob = BlobRef::of(&bytes);
                let opened = store.open_blob(&blob.hash).await.expect("kept");
                assert_eq!(opened.size_bytes(), blob.size_bytes);
            }
        }
        assert_eq!(std::fs::read_dir(store.scratch_dir()).expect("list").count(), 0);
        store.close().await.expect("close");
    }
}

#[tokio::test]
async fn serial_process_that_is_killed_while_it_evicts_leaves_no_entry_without_bytes() {
    let folder = Folder::new();
    let mut kept = 0;
    for kill in 0..10_u64 {
        let (mut child, mut lines) = start("part_evict", &folder.store());
        for _ in 0..1 + kill % 3 {
            let line = hear(&mut lines).expect("the child works");
            kept = line.strip_prefix("kept ").and_then(|index| index.parse::<u64>().ok()).expect("an index") + 1;
        }
        // Somewhere within an eviction, or after it.
        std::thread::sleep(Duration::from_millis(kill * 3));
        child.kill().expect("kill");
        child.wait().expect("wait");

        let store = folder.open().await;
        store.keep_accounts().await.expect("accounts");
        for index in 0..kept {
            let (blobs, receipt) = round(index);
            assert_eq!(store.receipt(&receipt.id()).await.expect("kept"), receipt, "kill {kill} receipt {index}");
            for bytes in blobs {
                let blob = BlobRef::of(&bytes);
                if store.contains(&blob.hash).await.expect("contains") {
                    store.open_blob(&blob.hash).await.expect("whole or gone");
                }
            }
        }
        store.close().await.expect("close");
    }
    let store = folder.open().await;
    store.keep_accounts().await.expect("accounts");
    store.evict(0).await.expect("evict");
    let usage = store.usage();
    assert_eq!(usage.used_bytes, usage.kept_bytes, "what crashes left goes too");
    store.close().await.expect("close");
}
