//! Making blobs of files and bytes.

use samebit_spec::{BlobRef, Hash};
use samebit_store::{Blob, ImportBy, ImportError, REFERENCE_FROM_BYTES, ReadError};

use crate::{Folder, noise};

const WAYS: [ImportBy; 3] = [ImportBy::Copy, ImportBy::Reference, ImportBy::Auto];

#[tokio::test]
async fn hashes_are_blake3_by_every_way() {
    let folder = Folder::new();
    let store = folder.open().await;
    for (seed, size) in [0, 1, 1023, 1024, 1025, 16_383, 16_384, 16_385, (1 << 20) + 3].into_iter().enumerate() {
        let bytes = noise(seed as u64, size);
        let expected = BlobRef { hash: Hash::from_bytes(*blake3::hash(&bytes).as_bytes()), size_bytes: size as u64 };
        let file = folder.file("file", &bytes);
        for way in WAYS {
            assert_eq!(store.import_file(&file, way).await.expect("import").0, expected, "{size} {way:?}");
        }
        assert_eq!(store.import_bytes(bytes.clone().into()).await.expect("import").0, expected, "{size}");
        let scratch = store.scratch_dir().join("out");
        std::fs::write(&scratch, &bytes).expect("write");
        assert_eq!(store.adopt_file(&scratch).await.expect("adopt").0, expected, "{size}");
        assert!(!scratch.exists(), "{size}");
        store.open_blob(&expected.hash).await.expect("open").check_unchanged().expect("unchanged");
    }
    assert_eq!(std::fs::read_dir(store.scratch_dir()).expect("list").count(), 0);
    store.close().await.expect("close");
}

#[tokio::test]
async fn auto_refers_to_large_files_alone() {
    let folder = Folder::new();
    let store = folder.open().await;
    for (size, stays) in [(REFERENCE_FROM_BYTES - 1, false), (REFERENCE_FROM_BYTES, true)] {
        let file = folder.file("file", &noise(size, size as usize));
        let (blob, _pin) = store.import_file(&file, ImportBy::Auto).await.expect("import");
        let Blob::File(opened) = store.open_blob(&blob.hash).await.expect("open") else { panic!("{size} in memory") };
        assert_eq!(opened.path() == file.canonicalize().expect("path"), stays, "{size}");
        assert_eq!(opened.size_bytes(), size);
    }
    store.close().await.expect("close");
}

#[tokio::test]
async fn what_is_no_file_is_refused_by_name() {
    let folder = Folder::new();
    let store = folder.open().await;
    for way in WAYS {
        let missing = store.import_file(&folder.path("nothing"), way).await.expect_err("missing");
        assert!(matches!(&missing, ImportError::Missing(path) if path.ends_with("nothing")), "{missing}");
        let beyond = store.import_file(&folder.path("nothing/at/all"), way).await.expect_err("missing");
        assert!(matches!(beyond, ImportError::Missing(_)), "{beyond}");
        let error = store.import_file(folder.0.path(), way).await.expect_err("folder");
        assert!(matches!(error, ImportError::IsFolder(_)), "{error}");
        #[cfg(unix)]
        {
            let error = store.import_file("/dev/zero".as_ref(), way).await.expect_err("device");
            assert!(matches!(error, ImportError::NotRegular(_)), "{error}");
        }
    }
    store.close().await.expect("close");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_path_that_is_no_text_is_copied() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    let store = folder.open().await;
    let path = folder.0.path().join(std::ffi::OsStr::from_bytes(b"in\xffput"));
    let bytes = noise(1, REFERENCE_FROM_BYTES as usize);
    std::fs::write(&path, &bytes).expect("write");
    let error = store.import_file(&path, ImportBy::Reference).await.expect_err("refused");
    assert!(matches!(error, ImportError::NotText(_)), "{error}");
    let (blob, _pin) = store.import_file(&path, ImportBy::Auto).await.expect("import");
    std::fs::remove_file(&path).expect("remove");
    assert_eq!(store.open_blob(&blob.hash).await.expect("open").size_bytes(), REFERENCE_FROM_BYTES);
    store.close().await.expect("close");
}

#[tokio::test]
async fn a_hash_that_was_told_is_not_believed() {
    let folder = Folder::new();
    let store = folder.open().await;
    let (bytes, other) = (noise(1, 3_000_001), noise(2, 3_000_001));
    let [told, wrong] = [&bytes, &other].map(|bytes| BlobRef {
        hash: Hash::from_bytes(*blake3::hash(bytes).as_bytes()),
        size_bytes: bytes.len() as u64,
    });
    let short = BlobRef { size_bytes: 3_000_000, ..told };
    let scratch = store.scratch_dir().join("out");
    for refused in [short, wrong] {
        std::fs::write(&scratch, &bytes).expect("write");
        let error = store.adopt_hashed(&scratch, refused).await.expect_err("these are other bytes");
        assert!(matches!(error, ImportError::Differs(_)), "{error}");
        let error = store.open_blob(&refused.hash).await.expect_err("it never became a blob");
        assert!(matches!(error, ReadError::Missing(_)), "{error}");
        // What the index knows it by has its bytes, or would look as if it were here.
        if store.contains(&told.hash).await.expect("asked") {
            store.open_blob(&told.hash).await.expect("open").check_unchanged().expect("unchanged");
        }
    }
    std::fs::write(&scratch, &bytes).expect("write");
    let (blob, _pin) = store.adopt_hashed(&scratch, told).await.expect("these are the bytes");
    assert_eq!(blob, told);
    // What the store has already proves nothing about other bytes.
    std::fs::write(&scratch, &other).expect("write");
    assert_eq!(store.adopt_hashed(&scratch, told).await.expect("it is adopted for what it is").0, wrong);
    for blob in [told, wrong] {
        store.open_blob(&blob.hash).await.expect("open").check_unchanged().expect("unchanged");
    }
    store.close().await.expect("close");
}

