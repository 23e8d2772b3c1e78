//! What a host needs of memory, with nothing to do and with much that waits.

use std::sync::Arc;
use std::time::Duration;

use samebit_net::message::EventKind;

use crate::author::{Author, EMPTY, SPIN, runtime, until};
use crate::figures::Row;
use crate::host::Serving;

const QUEUED: usize = 10_000;
const AT_ONCE: usize = 32;
/// How long a host is left alone before its memory is read.
const PAUSE: Duration = Duration::from_secs(2);
/// Of what is resident, that which no file backs: the program's own pages are shared and can be dropped.
const ANONYMOUS: &str = "RssAnon:";

pub(crate) fn rows() -> Vec<Row> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let host = Serving::host(dir.path(), &["--jobs", "1"]);
    std::thread::sleep(PAUSE);
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
    let (idle, own) = (host.memory_bytes("VmRSS:"), host.memory_bytes(ANONYMOUS));
    let each = runtime().block_on(async {
        let author = Arc::new(Author::connect(dir.path(), &host.provider(), &[SPIN, EMPTY]).await);
        let (_, story) = author.client.submit(author.submission(0, 0)).await.expect("accepted");
        until(story, |kind| *kind == EventKind::Running).await;
        // What a first crowd of jobs leaves behind for good is not what each one costs.
        submit(&author, 0).await;
        let before = host.memory_bytes(ANONYMOUS);
        submit(&author, QUEUED).await;
        host.memory_bytes(ANONYMOUS).saturating_sub(before) / QUEUED as u64
    });
    vec![
        ("idle host, resident".to_owned(), format!("{}, of them {} not of files", mib(idle), mib(own)), "≤ 60 MiB"),
        (format!("each queued job, of the second {QUEUED}"), format!("{:.1} KiB", each as f64 / 1024.0), "≤ 4 KiB"),
    ]
}

/// Submits many that wait, and nobody follows.
async fn submit(author: &Arc<Author>, first: usize) {
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|worker| {
            let author = author.clone();
            tokio::spawn(async move {
                for number in (worker..QUEUED).step_by(AT_ONCE) {
                    let submission = author.submission(1, first + number);
                    author.client.submit(submission).await.map(drop).expect("accepted");
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("all accepted");
    }
    tokio::time::sleep(PAUSE).await;
}
