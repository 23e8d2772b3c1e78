//! The same protocol over the local socket.
#![cfg(unix)]

use samebit_net::local::{LocalListener, client};
use samebit_net::message::{LocalRequest, LocalResponse, OnDisconnect, rule};
use samebit_net::{ClientError, Ending};
use samebit_spec::BlobRef;

use crate::support::{Lab, soon, submit};

#[tokio::test]
async fn a_program_on_this_machine_may_ask_more() {
    let lab = Lab::new();
    let host = lab.machine(1).await;
    let path = lab.path("socket");
    let listener = LocalListener::bind(&path).expect("bound");
    let serving = tokio::spawn({
        let server = host.server.clone();
        async move { listener.serve(server).await }
    });
    let client = client(&path);
    let mut answers = Vec::new();
    let publish = LocalRequest::Publish { path: "/a".to_owned() };
    soon(client.local(publish, |answer| answers.push(answer))).await.expect("published");
    assert!(matches!(answers[..], [LocalResponse::Published { blob, .. }] if blob == BlobRef::of(b"/a")));
    let (accepted, mut story) = soon(client.submit(submit("a", OnDisconnect::Cancel))).await.expect("accepted");
    host.script.finish(accepted.job);
    assert!(matches!(soon(story.finish(|_| ())).await, Ok(Ending::Done(_))));
    host.server.stop();
    soon(serving).await.expect("stopped");
    assert!(!path.exists(), "the socket is removed");
    assert!(matches!(soon(client.info()).await, Err(ClientError::Unreachable { .. })));
}

#[tokio::test]
async fn a_dead_daemons_socket_is_replaced_and_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let lab = Lab::new();
    let path = lab.path("socket");
    std::mem::forget(LocalListener::bind(&path).expect("bound"));
    let _listener = LocalListener::bind(&path).expect("bound again");
    let mode = std::fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_local_program_is_bounded_too() {
    let lab = Lab::new();
    let host = lab.machine(1).await;
    host.script.bounds.lock().expect("bounds").requests_burst = 1;
    host.script.bounds.lock().expect("bounds").requests_per_second = 0;
    let path = lab.path("socket");
    let listener = LocalListener::bind(&path).expect("bound");
    let server = host.server.clone();
    tokio::spawn(async move { listener.serve(server).await });
    let client = client(&path);
    soon(client.info()).await.expect("the first");
    let error = soon(client.info()).await.expect_err("the second");
    assert!(matches!(error, ClientError::Refused(refusal) if refusal.rule.as_str() == rule::RATE));
}