#[tokio::test]
async fn only_plain_files_in_scratch_are_taken_over() {
    let folder = Folder::new();
    let store = folder.open().await;
    let outside = folder.file("outside", &noise(1, 100_000));
    let dotted = store.scratch_dir().join("../../outside");
    for path in [&outside, &dotted] {
        let error = store.adopt_file(path).await.expect_err("outside");
        assert!(matches!(error, ImportError::OutsideScratch(_)), "{error}");
    }
    #[cfg(unix)]
    {
        let link = store.scratch_dir().join("link");
        std::os::unix::fs::symlink(&outside, &link).expect("link");
        let error = store.adopt_file(&link).await.expect_err("link");
        assert!(matches!(error, ImportError::NotRegular(_)), "{error}");
    }
    let error = store.adopt_file(&store.scratch_dir().join("nothing")).await.expect_err("missing");
    assert!(matches!(error, ImportError::Missing(_)), "{error}");
    assert!(outside.exists());
    store.close().await.expect("close");
}

#[tokio::test]
async fn a_file_of_the_store_itself_is_copied() {
    let folder = Folder::new();
    let store = folder.open().await;
    let inside = store.scratch_dir().join("inside");
    std::fs::write(&inside, noise(1, 100_000)).expect("write");
    let (blob, _pin) = store.import_file(&inside, ImportBy::Reference).await.expect("import");
    std::fs::remove_file(&inside).expect("remove");
    store.open_blob(&blob.hash).await.expect("open");
    store.close().await.expect("close");
}

#[tokio::test]
async fn a_file_being_written_is_refused_or_read_whole() {
    let folder = Folder::new();
    let store = folder.open().await;
    let file = folder.file("file", &noise(1, 4 << 20));
    for round in 0..10 {
        let other = file.clone();
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let writer = std::thread::spawn(move || {
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                std::fs::write(&other, noise(round, 4 << 20)).expect("write");
            }
        });
        for way in [ImportBy::Copy, ImportBy::Reference] {
            match store.import_file(&file, way).await {
                Ok((blob, _pin)) if way == ImportBy::Copy => {
                    assert_eq!(store.open_blob(&blob.hash).await.expect("own copy").size_bytes(), blob.size_bytes);
                }
                Ok(_) | Err(ImportError::Changed(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        drop(stop);
        writer.join().expect("writer");
    }
    store.close().await.expect("close");
}

#[tokio::test]
async fn a_good_copy_is_never_replaced() {
    let folder = Folder::new();
    let store = folder.open().await;
    let bytes = noise(1, 2 << 20);
    let file = folder.file("file", &bytes);
    let (blob, _pin) = store.import_bytes(bytes.clone().into()).await.expect("import");
    let opened = store.open_blob(&blob.hash).await.expect("open");
    let scratch = store.scratch_dir().join("out");
    std::fs::write(&scratch, &bytes).expect("write");
    let _pins = (
        store.import_bytes(bytes.into()).await.expect("bytes"),
        store.import_file(&file, ImportBy::Copy).await.expect("copy"),
        store.import_file(&file, ImportBy::Reference).await.expect("reference"),
        store.adopt_file(&scratch).await.expect("adopt"),
    );
    opened.check_unchanged().expect("somebody may be reading it");
    store.close().await.expect("close");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_imports_at_once() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..50_usize {
        // Every content five times, small, middling and large ones.
        let bytes = noise((index % 10) as u64, [100, 20_000, 300_000, 1_500_000][index % 4]);
        let (store, path) = (store.clone(), folder.file(&format!("file{index}"), &bytes));
        tasks.spawn(async move {
            let scratch = store.scratch_dir().join(format!("out{index}"));
            let (blob, pin) = match index % 3 {
                0 => store.import_bytes(bytes.clone().into()).await.expect("bytes"),
                1 => store.import_file(&path, ImportBy::Reference).await.expect("file"),
                _ => {
                    std::fs::write(&scratch, &bytes).expect("write");
                    store.adopt_file(&scratch).await.expect("adopt")
                }
            };
            let opened = store.open_blob(&blob.hash).await.expect("open");
            tokio::task::yield_now().await;
            opened.check_unchanged().expect("nobody replaces a good file");
            drop(pin);
            (blob, BlobRef::of(&bytes))
        });
    }
    while let Some(done) = tasks.join_next().await {
        let (blob, expected) = done.expect("task");
        assert_eq!(blob, expected);
        store.open_blob(&blob.hash).await.expect("open");
    }
    store.close().await.expect("close");
}
