//! What is written is found, in order, after any end of the process.

use std::collections::BTreeMap;

use samebit_net::message::{EventKind, OnDisconnect};
use samebit_runner::spec::{BlobRef, ChainHead, HostKey, JobSpec, Limits, Profile, ReceiptId, SecretKey};

use super::*;

fn record(number: u64) -> JobRecord {
    let job = JobSpec {
        module: BlobRef::of(b"module"),
        args: vec![number.to_string()],
        inputs: BTreeMap::new(),
        limits: Limits::default(),
        profile: Profile::Exact,
        tolerances: BTreeMap::new(),
    };
    JobRecord {
        owner: None,
        job,
        submitters: vec![Submitter { key: None, on_disconnect: OnDisconnect::Detach }],
        providers: Vec::new(),
        accepted_unix_ms: 1_000 + number,
        order: number,
        fetched: false,
        starts: 0,
        first_seq: 0,
        last_seq: 0,
        end: None,
    }
}

fn receipt_id() -> ReceiptId {
    postcard::from_bytes(&[7; 32]).expect("32 bytes are an id")
}

#[tokio::test]
async fn open_jobs_and_the_chain_are_found_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.redb");
    let key = SecretKey::from_bytes(&[7; 32]);
    let mut head = ChainHead::new(key.public());
    {
        let (state, found) = State::open(&path).expect("made");
        assert_eq!((found.open.len(), found.order_next, found.head), (0, 0, None));
        for number in [2, 0, 1, 3] {
            state.put(&record(number)).await.expect("written");
        }
        let entry = head.sign(receipt_id(), BlobRef::of(b"receipt"), &key);
        head.advance(&entry).expect("it is next");
        let done = JobRecord { end: Some(End::Done { sequence: 0 }), ..record(1) };
        let link = Link { job: done.id(), entry, receipt: b"receipt".to_vec() };
        let story = [JobEvent { seq: 4, kind: EventKind::Running }];
        state.end(&done, &story, Some(&link)).await.expect("written");
        let cancelled = JobRecord { end: Some(End::Cancelled), ..record(3) };
        state.end(&cancelled, &[], None).await.expect("written");
    }
    let (state, found) = State::open(&path).expect("opened");
    assert_eq!(found.open, [record(0), record(2)], "in their order");
    assert_eq!(found.order_next, 4);
    assert_eq!(found.head.map(|entry| ChainHead::after(&entry)), Some(head));
    let link = state.links(0, 10).expect("read").remove(0);
    assert_eq!((link.job, link.receipt.as_slice()), (record(1).id(), b"receipt".as_slice()));
    assert_eq!(state.links(1, 10).expect("read"), []);
    assert_eq!(state.story(&record(1).id()).expect("read")[0].seq, 4);
    assert_eq!(state.job(&record(3).id()).expect("read").and_then(|job| job.end), Some(End::Cancelled));
    assert_eq!(state.job(&record(9).id()).expect("read"), None);
    let latest = state.latest(Peer::Local, 2).expect("read");
    assert_eq!(latest.iter().map(|job| job.order).collect::<Vec<_>>(), [3, 2]);
}

#[tokio::test]
async fn a_peer_is_told_of_its_own_jobs_alone_and_of_each_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (state, _) = State::open(&folder.path().join("state.redb")).expect("made");
    let key = |byte| Some(HostKey::from_bytes([byte; 32]));
    let of = |bytes: &[u8]| -> Vec<_> {
        bytes.iter().map(|byte| Submitter { key: key(*byte), on_disconnect: OnDisconnect::Detach }).collect()
    };
    let listed = |byte| {
        let latest = state.latest(Peer::Remote(HostKey::from_bytes([byte; 32])), 2).expect("read");
        latest.iter().map(|job| job.order).collect::<Vec<_>>()
    };
    for (number, submitters) in [(0, &[1_u8][..]), (1, &[2]), (2, &[1, 2]), (3, &[1]), (4, &[3])] {
        state.put(&JobRecord { submitters: of(submitters), ..record(number) }).await.expect("written");
    }
    assert_eq!((listed(1), listed(2), listed(3), listed(4)), (vec![3, 2], vec![2, 1], vec![4], vec![]));
    // One leaves, one begins anew and so comes last, and one joins.
    state.put(&JobRecord { submitters: of(&[2]), ..record(2) }).await.expect("written");
    state.put(&JobRecord { submitters: of(&[1]), order: 5, ..record(0) }).await.expect("written");
    state.add_submitter(&record(4).id(), of(&[2])[0]).await.expect("written");
    assert_eq!((listed(1), listed(2), listed(3)), (vec![5, 3], vec![4, 2], vec![4]));
    assert_eq!(state.latest(Peer::Local, 9).expect("read").len(), 5);
}

#[tokio::test]
async fn many_writers_share_commits_and_all_are_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let (state, _) = State::open(&folder.path().join("state.redb")).expect("made");
    let writes: Vec<_> = (0..200)
        .map(|number| {
            let state = state.clone();
            tokio::spawn(async move { state.put(&record(number)).await })
        })
        .collect();
    for write in writes {
        write.await.expect("no panic").expect("written");
    }
    assert_eq!(state.latest(Peer::Local, 1_000).expect("read").len(), 200);
}

#[test]
fn a_file_that_is_no_state_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.redb");
    std::fs::write(&path, vec![1; 100_000]).expect("written");
    assert!(matches!(State::open(&path), Err(StateError::Open { .. })));
}
