//! A damaged index: errors, but no panic that escapes, no hang, and no wrong byte.

use std::path::Path;
use std::time::Duration;

use samebit_spec::{BlobRef, Receipt};
use samebit_store::{Blob, OpenError, Store};
use tokio::time::timeout;

use crate::{Folder, noise, receipt};

const PATIENCE: Duration = Duration::from_secs(20);

/// The bytes of a closed store's index, and what the store has.
async fn healthy() -> (Vec<u8>, Vec<BlobRef>, Receipt) {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut blobs = Vec::new();
    for seed in 0..20 {
        blobs.push(store.import_bytes(noise(seed, 50 + 900 * seed as usize).into()).await.expect("import").0);
    }
    let receipt = receipt(blobs[0], blobs[1], blobs[2]);
    store.keep(&receipt).await.expect("keep");
    store.close().await.expect("close");
    (std::fs::read(folder.store().join("index/blobs.db")).expect("read"), blobs, receipt)
}

/// Opens a store with this index and uses it, unless it is refused.
async fn use_store(path: &Path, database: &[u8], blobs: &[BlobRef], receipt: &Receipt) -> Result<(), OpenError> {
    Store::open(path, Duration::ZERO).await.expect("a new store").close().await.expect("close");
    std::fs::write(path.join("index/blobs.db"), database).expect("write");
    let store = Store::open(path, Duration::ZERO).await?;
    for blob in blobs {
        if let Ok(Blob::Bytes(bytes)) = store.open_blob(&blob.hash).await {
            assert_eq!(BlobRef::of(&bytes), *blob);
        }
    }
    if let Ok(read) = store.receipt(&receipt.id()).await {
        assert_eq!(read, *receipt);
    }
    let _ = store.receipts().await;
    let _ = store.import_bytes(noise(99, 9_000).into()).await;
    let _ = store.keep(receipt).await;
    let _ = store.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serial_flipped_bits_anywhere_in_the_index() {
    let (healthy, blobs, receipt) = healthy().await;
    for seed in 0..60_u64 {
        let mut database = healthy.clone();
        // Half of them near the beginning, where the structure is.
        let reach = if seed % 2 == 0 { database.len() } else { 4096.min(database.len()) };
        for bytes in noise(seed, 4 * 8).as_chunks::<8>().0 {
            let place = u64::from_le_bytes(*bytes);
            database[(place >> 3) as usize % reach] ^= 1 << (place & 7);
        }
        let folder = Folder::new();
        let used = timeout(PATIENCE, use_store(&folder.store(), &database, &blobs, &receipt)).await;
        match used {
            Ok(Ok(()) | Err(OpenError::Database { .. })) => {}
            Ok(Err(error)) => panic!("seed {seed}: {error}"),
            Err(_) => panic!("seed {seed}: hangs"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serial_cut_or_foreign_index() {
    let (healthy, blobs, receipt) = healthy().await;
    let text = b"this is no database\n".repeat(1000);
    for database in [&healthy[..1], &healthy[..64], &healthy[..4096], &healthy[..healthy.len() / 2], &text] {
        let folder = Folder::new();
        let path = folder.store();
        let used = timeout(PATIENCE, use_store(&path, database, &blobs, &receipt)).await.expect("no hang");
        let error = used.expect_err("refused");
        assert!(matches!(error, OpenError::Database { .. }), "{} bytes: {error}", database.len());
        let again = Store::open(&folder.store(), Duration::from_secs(2)).await.expect_err("refused again");
        assert!(matches!(again, OpenError::Database { .. }), "{again}");
    }
}
