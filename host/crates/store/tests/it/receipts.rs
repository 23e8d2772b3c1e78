//! Keeping what receipts name.

use samebit_spec::BlobRef;
use samebit_store::{KeepError, ReceiptsError, Store};

use crate::{Folder, noise, receipt};

async fn blob(store: &Store, seed: u64, size: usize) -> BlobRef {
    store.import_bytes(noise(seed, size).into()).await.expect("import").0
}

#[tokio::test]
async fn kept_receipts_are_listed_read_and_forgotten() {
    let folder = Folder::new();
    let store = folder.open().await;
    let (module, input) = (blob(&store, 1, 50_000).await, blob(&store, 2, 10).await);
    let mut receipts = Vec::new();
    for seed in 10..13 {
        let receipt = receipt(module, input, blob(&store, seed, 100).await);
        assert_eq!(store.keep(&receipt).await.expect("keep"), receipt.id());
        assert_eq!(store.keep(&receipt).await.expect("keep again"), receipt.id());
        receipts.push(receipt);
    }
    receipts.sort_by_key(|receipt| receipt.id());
    store.close().await.expect("close");

    let store = folder.open().await;
    let listed: Vec<_> = store.receipts().await.expect("list").into_iter().map(|read| read.expect("receipt")).collect();
    assert_eq!(listed, receipts);
    let first = &receipts[0];
    assert_eq!(store.receipt(&first.id()).await.expect("read"), *first);
    assert!(store.forget(&first.id()).await.expect("forget"));
    assert!(!store.forget(&first.id()).await.expect("forget again"));
    let error = store.receipt(&first.id()).await.expect_err("forgotten");
    assert!(matches!(error, ReceiptsError::Unknown(id) if id == first.id()), "{error}");
    assert_eq!(store.receipts().await.expect("list").len(), 2);
    store.close().await.expect("close");
}

#[tokio::test]
async fn a_receipt_is_kept_with_all_it_names_or_not_at_all() {
    let folder = Folder::new();
    let store = folder.open().await;
    let here = blob(&store, 1, 10).await;
    let absent = BlobRef::of(b"nobody has this");
    for receipt in [receipt(absent, here, here), receipt(here, absent, here), receipt(here, here, absent)] {
        let error = store.keep(&receipt).await.expect_err("missing");
        assert!(matches!(error, KeepError::Missing(hash) if hash == absent.hash), "{error}");
        assert!(store.receipt(&receipt.id()).await.is_err());
    }
    assert!(store.receipts().await.expect("list").is_empty());
    store.close().await.expect("close");
}
