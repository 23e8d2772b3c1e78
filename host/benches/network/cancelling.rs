//! How long a job goes on after it was cancelled.

use std::time::{Duration, Instant};

use samebit_net::message::EventKind;

use crate::author::{Author, SPIN, runtime, until};
use crate::figures::{Row, median, share, shown};
use crate::host::Serving;

const RUNS: usize = 30;

pub(crate) fn rows() -> Vec<Row> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let host = Serving::host(dir.path(), &[]);
    let times = runtime().block_on(async {
        let author = Author::connect(dir.path(), &host.provider(), &[SPIN]).await;
        let mut times = Vec::new();
        for number in 0..RUNS {
            let submission = author.submission(0, number);
            let job = submission.job.id();
            let (_, story) = author.client.submit(submission).await.expect("accepted");
            until(story, |kind| *kind == EventKind::Running).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            let started = Instant::now();
            author.client.cancel(job).await.expect("cancelled");
            times.push(started.elapsed());
        }
        times
    });
    let (middle, worst) = (shown(median(times.clone())), shown(share(times, 1.0)));
    let what = "job that spins, cancellation → stopped, written down and told".to_owned();
    vec![(what, format!("p50 {middle}, worst {worst}"), "≤ 100 ms")]
}
