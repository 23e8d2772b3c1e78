//! A store that is kept within a size.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use samebit_spec::{BlobRef, Hash};
use samebit_store::{Blob, ImportBy, ReadError, Store, Usage};

use crate::{Folder, noise, receipt};

const SIZE: usize = 100_000;

async fn blob(store: &Store, seed: u64) -> BlobRef {
    store.import_bytes(noise(seed, SIZE).into()).await.expect("import").0
}

async fn has(store: &Store, blobs: &[BlobRef]) -> Vec<bool> {
    let mut here = Vec::new();
    for blob in blobs {
        here.push(store.contains(&blob.hash).await.expect("contains"));
    }
    here
}

/// What the files of blobs take.
fn on_disk(folder: &Folder) -> u64 {
    let sizes = ["files", "references", "index/data"].map(|name| sizes(&folder.store().join(name)));
    sizes.iter().flat_map(BTreeMap::values).sum()
}

fn sizes(folder: &Path) -> BTreeMap<String, u64> {
    let entries = std::fs::read_dir(folder).expect("list").map(|entry| entry.expect("entry"));
    entries
        .map(|entry| (entry.file_name().into_string().expect("text"), entry.metadata().expect("size").len()))
        .collect()
}

/// What a blob of [`SIZE`] takes, with its tree.
async fn weight(store: &Store) -> u64 {
    let before = store.usage().used_bytes;
    blob(store, 999).await;
    store.usage().used_bytes - before
}

#[tokio::test]
async fn what_was_used_least_recently_goes_first_and_its_bytes_are_freed() {
    let folder = Folder::new();
    let store = folder.open().await;
    assert_eq!(store.usage(), Usage::default());
    assert_eq!(store.keep_accounts().await.expect("accounts"), Usage::default());
    let mut blobs = Vec::new();
    for seed in 0..6 {
        blobs.push(blob(&store, seed).await);
    }
    let used = store.usage().used_bytes;
    assert_eq!(used, on_disk(&folder));
    assert!(used >= 6 * SIZE as u64 && used < 6 * SIZE as u64 * 102 / 100, "{used}");
    // The first two are used again, in this order.
    store.open_blob(&blobs[0].hash).await.expect("open");
    drop(store.pin(&blobs[1].hash).await.expect("pin"));
    assert_eq!(store.evict(used).await.expect("evict").blobs, 0, "it fits");
    let evicted = store.evict(used / 2).await.expect("evict");
    assert_eq!((evicted.blobs, evicted.bytes), (3, used / 2));
    assert_eq!(has(&store, &blobs).await, [true, true, false, false, false, true]);
    assert_eq!((store.usage().used_bytes, on_disk(&folder)), (used / 2, used / 2));
    let error = store.open_blob(&blobs[2].hash).await.expect_err("gone");
    assert!(matches!(error, ReadError::Missing(hash) if hash == blobs[2].hash), "{error}");
    store.evict(used / 6).await.expect("evict");
    assert_eq!(has(&store, &blobs).await, [false, true, false, false, false, false]);
    // What is gone may come back, and go again.
    assert_eq!(blob(&store, 2).await, blobs[2]);
    let Blob::Bytes(bytes) = store.open_blob(&blobs[2].hash).await.expect("open") else { panic!("small") };
    assert!(bytes == noise(2, SIZE));
    store.evict(0).await.expect("evict");
    assert_eq!((store.usage().used_bytes, on_disk(&folder)), (0, 0));
    store.close().await.expect("close");
    let store = folder.open().await;
    assert_eq!(has(&store, &blobs).await, [false; 6]);
    store.close().await.expect("close");
}

