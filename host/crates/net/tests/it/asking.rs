//! Two nodes, one asks the other.

use std::time::{Duration, Instant};

use samebit_net::message::{EventKind, LocalRequest, OnDisconnect, Provider, Text, rule};
use samebit_net::{CancelReason, ClientError, Ending};
use samebit_spec::{BlobRef, Receipt};

use crate::script::receipt;
use crate::support::{Lab, job, key, soon, submit};

fn refused_by(error: &ClientError) -> &str {
    match error {
        ClientError::Refused(refusal) => refusal.rule.as_str(),
        other => panic!("not refused: {other}"),
    }
}

#[tokio::test]
async fn a_job_is_submitted_followed_and_ends_with_a_receipt() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    let client = soon(author.node.connect(&host.provider())).await.expect("connected");
    assert_eq!(soon(client.info()).await.expect("info").host, key(1).public());
    let (accepted, mut story) = soon(client.submit(submit("a", OnDisconnect::Detach))).await.expect("accepted");
    assert_eq!((accepted.job, accepted.known), (job("a").id(), false));
    assert_eq!(soon(story.next()).await.expect("event").map(|event| event.seq), Some(0));
    host.script.happen(accepted.job, EventKind::Progress { done: 1, total: 2 });
    host.script.finish(accepted.job);
    let mut seen = Vec::new();
    let ending = soon(story.finish(|event| seen.push(event.kind))).await.expect("ended");
    assert_eq!(seen, [EventKind::Running, EventKind::Progress { done: 1, total: 2 }]);
    assert_eq!(ending, Ending::Done(Box::new(host.script.receipt(accepted.job))));
    assert_eq!(soon(story.next()).await.expect("after the end"), None);
    host.stop().await;
}

#[tokio::test]
async fn a_ticket_is_all_that_is_needed() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    let ticket = host.provider().ticket().expect("ticket");
    let client = soon(author.node.connect(&Provider::parse(&ticket).expect("parsed"))).await.expect("connected");
    soon(client.info()).await.expect("info");
}

#[tokio::test]
async fn the_same_job_twice_is_one_job() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    let client = soon(author.node.connect(&host.provider())).await.expect("connected");
    let (_, first) = soon(client.submit(submit("a", OnDisconnect::Detach))).await.expect("first");
    let (again, _second) = soon(client.submit(submit("a", OnDisconnect::Detach))).await.expect("second");
    assert!(again.known);
    assert_eq!(soon(client.status(None)).await.expect("status").len(), 1);
    drop(first);
}

#[tokio::test]
async fn a_story_resumes_where_it_was_left() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    let client = soon(author.node.connect(&host.provider())).await.expect("connected");
    let (accepted, mut story) = soon(client.submit(submit("a", OnDisconnect::Detach))).await.expect("accepted");
    soon(story.next()).await.expect("event");
    let from = story.next_seq();
    drop((story, client));
    let client = soon(author.node.connect(&host.provider())).await.expect("connected again");
    let mut story = soon(client.events(accepted.job, from)).await.expect("resumed");
    let event = soon(story.next()).await.expect("event").expect("not the end");
    assert_eq!((event.seq, event.kind), (1, EventKind::Running));
    assert_eq!(host.script.cancelled(accepted.job), None, "detached jobs go on");
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_if_it_said_so() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    let client = soon(author.node.connect(&host.provider())).await.expect("connected");
    let (accepted, story) = soon(client.submit(submit("a", OnDisconnect::Cancel))).await.expect("accepted");
    let left = Instant::now();
    drop(story);
    while host.script.cancelled(accepted.job) != Some(CancelReason::Disconnected) {
        assert!(left.elapsed() < Duration::from_secs(5), "not cancelled");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn cancelling_ends_the_story() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    let client = soon(author.node.connect(&host.provider())).await.expect("connected");
    let (accepted, mut story) = soon(client.submit(submit("a", OnDisconnect::Detach))).await.expect("accepted");
    soon(client.cancel(accepted.job)).await.expect("cancelled");
    assert_eq!(soon(story.finish(|_| ())).await.expect("ended"), Ending::Cancelled);
    let error = soon(client.cancel(job("b").id())).await.expect_err("unknown");
    assert_eq!(refused_by(&error), rule::UNKNOWN_JOB);
}

