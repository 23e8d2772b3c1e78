//! Peers that misbehave. Each is bounded in time, and an honest client is served beside it.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use iroh::endpoint::{Connection, Endpoint, presets};
use iroh::protocol::{AcceptError, ProtocolHandler, Router};
use iroh::{EndpointAddr, RelayMode};
use samebit_net::message::{OnDisconnect, Provider, Request, Response, rule};
use samebit_net::{ALPN, FetchError, Fetcher, ProviderFault, ServerBounds, Wish, frame};
use samebit_spec::{BlobRef, HostKey, JobSpec};

use crate::support::{Lab, Machine, job, key, noise, soon, submit};

/// An endpoint that keeps to no protocol.
async fn rogue() -> Endpoint {
    Endpoint::builder(presets::Minimal)
        .relay_mode(RelayMode::Disabled)
        .clear_ip_transports()
        .bind_addr((Ipv4Addr::LOCALHOST, 0))
        .expect("loopback")
        .bind()
        .await
        .expect("bound")
}

fn address(machine: &Machine) -> EndpointAddr {
    let provider = machine.provider();
    let id = iroh::EndpointId::from_bytes(provider.host.as_bytes()).expect("key");
    provider.addresses.iter().fold(EndpointAddr::new(id), |address, ip| address.with_ip_addr(*ip))
}

/// Sends bytes on a stream of their own, and says which rule they were refused by. `None` if the stream was just ended.
async fn send(connection: &Connection, bytes: &[u8], end: bool) -> Option<String> {
    let (mut outgoing, mut incoming) = soon(connection.open_bi()).await.expect("a stream");
    let _ = outgoing.write_all(bytes).await;
    if end {
        let _ = outgoing.finish();
    }
    match soon(frame::read(&mut incoming, 1 << 20)).await {
        Ok(Some(body)) => match Response::decode(&body).expect("a response") {
            Response::Refused(refusal) => Some(refusal.rule.to_string()),
            other => panic!("answered: {other:?}"),
        },
        Ok(None) | Err(_) => None,
    }
}

async fn assert_serves(host: &Machine, honest: &Machine) {
    let client = soon(honest.node.connect(&host.provider())).await.expect("connected");
    soon(client.info()).await.expect("an honest client is served");
}

fn framed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short");
    [&length.to_be_bytes(), body].concat()
}

#[tokio::test]
async fn what_is_no_request_is_refused_by_its_rule() {
    let lab = Lab::new();
    let (host, honest) = (lab.machine(1).await, lab.machine(2).await);
    let rogue = rogue().await;
    let connection = soon(rogue.connect(address(&host), ALPN)).await.expect("connected");
    let info = Request::Info.encode();
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("announced too long", vec![0xff; 4], rule::TOO_LONG),
        ("long, and no submission", framed(&[&info[..], &[0; 70_000]].concat()), rule::MALFORMED),
        ("another version", framed(&[&[1], &info[1..]].concat()), rule::VERSION),
        ("left-over bytes", framed(&[&info[..], &[0]].concat()), rule::MALFORMED),
        ("an unknown request", framed(&[0, 99]), rule::MALFORMED),
        ("nothing", framed(&[]), rule::MALFORMED),
    ];
    for (what, bytes, wanted) in cases {
        assert_eq!(send(&connection, &bytes, false).await.as_deref(), Some(wanted), "{what}");
    }
    for cut in [&[0, 0, 0][..], &[0, 0, 0, 9, 0]] {
        assert_eq!(send(&connection, cut, true).await, None, "cut short");
    }
    assert_serves(&host, &honest).await;
}

#[tokio::test]
async fn random_bytes_do_no_harm() {
    let lab = Lab::new();
    let (host, honest) = (lab.machine(1).await, lab.machine(2).await);
    let rogue = rogue().await;
    let connection = soon(rogue.connect(address(&host), ALPN)).await.expect("connected");
    for seed in 0..200 {
        let mut bytes = noise(seed, 8 + (seed as usize * 37) % 3000);
        if seed % 2 == 0 {
            bytes = framed(&bytes);
        }
        if seed % 4 == 0 {
            // As far as the request's own fields.
            bytes[4..6].copy_from_slice(&[0, (seed % 7) as u8]);
        }
        send(&connection, &bytes, true).await;
    }
    assert_serves(&host, &honest).await;
}

