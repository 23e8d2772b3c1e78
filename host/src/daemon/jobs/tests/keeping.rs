//! What jobs hold, and what a host that stops makes of those that run.

use std::time::Duration;

use samebit_net::message::{EventKind, JobState};

use super::{Desk, peer, receipt};
use crate::daemon::disk::Bounds;
use crate::daemon::jobs::tests::{EMPTY, SPIN};

#[tokio::test(flavor = "multi_thread")]
async fn stopping_a_host_in_order_is_not_held_against_its_jobs() {
    let folder = tempfile::tempdir().expect("a folder");
    let spin = Desk::job(SPIN, 0);
    for _ in 0..5 {
        let desk = Desk::open(folder.path(), 1).await;
        desk.submit(peer(1), &spin).await;
        desk.running(&spin).await;
        let began = desk.jobs.means().state.job(&spin.id()).expect("read").expect("known");
        assert_eq!((began.starts, &began.end), (1, &None));
        desk.jobs.stop(Duration::ZERO).await;
        let stopped = desk.jobs.means().state.job(&spin.id()).expect("read").expect("known");
        assert_eq!(stopped.starts, 0);
        desk.drop_dead().await;
    }
    let desk = Desk::open(folder.path(), 1).await;
    desk.running(&spin).await;
    assert_eq!(desk.jobs.status(peer(1), Some(spin.id())).expect("known")[0].state, JobState::Running);
    desk.drop_dead().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_needs_is_held_until_its_end_and_may_go_then() {
    let folder = tempfile::tempdir().expect("a folder");
    // Room for the two receipts that come of this, and for one module.
    let bounds = Bounds { quota_bytes: Some(8 << 10), free_bytes_min: 0 };
    let desk = Desk::open_within(folder.path(), 1, bounds).await;
    let store = desk.jobs.means().machine.host.store.clone();
    let spin = Desk::within(Desk::job(SPIN, 0), 1_000);
    desk.submit(peer(1), &spin).await;
    desk.running(&spin).await;
    store.evict(0).await.expect("evicted");
    assert!(store.contains(&spin.module.hash).await.expect("contains"), "it runs");
    // A job that cannot fit is refused by name, and nothing of it is fetched.
    let large = Desk::within(Desk::job(EMPTY, 1), 8 << 10);
    let refusal = desk.try_submit(peer(1), &large).await.expect_err("too large");
    assert_eq!(refusal.rule.as_str(), "host.disk-quota");
    assert!(!store.contains(&large.module.hash).await.expect("contains"));
    desk.jobs.cancel(peer(1), &spin.id(), samebit_net::CancelReason::Asked).await.expect("cancelled");
    assert_eq!(desk.last(peer(1), &spin).await, EventKind::Cancelled);
    store.evict(0).await.expect("evicted");
    assert!(!store.contains(&spin.module.hash).await.expect("contains"), "it is over");
    let small = Desk::within(Desk::job(EMPTY, 2), 1_000);
    desk.submit(peer(1), &small).await;
    receipt(desk.last(peer(1), &small).await);
    desk.drop_dead().await;
}