#[tokio::test]
async fn what_is_pinned_published_or_a_receipt_stays() {
    let folder = Folder::new();
    let store = folder.open().await;
    let early = blob(&store, 0).await;
    store.publish(&early.hash).await.expect("publish");
    let usage = store.keep_accounts().await.expect("accounts");
    assert!(usage.kept_bytes == usage.used_bytes && usage.used_bytes > 0, "{usage:?}");
    let late = blob(&store, 1).await;
    store.publish(&late.hash).await.expect("publish");
    let (pinned, pin) = store.import_bytes(noise(2, SIZE).into()).await.expect("import");
    let (module, input, output) = (blob(&store, 3).await, blob(&store, 4).await, blob(&store, 5).await);
    let receipt = receipt(module, input, output);
    store.keep(&receipt).await.expect("keep");
    store.evict(0).await.expect("evict");
    assert_eq!(has(&store, &[early, late, pinned]).await, [true; 3]);
    assert_eq!(has(&store, &[module, input, output]).await, [false; 3], "receipts do not keep what they name");
    assert_eq!(store.receipt(&receipt.id()).await.expect("it stays"), receipt);
    // All of it may go once nothing holds it.
    drop(pin);
    assert!(store.unpublish(&late.hash).await.expect("unpublish"));
    store.evict(0).await.expect("evict");
    assert_eq!(has(&store, &[early, late, pinned]).await, [true, false, false]);
    assert_eq!(store.receipts().await.expect("receipts").len(), 1);
    assert!(store.forget(&receipt.id()).await.expect("forget"));
    store.evict(0).await.expect("evict");
    let usage = store.usage();
    assert_eq!((usage.used_bytes, usage.kept_bytes), (on_disk(&folder), on_disk(&folder)));
    store.close().await.expect("close");
}

#[tokio::test]
async fn the_order_of_uses_outlives_the_process() {
    let folder = Folder::new();
    let store = folder.open().await;
    store.keep_accounts().await.expect("accounts");
    let blobs = [blob(&store, 0).await, blob(&store, 1).await, blob(&store, 2).await];
    store.open_blob(&blobs[0].hash).await.expect("open");
    store.close().await.expect("close");
    let store = folder.open().await;
    let used = store.keep_accounts().await.expect("accounts").used_bytes;
    store.evict(used / 3).await.expect("evict");
    assert_eq!(has(&store, &blobs).await, [true, false, false]);
    store.close().await.expect("close");
    // A damaged note, or none, costs the order and nothing else.
    for text in [&b"samebit recent 1\nshort"[..], b"nonsense", b""] {
        folder.file("store/recent", text);
        let store = folder.open().await;
        assert_eq!(store.keep_accounts().await.expect("accounts").used_bytes, used / 3);
        store.close().await.expect("close");
    }
}

#[tokio::test]
async fn files_that_a_crash_left_count_and_go() {
    let folder = Folder::new();
    folder.open().await.close().await.expect("close");
    let hash = Hash::of(b"never entered");
    folder.file(&format!("store/files/{hash}"), &noise(1, SIZE));
    folder.file("store/files/readme", b"not ours");
    let store = folder.open().await;
    assert_eq!(store.keep_accounts().await.expect("accounts").used_bytes, SIZE as u64);
    assert_eq!(store.evict(0).await.expect("evict").bytes, SIZE as u64);
    assert_eq!(sizes(&folder.store().join("files")).into_keys().collect::<Vec<_>>(), ["readme"]);
    store.close().await.expect("close");
}

#[tokio::test]
async fn files_that_are_referred_to_cost_little_and_are_left_alone() {
    let folder = Folder::new();
    let store = folder.open().await;
    store.keep_accounts().await.expect("accounts");
    let file = folder.file("mine", &noise(1, 10 * SIZE));
    let (blob, pin) = store.import_file(&file, ImportBy::Reference).await.expect("import");
    drop(pin);
    assert!(store.usage().used_bytes < SIZE as u64, "{:?}", store.usage());
    store.evict(0).await.expect("evict");
    assert_eq!(store.usage().used_bytes, 0);
    assert!(!store.contains(&blob.hash).await.expect("contains"));
    assert!(std::fs::read(&file).expect("read") == noise(1, 10 * SIZE));
    store.close().await.expect("close");
}

