//! What jobs hold, and what becomes of them when their host stops, in whatever way, and starts again.

use std::collections::BTreeMap;
use std::time::Duration;

use samebit_net::message::{EventKind, JobState};
use samebit_runner::spec::{BlobRef, JobSpec};

use super::{Desk, peer, receipt};
use crate::daemon::disk::Bounds;
use crate::daemon::jobs::tests::{EMPTY, SPIN};
use crate::daemon::state::State;

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

#[tokio::test(flavor = "multi_thread")]
async fn jobs_with_the_same_input_need_room_for_it_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let bounds = Bounds { quota_bytes: Some(400 << 10), free_bytes_min: 0 };
    let desk = Desk::open_within(folder.path(), 1, bounds).await;
    let data = vec![7; 150 << 10];
    let blob = BlobRef::of(&data);
    desk.air.blobs.lock().expect("no panic").push(data);
    let with = |blob, text, number| {
        let inputs = BTreeMap::from([("data".parse().expect("a name"), blob)]);
        Desk::within(JobSpec { inputs, ..Desk::job(text, number) }, 1_000)
    };
    let (spin, waits) = (with(blob, SPIN, 0), with(blob, EMPTY, 1));
    desk.submit(peer(1), &spin).await;
    desk.running(&spin).await;
    for number in 1..10 {
        desk.submit(peer(1), &with(blob, EMPTY, number)).await;
    }
    let other = with(BlobRef { size_bytes: 300 << 10, ..BlobRef::of(b"another") }, EMPTY, 99);
    assert_eq!(desk.try_submit(peer(1), &other).await.expect_err("too large").rule.as_str(), "host.disk-quota");
    desk.jobs.cancel(peer(1), &spin.id(), samebit_net::CancelReason::Asked).await.expect("cancelled");
    receipt(desk.last(peer(1), &waits).await);
    desk.drop_dead().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_going_on_is_taken_up_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (spin, waits, done) = {
        let desk = Desk::open(folder.path(), 1).await;
        let (spin, waits, done) = (Desk::job(SPIN, 0), Desk::job(EMPTY, 1), Desk::job(EMPTY, 2));
        desk.submit(peer(1), &done).await;
        let done_receipt = receipt(desk.last(peer(1), &done).await);
        desk.submit(peer(1), &spin).await;
        desk.running(&spin).await;
        desk.submit(peer(1), &waits).await;
        desk.drop_dead().await;
        (spin, waits, (done, done_receipt))
    };
    for starts in 2..=3 {
        let desk = Desk::open(folder.path(), 1).await;
        desk.running(&spin).await;
        assert_eq!(receipt(desk.last(peer(1), &done.0).await), done.1, "what was done stays done");
        let record = desk.jobs.means().state.job(&spin.id()).expect("read").expect("known");
        assert!(record.starts == starts && record.first_seq > 0, "{record:?}");
        desk.drop_dead().await;
    }
    let desk = Desk::open(folder.path(), 1).await;
    assert!(
        matches!(desk.last(peer(1), &spin).await, EventKind::Failed { reason } if reason.as_str().contains("3 times"))
    );
    receipt(desk.last(peer(1), &waits).await);
    assert_eq!(desk.jobs.receipts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_the_store_kept_is_the_jobs_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let (job, kept) = {
        let desk = Desk::open(folder.path(), 1).await;
        let job = Desk::job(EMPTY, 0);
        desk.submit(peer(1), &job).await;
        let kept = receipt(desk.last(peer(1), &job).await);
        // As if the process had been killed between the store and the state.
        let mut record = desk.jobs.means().state.job(&job.id()).expect("read").expect("known");
        record.end = None;
        assert_eq!(record.starts, 1);
        desk.drop_dead().await;
        std::fs::remove_file(folder.path().join("state.redb")).expect("removed");
        let (state, _) = State::open(&folder.path().join("state.redb")).expect("a new state");
        state.put(&record).await.expect("written");
        (job, kept)
    };
    let desk = Desk::open(folder.path(), 1).await;
    assert_eq!(receipt(desk.last(peer(1), &job).await), kept, "and not a second receipt");
}
