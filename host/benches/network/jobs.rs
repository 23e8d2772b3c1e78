//! Small jobs: how long one takes, and how many go through one host.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::author::{Author, EMPTY, runtime};
use crate::figures::{Place, Row, median, share, shown};
use crate::host::Serving;

const ALONE: usize = 300;
const MANY: usize = 1_000;
/// As many as a connection's streams.
const AT_ONCE: usize = 64;

pub(crate) fn rows(place: &Place) -> Vec<Row> {
    let dir = tempfile::tempdir_in(&place.dir).expect("a temporary folder");
    let host = Serving::host(dir.path(), &[]);
    runtime().block_on(async {
        let author = Arc::new(Author::connect(dir.path(), &host.provider(), &[EMPTY]).await);
        // The first one fetches and compiles the module.
        author.run(author.submission(0, 0)).await;
        let mut times = Vec::new();
        for number in 1..=ALONE {
            let submission = author.submission(0, number);
            let started = Instant::now();
            author.run(submission).await;
            times.push(started.elapsed());
        }
        let (middle, late) = (shown(median(times.clone())), shown(share(times, 0.99)));
        let started = Instant::now();
        many(&author).await;
        let rate = MANY as f64 / started.elapsed().as_secs_f64();
        vec![
            (
                format!("empty job, submission → verified receipt, open connection; {}", place.name),
                format!("p50 {middle}, p99 {late}"),
                "p50 ≤ 3 ms",
            ),
            (
                format!("{MANY} small jobs through one host, {AT_ONCE} at once; {}", place.name),
                format!("{rate:.0} jobs/s"),
                "≥ 300 jobs/s",
            ),
        ]
    })
}

async fn many(author: &Arc<Author>) {
    let next = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (author, next) = (author.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= MANY {
                        return;
                    }
                    author.run(author.submission(0, 1_000_000 + number)).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("all receipts");
    }
}