#[tokio::test]
async fn a_request_that_dribbles_in_is_cut_off() {
    let bounds = ServerBounds { request_time: Duration::from_millis(300), ..ServerBounds::default() };
    let lab = Lab::with_bounds(bounds);
    let (host, honest) = (lab.machine(1).await, lab.machine(2).await);
    let rogue = rogue().await;
    let connection = soon(rogue.connect(address(&host), ALPN)).await.expect("connected");
    let started = Instant::now();
    let slow = (0..32).map(|_| send(&connection, &[0, 0, 1, 0, 7], false));
    let refused = futures_util::future::join_all(slow);
    let (refused, ()) = tokio::join!(refused, assert_serves(&host, &honest));
    assert!(refused.iter().all(|refused| refused.as_deref() == Some(rule::TOO_SLOW)), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn connections_over_the_share_are_turned_away() {
    let lab = Lab::new();
    let (host, honest) = (lab.machine(1).await, lab.machine(2).await);
    host.script.bounds.lock().expect("bounds").connections = 4;
    let rogue = rogue().await;
    let mut inside = Vec::new();
    let mut turned_away = 0;
    for _ in 0..20 {
        let connection = soon(rogue.connect(address(&host), ALPN)).await.expect("a handshake");
        match tokio::time::timeout(Duration::from_millis(100), connection.closed()).await {
            Ok(_) => turned_away += 1,
            Err(_) => inside.push(connection),
        }
    }
    assert_eq!((inside.len(), turned_away), (4, 16));
    assert_serves(&host, &honest).await;
}

#[tokio::test]
async fn a_job_with_a_name_that_is_a_path_is_refused() {
    let lab = Lab::new();
    let host = lab.machine(1).await;
    let rogue = rogue().await;
    let connection = soon(rogue.connect(address(&host), ALPN)).await.expect("connected");
    let spec = JobSpec { inputs: [("abcd".parse().expect("name"), BlobRef::of(b"x"))].into(), ..job("a") };
    let mut wanted = submit("a", OnDisconnect::Detach);
    wanted.job = spec.clone();
    let mut body = Request::Submit(Box::new(wanted)).encode();
    let place = body.windows(4).position(|window| window == b"abcd").expect("the name");
    body[place..place + 4].copy_from_slice(b"../a");
    assert_eq!(send(&connection, &framed(&body), false).await.as_deref(), Some(rule::MALFORMED));
    assert!(!host.script.is_known(spec.id()));
}

#[tokio::test]
async fn a_replayed_submission_is_the_same_job() {
    let lab = Lab::new();
    let host = lab.machine(1).await;
    let rogue = rogue().await;
    let connection = soon(rogue.connect(address(&host), ALPN)).await.expect("connected");
    let body = framed(&Request::Submit(Box::new(submit("a", OnDisconnect::Detach))).encode());
    let mut known = Vec::new();
    for _ in 0..3 {
        let (mut outgoing, mut incoming) = connection.open_bi().await.expect("a stream");
        outgoing.write_all(&body).await.expect("sent");
        let answer = soon(frame::read(&mut incoming, 1 << 20)).await.expect("answered").expect("a response");
        let Response::Accepted(accepted) = Response::decode(&answer).expect("decoded") else { panic!("refused") };
        known.push(accepted.known);
    }
    assert_eq!(known, [false, true, true]);
}

#[tokio::test]
async fn only_plain_reads_of_blobs_are_answered() {
    use iroh_blobs::protocol::{GetManyRequest, ObserveRequest, PushRequest, RequestType};
    let lab = Lab::new();
    let (host, honest) = (lab.machine(1).await, lab.machine(2).await);
    let blob = host.add(&noise(1, 5000)).await;
    let hash = iroh_blobs::Hash::from(*blob.hash.as_bytes());
    let rogue = rogue().await;
    let connection = soon(rogue.connect(address(&host), iroh_blobs::ALPN)).await.expect("connected");
    let all = iroh_blobs::protocol::ChunkRangesSeq::root();
    let body = |kind: RequestType, request: Vec<u8>| [postcard::to_allocvec(&kind).expect("kind"), request].concat();
    let requests = [
        body(RequestType::Observe, postcard::to_allocvec(&ObserveRequest::new(hash)).expect("request")),
        body(RequestType::Push, postcard::to_allocvec(&PushRequest::new(hash, all.clone())).expect("request")),
        body(RequestType::GetMany, postcard::to_allocvec(&GetManyRequest::new(vec![hash], all)).expect("request")),
        noise(1, 500),
        vec![],
    ];
    for request in requests {
        let (mut outgoing, mut incoming) = connection.open_bi().await.expect("a stream");
        outgoing.write_all(&request).await.expect("sent");
        outgoing.finish().expect("finished");
        let answer = soon(incoming.read_to_end(1 << 20)).await;
        assert!(answer.as_ref().map_or(true, Vec::is_empty), "answered {answer:?}");
    }
    let providers = [host.provider()];
    let _pin =
        soon(Fetcher::new(&honest.node, &providers, 1 << 20).fetch(blob.into(), &|_| ())).await.expect("a plain read");
}

/// A provider that answers every request with the same bytes.
#[derive(Debug)]
struct Liar(Vec<u8>);

impl ProtocolHandler for Liar {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        while let Ok((mut outgoing, mut incoming)) = connection.accept_bi().await {
            let _ = incoming.read_to_end(1 << 20).await;
            let _ = outgoing.write_all(&self.0).await;
            let _ = outgoing.finish();
        }
        Ok(())
    }
}

async fn liar(answer: Vec<u8>) -> (Router, Provider) {
    let endpoint = rogue().await;
    let provider = Provider {
        host: HostKey::from_bytes(*endpoint.id().as_bytes()),
        addresses: endpoint.bound_sockets(),
        relay: None,
    };
    (Router::builder(endpoint).accept(iroh_blobs::ALPN, Liar(answer)).spawn(), provider)
}

#[tokio::test]
async fn a_provider_that_lies_is_dropped_and_named() {
    let lab = Lab::new();
    let (good, to) = (lab.machine(1).await, lab.machine(2).await);
    let blobs = [good.add(&noise(1, 300_000)).await, good.add(&noise(2, 300_000)).await];
    let (router, lying) = liar([&300_000_u64.to_le_bytes()[..], &noise(3, 400_000)].concat()).await;
    let providers = [lying.clone(), good.provider()];
    let fetcher = Fetcher::new(&to.node, &providers, 1 << 20);
    for blob in blobs {
        let _pin = soon(fetcher.fetch(blob.into(), &|_| ())).await.expect("from the good one");
    }
    assert_eq!(fetcher.liars(), [lying.host]);
    soon(router.shutdown()).await.expect("stopped");
}

#[tokio::test]
async fn a_terabyte_that_is_only_claimed_is_not_believed() {
    let lab = Lab::new();
    let to = lab.machine(1).await;
    let blob = BlobRef::of(&noise(1, 5000));
    let (_router, lying) = liar([&(1_u64 << 40).to_le_bytes()[..], &noise(3, 4000)].concat()).await;
    for size_bytes in [None, Some(5000), Some(1 << 20)] {
        let fetcher = Fetcher::new(&to.node, std::slice::from_ref(&lying), 1 << 42);
        let wish = Wish { hash: blob.hash, size_bytes };
        let error = soon(fetcher.fetch(wish, &|_| ())).await.expect_err("nothing was proven");
        let FetchError::Nobody { faults, .. } = &error else { panic!("{error}") };
        assert!(matches!(faults[..], [(_, ProviderFault::Lied(_))]), "{size_bytes:?}: {error}");
    }
}

#[tokio::test]
async fn strangers_are_no_reason_to_serve_friends_later() {
    let lab = Lab::new();
    let (host, honest) = (lab.machine(1).await, lab.machine(2).await);
    host.script.denied.lock().expect("denied").push(key(9).public());
    let rogue = rogue().await;
    let flood = async {
        for _ in 0..50 {
            if let Ok(connection) = rogue.connect(address(&host), ALPN).await {
                connection.close(7_u32.into(), b"bye");
            }
        }
    };
    let friends = async {
        for _ in 0..5 {
            assert_serves(&host, &honest).await;
        }
    };
    soon(async { tokio::join!(flood, friends) }).await;
}

#[tokio::test]
async fn one_peer_does_not_take_all_connections_for_blobs() {
    const SHARE: usize = 64;
    let lab = Lab::new();
    let (host, honest) = (lab.machine(1).await, lab.machine(2).await);
    let blob = host.add(&noise(1, 100_000)).await;
    let rogue = rogue().await;
    let (mut held, mut closed) = (Vec::new(), 0);
    for _ in 0..SHARE + 8 {
        let connection = soon(rogue.connect(address(&host), iroh_blobs::ALPN)).await.expect("connected");
        held.push(connection);
    }
    for connection in &held[SHARE..] {
        soon(connection.closed()).await;
        closed += 1;
    }
    assert!(closed == 8 && held[..SHARE].iter().all(|connection| connection.close_reason().is_none()));
    let providers = [host.provider()];
    let fetcher = Fetcher::new(&honest.node, &providers, 1 << 20);
    drop(soon(fetcher.fetch(Wish::from(blob), &|_| ())).await.expect("others are served"));
    held.clear();
    rogue.close().await;
}
