//! Stores that are kept within a size while blobs travel.

use std::time::Duration;

use iroh_blobs::protocol::{ChunkRanges, ChunkRangesExt, GetRequest};
use samebit_net::{FetchError, Fetcher, ProviderFault, Wish};
use samebit_store::{Blob, Usage};

use crate::support::{Lab, noise, soon};

#[tokio::test]
async fn what_was_evicted_is_lacking_and_may_come_back() {
    let lab = Lab::new();
    let (from, to) = (lab.machine(1).await, lab.machine(2).await);
    for store in [&from.store, &to.store] {
        store.keep_accounts().await.expect("accounts");
    }
    let bytes = noise(1, 3 << 20);
    let blob = from.add(&bytes).await;
    let providers = [from.provider()];
    let fetch = || async {
        let fetcher = Fetcher::new(&to.node, &providers, 1 << 30);
        soon(fetcher.fetch(Wish::from(blob), &|_| ())).await
    };
    for _ in 0..3 {
        let (fetched, pin) = fetch().await.expect("fetched");
        assert_eq!(fetched, blob);
        assert_eq!(to.store.evict(0).await.expect("evicted").blobs, 0, "it is held");
        drop(pin);
        assert_eq!(to.store.evict(0).await.expect("evicted").blobs, 1);
        assert_eq!(to.store.usage(), Usage::default());
    }
    from.store.evict(0).await.expect("evicted");
    let Err(FetchError::Nobody { faults, .. }) = fetch().await else { panic!("nobody has it") };
    assert!(faults.iter().all(|(_, fault)| *fault == ProviderFault::Lacks), "{faults:?}");
    from.add(&bytes).await;
    drop(fetch().await.expect("it is back"));
}

#[tokio::test]
async fn parts_that_nobody_fetches_any_more_go_too() {
    let lab = Lab::new();
    let (from, to) = (lab.machine(1).await, lab.machine(2).await);
    to.store.keep_accounts().await.expect("accounts");
    let bytes = noise(1, 6 << 20);
    let blob = from.add(&bytes).await;
    let pin = to.store.pin(&blob.hash).await.expect("pinned");
    let connection = to.raw_connection(&from.provider()).await;
    let half = GetRequest::blob_ranges((*blob.hash.as_bytes()).into(), ChunkRanges::bytes(0..3 << 20));
    soon(to.store.index().remote().execute_get(connection, half).complete()).await.expect("half");
    drop(pin);
    assert!(to.store.usage().used_bytes >= 3 << 20, "{:?}", to.store.usage());
    // Not at once: its last bytes may still be on their way to the disk.
    let gone = async {
        while to.store.evict(0).await.expect("evicted").blobs == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    soon(gone).await;
    assert_eq!(to.store.usage(), Usage::default());
    let providers = [from.provider()];
    let fetcher = Fetcher::new(&to.node, &providers, 1 << 30);
    let (_, _pin) = soon(fetcher.fetch(Wish::from(blob), &|_| ())).await.expect("fetched anew");
    let Blob::File(_) = to.store.open_blob(&blob.hash).await.expect("opened") else { panic!("it is large") };
}

/// Fetchers and an evictor at the same time: whoever has fetched a blob has it, and whoever serves it serves all of it or
/// says that it does not have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fetches_hold_against_evictions_on_both_sides() {
    const SIZE: usize = 120_000;
    let lab = Lab::new();
    let (from, to) = (lab.machine(1).await, lab.machine(2).await);
    for store in [&from.store, &to.store] {
        store.keep_accounts().await.expect("accounts");
    }
    let blobs: Vec<_> = {
        let adding = (0..12).map(|seed| noise(seed, SIZE));
        let mut blobs = Vec::new();
        for bytes in adding {
            blobs.push(from.add(&bytes).await);
        }
        blobs
    };
    let provider = from.provider();
    let workers = (0..3_usize).map(|worker| {
        let (node, store, origin) = (to.node.clone(), to.store.clone(), from.store.clone());
        let (blobs, provider) = (blobs.clone(), provider.clone());
        tokio::spawn(async move {
            let (mut fetched, mut lacking) = (0, 0);
            for round in 0..40 {
                let blob = blobs[(round + worker * 5) % blobs.len()];
                let providers = [provider.clone()];
                let fetcher = Fetcher::new(&node, &providers, 1 << 30);
                match soon(fetcher.fetch(Wish::from(blob), &|_| ())).await {
                    Ok((_, pin)) => {
                        store.open_blob(&blob.hash).await.expect("it is held");
                        fetched += 1;
                        drop(pin);
                    }
                    Err(FetchError::Nobody { .. }) => {
                        lacking += 1;
                        let seed = (round + worker * 5) % blobs.len();
                        drop(origin.import_bytes(noise(seed as u64, SIZE).into()).await.expect("imported"));
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            (fetched, lacking)
        })
    });
    let workers: Vec<_> = workers.collect();
    while !workers.iter().all(tokio::task::JoinHandle::is_finished) {
        to.store.evict(3 * SIZE as u64).await.expect("evicted");
        from.store.evict(9 * SIZE as u64).await.expect("evicted");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut all = 0;
    for worker in workers {
        let (fetched, lacking) = worker.await.expect("no panic");
        assert!(fetched > 0);
        all += fetched + lacking;
    }
    assert_eq!(all, 120);
    to.store.evict(3 * SIZE as u64).await.expect("evicted");
    assert!(to.store.usage().used_bytes <= 3 * SIZE as u64);
}
