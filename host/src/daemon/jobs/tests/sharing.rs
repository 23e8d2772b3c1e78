//! Jobs that several peers want, at inconvenient moments.

use std::collections::BTreeMap;

use samebit_net::CancelReason;
use samebit_net::message::{EventKind, JobState};
use samebit_runner::spec::JobSpec;

use super::{Desk, Peer, peer, receipt};
use crate::daemon::jobs::tests::{EMPTY, SPIN};

/// A job that runs, and which the peers 1 and 2 want.
async fn wanted_by_two(desk: &Desk) -> JobSpec {
    let spin = Desk::job(SPIN, 0);
    desk.submit(peer(1), &spin).await;
    desk.submit(peer(2), &spin).await;
    desk.running(&spin).await;
    spin
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_submitted_while_it_ends_is_signed_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path(), 1).await;
    for number in 0..20 {
        let job = Desk::job(EMPTY, number);
        desk.submit(peer(1), &job).await;
        let again = async {
            for _ in 0..20 {
                desk.submit(peer(2), &job).await;
            }
        };
        tokio::join!(again, desk.last(peer(1), &job));
        let status = desk.jobs.status(peer(2), Some(job.id())).expect("known to both");
        assert_eq!(status[0].state, JobState::Done);
        assert!(desk.submit(peer(1), &job).await.known, "done stays done");
    }
    assert_eq!(desk.jobs.receipts(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cancels_a_job_of_others_leaves_it_to_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path(), 1).await;
    let spin = wanted_by_two(&desk).await;
    desk.jobs.cancel(peer(2), &spin.id(), CancelReason::Asked).await.expect("it is out");
    assert_eq!(desk.jobs.status(peer(1), Some(spin.id())).expect("known")[0].state, JobState::Running);
    desk.jobs.cancel(peer(1), &spin.id(), CancelReason::Asked).await.expect("cancelled");
    assert_eq!(desk.last(peer(1), &spin).await, EventKind::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_a_job_print_what_the_store_holds_for_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path(), 1).await;
    let secret = b"of the operator";
    let store = &desk.jobs.means().machine.host.store;
    let (blob, _pin) = store.import_bytes(secret.as_slice().into()).await.expect("it is here");
    let with = |number| JobSpec {
        inputs: BTreeMap::from([("stdin".parse().expect("a name"), blob)]),
        ..Desk::job(EMPTY, number)
    };
    desk.submit(peer(1), &with(0)).await;
    assert!(matches!(desk.last(peer(1), &with(0)).await, EventKind::Failed { .. }), "hash and length are not enough");
    desk.submit(Peer::Local, &with(1)).await;
    receipt(desk.last(Peer::Local, &with(1)).await);
    // Its provider shows that it has the bytes.
    desk.air.blobs.lock().expect("no panic").push(secret.to_vec());
    desk.submit(peer(1), &with(2)).await;
    receipt(desk.last(peer(1), &with(2)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_charged_to_whom_it_was_taken_on_for_also_once_that_one_leaves() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path(), 1).await;
    let spin = wanted_by_two(&desk).await;
    desk.jobs.cancel(peer(1), &spin.id(), CancelReason::Asked).await.expect("it is out");
    let going = |byte| desk.jobs.lock().sums.going(peer(byte)).0.jobs;
    assert_eq!((going(1), going(2)), (1, 0), "the second one was not asked");
    desk.jobs.cancel(peer(2), &spin.id(), CancelReason::Asked).await.expect("cancelled");
    assert_eq!((going(1), going(2)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_keys_do_not_keep_others_from_a_job_that_is_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path(), 1).await;
    let (spin, done) = (Desk::job(SPIN, 0), Desk::job(EMPTY, 1));
    desk.submit(peer(0), &done).await;
    receipt(desk.last(peer(0), &done).await);
    desk.submit(peer(0), &spin).await;
    for byte in 1..64 {
        desk.submit(peer(byte), &done).await;
        desk.submit(peer(byte), &spin).await;
    }
    assert_eq!(desk.try_submit(peer(64), &spin).await.expect_err("enough want it").rule.as_str(), "host.busy");
    assert!(desk.submit(peer(64), &done).await.known);
    receipt(desk.last(peer(64), &done).await);
    assert!(desk.submit(peer(0), &done).await.known, "whoever was forgotten asks again");
    desk.jobs.cancel(Peer::Local, &spin.id(), CancelReason::Asked).await.expect("cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_peers_ends_leave_room_for_those_of_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path(), 1).await;
    let ending = &desk.jobs.0.ending;
    let held: Vec<_> = (0..64).map(|_| ending.take(peer(1)).expect("its half")).collect();
    assert!(ending.take(peer(1)).is_none(), "no more");
    let job = Desk::job(EMPTY, 0);
    desk.submit(peer(1), &job).await;
    receipt(desk.last(peer(1), &job).await);
    let others = ending.take(peer(2)).expect("the other half");
    drop((held, others));
    let _again = ending.take(peer(1)).expect("all were given back, that of the job too");
}
