//! Handing out a verified blob, against the blake3 crate reading the same file.

use std::time::{Duration, Instant};

use samebit_runner::store::{ImportBy, Store};

use crate::measure::Figure;
use crate::work::Work;

/// The store opens a blob: its file is hashed in full first.
pub(crate) fn ours(work: &Work) -> Figure {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let dir = tempfile::tempdir_in(work.dir()).expect("a temporary folder");
        let store = Store::open(dir.path(), Duration::ZERO).await.expect("a store");
        let (blob, _pin) = store.import_file(&work.path("large"), ImportBy::Auto).await.expect("imported");
        let started = Instant::now();
        store.open_blob(&blob.hash).await.expect("a verified blob");
        let figure = Figure::taken(started.elapsed());
        store.close().await.expect("the store closes");
        figure
    })
}

/// The crate's own way to hash a file on one thread.
pub(crate) fn plain(work: &Work) -> Figure {
    let started = Instant::now();
    let file = std::fs::File::open(work.path("large")).expect("the input is there");
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).expect("the input is readable");
    std::hint::black_box(hasher.finalize());
    Figure::taken(started.elapsed())
}
