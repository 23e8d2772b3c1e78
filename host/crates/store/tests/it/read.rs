//! What is handed out is what was hashed.

use std::fs::File;
use std::path::PathBuf;

use samebit_spec::{BlobRef, Hash};
use samebit_store::{Blob, ImportBy, ReadError};

use crate::{Folder, flip, noise, only_file};

#[tokio::test]
async fn unknown_blobs_are_missing() {
    let folder = Folder::new();
    let store = folder.open().await;
    let error = store.open_blob(&Hash::of(b"nobody has this")).await.expect_err("missing");
    assert!(matches!(error, ReadError::Missing(_)), "{error}");
    assert!(!store.contains(&Hash::of(b"nobody has this")).await.expect("contains"));
    assert_eq!(store.open_blob(&Hash::of(b"")).await.expect("the empty blob").size_bytes(), 0);
    store.close().await.expect("close");
}

#[tokio::test]
async fn a_flipped_byte_in_a_file_is_corrupt_until_imported_again() {
    for size in [1, 3000, 20_000, 3 << 20] {
        let folder = Folder::new();
        let store = folder.open().await;
        let bytes = noise(1, size);
        let (blob, _pin) = store.import_bytes(bytes.clone().into()).await.expect("import");
        flip(&only_file(&folder.store().join("files")), size - 1);
        let error = store.open_blob(&blob.hash).await.expect_err("corrupt");
        assert!(matches!(error, ReadError::Corrupt { .. }), "{error}");
        let _pin = store.import_bytes(bytes.into()).await.expect("import");
        store.open_blob(&blob.hash).await.expect("healed");
        store.close().await.expect("close");
    }
}

#[tokio::test]
async fn cut_and_grown_files_are_corrupt() {
    for (size, new_size) in [(20_000, 19_999), (20_000, 40_000), (3 << 20, 0), (3 << 20, (3 << 20) + 1)] {
        let folder = Folder::new();
        let store = folder.open().await;
        let (blob, _pin) = store.import_bytes(noise(1, size).into()).await.expect("import");
        let file = only_file(&folder.store().join("files"));
        File::options().write(true).open(file).expect("open").set_len(new_size).expect("resize");
        let error = store.open_blob(&blob.hash).await.expect_err("corrupt");
        assert!(matches!(error, ReadError::Corrupt { .. }), "{size} {new_size}: {error}");
        store.close().await.expect("close");
    }
}

/// A store that refers to a file.
async fn referring(size: usize) -> (Folder, samebit_store::Store, PathBuf, BlobRef) {
    let folder = Folder::new();
    let store = folder.open().await;
    let file = folder.file("file", &noise(1, size));
    let (blob, _pin) = store.import_file(&file, ImportBy::Reference).await.expect("import");
    (folder, store, file, blob)
}

#[tokio::test]
async fn a_changed_reference_is_found_out_even_if_its_times_were_set_back() {
    for size in [100_000, 2 << 20] {
        let (_folder, store, file, blob) = referring(size).await;
        let modified = std::fs::metadata(&file).and_then(|metadata| metadata.modified()).expect("time");
        flip(&file, 17);
        File::options().write(true).open(&file).expect("open").set_modified(modified).expect("set");
        let error = store.open_blob(&blob.hash).await.expect_err("changed");
        assert!(matches!(error, ReadError::Changed { .. }), "{error}");
        flip(&file, 17);
        store.open_blob(&blob.hash).await.expect("as it was");
        store.close().await.expect("close");
    }
}

#[tokio::test]
async fn a_removed_reference_is_gone_until_imported_from_elsewhere() {
    let (folder, store, file, blob) = referring(2 << 20).await;
    let elsewhere = folder.path("elsewhere");
    std::fs::rename(&file, &elsewhere).expect("rename");
    let error = store.open_blob(&blob.hash).await.expect_err("gone");
    assert!(matches!(&error, ReadError::ReferenceGone { path, .. } if *path == file.with_file_name("file")), "{error}");
    let error = store.export(&blob.hash, &folder.path("out")).await.expect_err("gone");
    assert!(error.to_string().contains("file"), "{error}");
    let _pin = store.import_file(&elsewhere, ImportBy::Reference).await.expect("import");
    store.open_blob(&blob.hash).await.expect("found");
    store.close().await.expect("close");
}