#[cfg(unix)]
#[tokio::test]
async fn whoever_has_a_blob_open_reads_it_to_its_end() {
    let folder = Folder::new();
    let store = folder.open().await;
    store.keep_accounts().await.expect("accounts");
    let bytes = noise(1, 3 << 20);
    let (blob, pin) = store.import_bytes(bytes.clone().into()).await.expect("import");
    drop(pin);
    let Blob::File(open) = store.open_blob(&blob.hash).await.expect("open") else { panic!("large") };
    // Those who serve it are asked to stop, and are waited for.
    let mut reading = store.reading(vec![blob.hash]).expect("it stays, as far as anybody knows");
    let serving = async {
        reading.evicted().await;
        assert!(reading.is_evicted(), "and it stays so");
        assert!(store.reading(vec![blob.hash]).is_none(), "nobody else begins");
        assert!(store.contains(&blob.hash).await.expect("contains"), "it is there while it is read");
        drop(reading);
    };
    let (evicted, ()) = tokio::join!(store.evict(0), serving);
    assert_eq!(evicted.expect("evict").blobs, 1);
    assert!(!store.contains(&blob.hash).await.expect("contains"));
    let mut read = vec![0; bytes.len()];
    std::os::unix::fs::FileExt::read_exact_at(open.file().as_ref(), &mut read, 0).expect("it is open");
    assert!(read == bytes);
    store.close().await.expect("close");
}

#[tokio::test]
async fn a_reader_that_does_not_stop_keeps_its_blob() {
    let folder = Folder::new();
    let store = folder.open().await;
    store.keep_accounts().await.expect("accounts");
    let (read, other) = (blob(&store, 0).await, blob(&store, 1).await);
    let reading = store.reading(vec![read.hash]).expect("reading");
    assert_eq!(store.evict(0).await.expect("evict").blobs, 1);
    assert_eq!(has(&store, &[read, other]).await, [true, false]);
    drop(reading);
    assert_eq!(store.evict(0).await.expect("evict").blobs, 1);
    store.close().await.expect("close");
}

/// Importers, pinners and an evictor at the same time: whoever has a pin has the blob.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pin_holds_whatever_is_evicted_meanwhile() {
    let folder = Folder::new();
    let store = folder.open().await;
    store.keep_accounts().await.expect("accounts");
    let weight = weight(&store).await;
    let workers = (0..4).map(|worker| {
        let store = store.clone();
        tokio::spawn(async move {
            for round in 0..60 {
                // The workers share blobs, so that one finds what another lets go.
                let bytes = noise((round + worker * 7) % 24, SIZE);
                let (blob, pin) = store.import_bytes(bytes.clone().into()).await.expect("import");
                tokio::task::yield_now().await;
                assert!(store.contains(&blob.hash).await.expect("contains"), "{worker} {round}");
                let Blob::Bytes(read) = store.open_blob(&blob.hash).await.expect("open") else { panic!("small") };
                assert!(read == bytes);
                drop(pin);
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut evicted = 0;
    while !workers.iter().all(tokio::task::JoinHandle::is_finished) {
        evicted += store.evict(4 * weight).await.expect("evict").blobs;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for worker in workers {
        worker.await.expect("worker");
    }
    assert!(evicted > 24, "{evicted}");
    store.evict(4 * weight).await.expect("evict");
    assert!(store.usage().used_bytes <= 4 * weight);
    assert_eq!(store.usage().used_bytes, on_disk(&folder));
    store.close().await.expect("close");
}

/// Blobs that are published while others are swept away: iroh-blobs' own collection may lose such (its issue 247).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_published_while_others_go_is_not_lost() {
    let folder = Folder::new();
    let store = folder.open().await;
    store.keep_accounts().await.expect("accounts");
    let publishers = (0..3_u64).map(|publisher| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut published = Vec::new();
            for number in 0..60 {
                let (blob, pin) =
                    store.import_bytes(noise(publisher << 32 | number, 20_000).into()).await.expect("import");
                // Something to be swept, too.
                drop(
                    store.import_bytes(noise(1 << 40 | publisher << 32 | number, 20_000).into()).await.expect("import"),
                );
                store.publish(&blob.hash).await.expect("publish");
                drop(pin);
                published.push(blob);
            }
            published
        })
    });
    let publishers: Vec<_> = publishers.collect();
    let mut evicted = 0;
    while !publishers.iter().all(tokio::task::JoinHandle::is_finished) {
        evicted += store.evict(0).await.expect("evict").blobs;
    }
    evicted += store.evict(0).await.expect("evict").blobs;
    assert_eq!(evicted, 180);
    for publisher in publishers {
        for blob in publisher.await.expect("no panic") {
            assert_eq!(store.open_blob(&blob.hash).await.expect("it stays").size_bytes(), 20_000);
        }
    }
    store.close().await.expect("close");
}
