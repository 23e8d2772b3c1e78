//! Writing blobs to files: whole or not at all.

use samebit_spec::Hash;
use samebit_store::{ExportError, ReadError};

use crate::{Folder, flip, noise, only_file};

#[tokio::test]
async fn exported_bytes_are_the_blob() {
    let folder = Folder::new();
    let store = folder.open().await;
    let out = folder.path("out");
    for size in [0, 5, 20_000, (3 << 20) + 1] {
        let bytes = noise(1, size);
        let (blob, _pin) = store.import_bytes(bytes.clone().into()).await.expect("import");
        store.export(&blob.hash, &out).await.expect("export");
        assert_eq!(std::fs::read(&out).expect("read"), bytes, "{size}");
    }
    store.close().await.expect("close");
}

#[tokio::test]
async fn a_damaged_blob_leaves_the_target_as_it_was() {
    let folder = Folder::new();
    let store = folder.open().await;
    let (blob, _pin) = store.import_bytes(noise(1, 3 << 20).into()).await.expect("import");
    flip(&only_file(&folder.store().join("files")), 3);
    std::fs::create_dir(folder.path("target")).expect("create");
    let out = folder.file("target/out", b"before");
    let error = store.export(&blob.hash, &out).await.expect_err("corrupt");
    assert!(matches!(error, ExportError::Read(ReadError::Corrupt { .. })), "{error}");
    assert_eq!(std::fs::read(&out).expect("read"), b"before");
    assert_eq!(only_file(&folder.path("target")), out);
    let error = store.export(&Hash::of(b"nobody has this"), &out).await.expect_err("missing");
    assert!(matches!(error, ExportError::Read(ReadError::Missing(_))), "{error}");
    store.close().await.expect("close");
}

#[tokio::test]
async fn targets_that_cannot_be_are_refused() {
    let folder = Folder::new();
    let store = folder.open().await;
    std::fs::create_dir(folder.path("target")).expect("create");
    for size in [10, 100_000] {
        let (blob, _pin) = store.import_bytes(noise(1, size).into()).await.expect("import");
        let error = store.export(&blob.hash, &folder.path("target")).await.expect_err("folder");
        assert!(matches!(error, ExportError::TargetIsFolder(_)), "{error}");
        let error = store.export(&blob.hash, &folder.path("no/such/folder")).await.expect_err("no folder");
        assert!(matches!(error, ExportError::Target { .. }), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path("target")).expect("list").count(), 0);
    store.close().await.expect("close");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_replaced_and_not_followed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let store = folder.open().await;
    let (precious, link) = (folder.file("precious", b"precious"), folder.path("link"));
    for size in [10, 100_000] {
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(&precious, &link).expect("link");
        let bytes = noise(1, size);
        let (blob, _pin) = store.import_bytes(bytes.clone().into()).await.expect("import");
        store.export(&blob.hash, &link).await.expect("export");
        assert_eq!(std::fs::read(&precious).expect("read"), b"precious");
        let metadata = std::fs::symlink_metadata(&link).expect("metadata");
        assert!(metadata.is_file());
        let usual = std::fs::metadata(&precious).expect("metadata").permissions().mode();
        assert_eq!(metadata.permissions().mode(), usual);
        assert_eq!(std::fs::read(&link).expect("read"), bytes);
    }
    store.close().await.expect("close");
}
