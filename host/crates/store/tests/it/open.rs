//! What a folder may be when it is opened.

use std::time::{Duration, Instant};

use samebit_store::{OpenError, Store};

use crate::{Folder, noise};

async fn refused(folder: &Folder) -> OpenError {
    Store::open(&folder.store(), Duration::ZERO).await.expect_err("refused")
}

#[tokio::test]
async fn reopened_store_has_its_blobs() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut blobs = Vec::new();
    for size in [0, 10, 20_000, 2 << 20] {
        blobs.push(store.import_bytes(noise(1, size).into()).await.expect("import").0);
    }
    store.close().await.expect("close");
    store.close().await.expect("close again");
    let store = folder.open().await;
    for blob in blobs {
        assert!(store.contains(&blob.hash).await.expect("contains"));
        assert_eq!(store.open_blob(&blob.hash).await.expect("open").size_bytes(), blob.size_bytes);
    }
    store.close().await.expect("close");
}

#[cfg(unix)]
#[tokio::test]
async fn new_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.open().await.close().await.expect("close");
    let mode = std::fs::metadata(folder.store()).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn second_handle_in_one_process_is_busy_until_the_first_is_closed() {
    let folder = Folder::new();
    let store = folder.open().await;
    let error = refused(&folder).await;
    assert!(matches!(&error, OpenError::Busy { pid: Some(pid), .. } if *pid == std::process::id()), "{error}");
    store.close().await.expect("close");
    folder.open().await.close().await.expect("close");
}

#[tokio::test]
async fn waiting_ends_when_the_store_is_free() {
    let folder = Folder::new();
    let store = folder.open().await;
    let closing = async {
        tokio::time::sleep(Duration::from_millis(80)).await;
        store.close().await.expect("close");
    };
    let (opened, ()) = tokio::join!(folder.open(), closing);
    opened.close().await.expect("close");
}

#[tokio::test]
async fn waiting_ends_when_the_time_is_over() {
    let folder = Folder::new();
    let store = folder.open().await;
    let started = Instant::now();
    let error = Store::open(&folder.store(), Duration::from_millis(50)).await.expect_err("busy");
    assert!(matches!(error, OpenError::Busy { .. }), "{error}");
    assert!(started.elapsed() >= Duration::from_millis(50));
    store.close().await.expect("close");
}

#[tokio::test]
async fn dropped_store_can_be_opened_again() {
    let folder = Folder::new();
    for _ in 0..5 {
        let store = folder.open().await;
        let _pin = store.import_bytes(noise(2, 100).into()).await.expect("import");
        drop(store);
    }
    folder.open().await.close().await.expect("close");
}

#[tokio::test]
async fn closed_store_gives_errors() {
    let folder = Folder::new();
    let store = folder.open().await;
    let (blob, _pin) = store.import_bytes(noise(3, 100).into()).await.expect("import");
    store.close().await.expect("close");
    assert!(store.contains(&blob.hash).await.is_err());
    assert!(store.open_blob(&blob.hash).await.is_err());
    assert!(store.import_bytes(noise(4, 100).into()).await.is_err());
}

#[tokio::test]
async fn scratch_is_emptied() {
    let folder = Folder::new();
    let store = folder.open().await;
    std::fs::write(store.scratch_dir().join("left"), b"x").expect("write");
    std::fs::create_dir_all(store.scratch_dir().join("deep/er")).expect("create");
    let outside = folder.file("outside", b"stays");
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.0.path(), store.scratch_dir().join("link")).expect("link");
    store.close().await.expect("close");
    let store = folder.open().await;
    assert_eq!(std::fs::read_dir(store.scratch_dir()).expect("list").count(), 0);
    assert!(outside.exists());
    store.close().await.expect("close");
}

#[tokio::test]
async fn a_file_is_no_store() {
    let folder = Folder::new();
    folder.file("store", b"a file");
    assert!(matches!(refused(&folder).await, OpenError::NotAFolder(_)));
}

#[tokio::test]
async fn a_folder_of_something_else_is_left_alone() {
    let folder = Folder::new();
    std::fs::create_dir(folder.store()).expect("create");
    folder.file("store/thesis.txt", b"precious");
    assert!(matches!(refused(&folder).await, OpenError::NotAStore(_)));
    assert_eq!(std::fs::read_dir(folder.store()).expect("list").count(), 1);
}

#[tokio::test]
async fn a_store_whose_making_was_interrupted_is_made() {
    let folder = Folder::new();
    std::fs::create_dir(folder.store()).expect("create");
    folder.file("store/lock", b"123");
    folder.file("store/format.new", b"same");
    folder.open().await.close().await.expect("close");
}

#[tokio::test]
async fn a_format_of_the_future_is_named() {
    let folder = Folder::new();
    folder.open().await.close().await.expect("close");
    folder.file("store/format", b"samebit store 2\n");
    let error = refused(&folder).await;
    assert!(matches!(&error, OpenError::FormatUnknown { found, .. } if found == "samebit store 2"), "{error}");
    folder.file("store/format", &[0xff; 100_000]);
    let error = refused(&folder).await;
    assert!(error.to_string().len() < 4000, "{error}");
}

#[tokio::test]
async fn folders_in_place_of_files_are_errors() {
    for name in ["lock", "format", "index/blobs.db"] {
        let folder = Folder::new();
        folder.open().await.close().await.expect("close");
        let path = folder.store().join(name);
        std::fs::remove_file(&path).expect("remove");
        std::fs::create_dir(&path).expect("create");
        let error = refused(&folder).await;
        assert!(matches!(error, OpenError::Io { .. } | OpenError::Database { .. }), "{name}: {error}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_path_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    let path = folder.0.path().join(std::ffi::OsStr::from_bytes(b"st\xffre"));
    let error = Store::open(&path, Duration::ZERO).await.expect_err("refused");
    assert!(matches!(error, OpenError::NotText(_)), "{error}");
}