#[tokio::test]
async fn an_own_copy_outlives_the_reference() {
    let (_folder, store, file, blob) = referring(2 << 20).await;
    let scratch = store.scratch_dir().join("out");
    std::fs::copy(&file, &scratch).expect("copy");
    let _pin = store.adopt_file(&scratch).await.expect("adopt");
    std::fs::remove_file(file).expect("remove");
    store.open_blob(&blob.hash).await.expect("own copy");
    store.close().await.expect("close");
}

#[tokio::test]
async fn a_reference_to_what_is_no_file_any_more_is_an_error() {
    let (_folder, store, file, blob) = referring(2 << 20).await;
    std::fs::remove_file(&file).expect("remove");
    std::fs::create_dir(&file).expect("create");
    let error = store.open_blob(&blob.hash).await.expect_err("a folder");
    assert!(matches!(error, ReadError::Io { .. }), "{error}");
    store.close().await.expect("close");
}

#[tokio::test]
async fn damaged_notes_of_references_are_no_reference() {
    for text in [&b""[..], b"relative/path", b"\xff\xfe", &[b'/'; 100_000]] {
        let (folder, store, _file, blob) = referring(100_000).await;
        std::fs::write(only_file(&folder.store().join("references")), text).expect("write");
        let error = store.open_blob(&blob.hash).await.expect_err("no bytes");
        assert!(matches!(error, ReadError::Missing(_) | ReadError::Io { .. }), "{error}");
        store.close().await.expect("close");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_reference_by_symbolic_link_is_to_the_file() {
    let folder = Folder::new();
    let store = folder.open().await;
    let (one, link) = (folder.file("one", &noise(1, 100_000)), folder.path("link"));
    std::os::unix::fs::symlink(&one, &link).expect("link");
    let (blob, _pin) = store.import_file(&link, ImportBy::Reference).await.expect("import");
    std::fs::remove_file(&link).expect("remove");
    std::os::unix::fs::symlink(folder.file("two", &noise(2, 100_000)), &link).expect("link");
    store.open_blob(&blob.hash).await.expect("still the first file");
    store.close().await.expect("close");
}

#[tokio::test]
async fn writing_to_an_opened_file_is_noticed() {
    let (_folder, store, file, blob) = referring(2 << 20).await;
    let opened = store.open_blob(&blob.hash).await.expect("open");
    assert!(matches!(opened, Blob::File(_)));
    opened.check_unchanged().expect("unchanged");
    let modified = std::fs::metadata(&file).and_then(|metadata| metadata.modified()).expect("time");
    let writer = File::options().write(true).open(&file).expect("open");
    std::io::Write::write_all(&mut &writer, b"!").expect("write");
    writer.set_modified(modified).expect("set");
    let error = opened.check_unchanged().expect_err("changed");
    assert!(matches!(error, ReadError::Changed { .. }), "{error}");
    store.close().await.expect("close");
}

#[tokio::test]
async fn small_blobs_are_in_memory_and_large_ones_open_files() {
    let folder = Folder::new();
    let store = folder.open().await;
    for (size, in_memory) in [(20_000, true), (1 << 20, true), ((1 << 20) + 1, false)] {
        let bytes = noise(1, size);
        let (blob, _pin) = store.import_bytes(bytes.clone().into()).await.expect("import");
        match store.open_blob(&blob.hash).await.expect("open") {
            Blob::Bytes(read) => assert!(in_memory && read == bytes),
            Blob::File(file) => {
                assert!(!in_memory);
                assert_eq!(std::fs::read(file.path()).expect("read"), bytes);
            }
        }
    }
    store.close().await.expect("close");
}