#[tokio::test]
async fn receipts_come_in_pages() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    let client = soon(author.node.connect(&host.provider())).await.expect("connected");
    let page = soon(client.receipts(7, 2)).await.expect("page");
    assert_eq!(page.iter().map(|item| item.entry[0]).collect::<Vec<_>>(), [7, 8]);
    assert_eq!(soon(client.receipts(7, 100)).await.expect("page").len(), 3);
}

#[tokio::test]
async fn who_is_denied_learns_the_rule() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    host.script.denied.lock().expect("denied").push(key(2).public());
    let error = match soon(author.node.connect(&host.provider())).await {
        Ok(client) => soon(client.info()).await.expect_err("refused"),
        Err(error) => error,
    };
    assert_eq!(refused_by(&error), "submitter.deny");
}

#[tokio::test]
async fn too_many_requests_are_refused_by_rate() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    {
        let mut bounds = host.script.bounds.lock().expect("bounds");
        (bounds.requests_per_second, bounds.requests_burst) = (1, 3);
    }
    let client = soon(author.node.connect(&host.provider())).await.expect("connected");
    for _ in 0..3 {
        soon(client.info()).await.expect("within the burst");
    }
    let error = soon(client.info()).await.expect_err("over it");
    assert_eq!(refused_by(&error), rule::RATE);
    assert!(error.is_transient());
}

#[tokio::test]
async fn local_requests_are_refused_from_elsewhere() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    let client = soon(author.node.connect(&host.provider())).await.expect("connected");
    let publish = LocalRequest::Publish { path: "/etc/passwd".to_owned() };
    let error = soon(client.local(publish, |_| ())).await.expect_err("refused");
    assert_eq!(refused_by(&error), rule::LOCAL_ONLY);
}

#[tokio::test]
async fn a_host_that_stops_says_so_and_keeps_the_job() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    let client = soon(author.node.connect(&host.provider())).await.expect("connected");
    let (accepted, mut story) = soon(client.submit(submit("a", OnDisconnect::Cancel))).await.expect("accepted");
    host.server.stop();
    let error = soon(story.finish(|_| ())).await.expect_err("stopped");
    assert_eq!(refused_by(&error), rule::STOPPING);
    assert_eq!(host.script.cancelled(accepted.job), None);
}

#[tokio::test]
async fn a_receipt_of_another_host_or_job_or_over_its_limits_is_not_passed_on() {
    let lab = Lab::new();
    let (host, author) = (lab.machine(1).await, lab.machine(2).await);
    let client = soon(author.node.connect(&host.provider())).await.expect("connected");
    let mut vast = receipt(job("c"), &key(1));
    vast.outcome.outputs.insert("all".parse().expect("a name"), BlobRef { size_bytes: 1 << 40, ..BlobRef::of(b"") });
    let vast = Receipt::sign(vast.job, vast.outcome, vast.measured, &key(1));
    for (name, wrong) in [("a", receipt(job("a"), &key(3))), ("b", receipt(job("other"), &key(1))), ("c", vast)] {
        let (accepted, mut story) = soon(client.submit(submit(name, OnDisconnect::Detach))).await.expect("accepted");
        host.script.happen(accepted.job, EventKind::Done { receipt: wrong.encode() });
        let error = soon(story.finish(|_| ())).await.expect_err("not its own");
        assert!(matches!(error, ClientError::Broken(_)), "{error}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unreachable_soon() {
    let lab = Lab::new();
    let author = lab.machine(2).await;
    let gone = Provider {
        host: key(9).public(),
        addresses: vec!["127.0.0.1:9".parse().expect("address")],
        relay: Some(Text::fit("not a url")),
    };
    for host in [gone.clone(), Provider { relay: None, ..gone }, Provider::of_key(key(9).public())] {
        let error = soon(author.node.connect(&host)).await.expect_err("nobody there");
        assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    }
}
