//! Blobs between nodes: several providers, some of which lack, refuse, lie or vanish.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use samebit_net::message::Provider;
use samebit_net::{FetchError, Fetcher, Node, NodeConfig, ProviderFault, Reach, Wish};
use samebit_spec::{BlobRef, Hash};

use crate::support::{Lab, key, noise, soon};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn blobs_of_many_sizes_arrive_as_they_were() {
    let lab = Lab::new();
    let (from, to) = (lab.machine(1).await, lab.machine(2).await);
    let sizes = [0, 1, 1023, 1024, 1025, 16 << 10, (16 << 10) + 1, 100_000, 3 << 20];
    let mut blobs = Vec::new();
    for (seed, size) in sizes.into_iter().enumerate() {
        blobs.push(from.add(&noise(seed as u64, size)).await);
    }
    let wishes: Vec<_> = blobs.iter().copied().map(Wish::from).collect();
    let providers = [from.provider()];
    let fetcher = Fetcher::new(&to.node, &providers, 4 * MIB);
    let fetched = soon(fetcher.fetch_all(&wishes, &|_| ())).await.expect("fetched");
    assert_eq!(fetched.iter().map(|(blob, _)| *blob).collect::<Vec<_>>(), blobs);
    for blob in blobs {
        assert_eq!(to.store.open_blob(&blob.hash).await.expect("opened").size_bytes(), blob.size_bytes);
    }
}

#[tokio::test]
async fn progress_ends_at_the_size() {
    let lab = Lab::new();
    let (from, to) = (lab.machine(1).await, lab.machine(2).await);
    let blob = from.add(&noise(1, 2 << 20)).await;
    let done = AtomicU64::new(0);
    let providers = [from.provider()];
    let fetcher = Fetcher::new(&to.node, &providers, 4 * MIB);
    let note = |progress: samebit_net::FetchProgress| {
        assert_eq!(progress.blob, blob);
        assert!(progress.done_bytes >= done.swap(progress.done_bytes, Ordering::Relaxed), "never backwards");
    };
    let _pin = soon(fetcher.fetch(Wish { hash: blob.hash, size_bytes: None }, &note)).await.expect("fetched");
    assert_eq!(done.load(Ordering::Relaxed), blob.size_bytes);
}

#[tokio::test]
async fn the_next_provider_is_asked_when_one_lacks_refuses_or_is_not_there() {
    let lab = Lab::new();
    let nobody =
        Provider { addresses: vec!["127.0.0.1:9".parse().expect("address")], ..Provider::of_key(key(9).public()) };
    let lacking = lab.machine(1).await;
    let refusing = lab.machine_that(2, Arc::new(|_, _| Box::pin(async { false }))).await;
    let having = lab.machine(3).await;
    let to = lab.machine(4).await;
    let bytes = noise(1, 200_000);
    refusing.add(&bytes).await;
    let blob = having.add(&bytes).await;
    let providers = [lacking.provider(), refusing.provider(), nobody.clone(), having.provider()];
    let _pin = soon(Fetcher::new(&to.node, &providers, MIB).fetch(blob.into(), &|_| ())).await.expect("from the last");

    let other = BlobRef::of(b"nobody has this");
    let providers = [lacking.provider(), refusing.provider(), nobody];
    let error = soon(Fetcher::new(&to.node, &providers, MIB).fetch(other.into(), &|_| ())).await.expect_err("nobody");
    let FetchError::Nobody { faults, .. } = error else { panic!("{error}") };
    let of = |number: u8| faults.iter().find(|(host, _)| *host == key(number).public()).map(|(_, fault)| fault.clone());
    assert_eq!(of(1), Some(ProviderFault::Lacks));
    assert_eq!(of(2), Some(ProviderFault::Refused));
    assert!(matches!(of(9), Some(ProviderFault::Unreachable(_))), "{faults:?}");
}

#[tokio::test]
async fn a_provider_with_rotten_bytes_is_named_and_another_asked() {
    let lab = Lab::new();
    let (rotten, good, to) = (lab.machine(1).await, lab.machine(2).await, lab.machine(3).await);
    let bytes = noise(7, 300_000);
    let blob = rotten.add(&bytes).await;
    good.add(&bytes).await;
    let file = lab.path("store-1").join("files").join(blob.hash.to_string());
    let mut wrong = bytes.clone();
    wrong[150_000] ^= 1;
    std::fs::write(&file, &wrong).expect("rotten");
    let providers = [rotten.provider(), good.provider()];
    let fetcher = Fetcher::new(&to.node, &providers, MIB);
    let _pin = soon(fetcher.fetch(blob.into(), &|_| ())).await.expect("from the good one");
}

#[tokio::test]
async fn sizes_are_checked_before_bytes() {
    let lab = Lab::new();
    let (from, to) = (lab.machine(1).await, lab.machine(2).await);
    let blob = from.add(&noise(1, 100_000)).await;
    let providers = [from.provider()];
    let fetcher = Fetcher::new(&to.node, &providers, 50_000);
    let small = Fetcher::new(&to.node, &providers, MIB);
    let tebibyte = Wish { hash: blob.hash, size_bytes: Some(1 << 40) };
    let error = soon(fetcher.fetch(tebibyte, &|_| ())).await.expect_err("claimed");
    assert!(matches!(error, FetchError::TooLarge { size_bytes, .. } if size_bytes == 1 << 40), "{error}");
    let error = soon(fetcher.fetch(Wish { hash: blob.hash, size_bytes: None }, &|_| ())).await.expect_err("proven");
    assert!(matches!(error, FetchError::TooLarge { size_bytes: 100_000, .. }), "{error}");
    for wrong in [99_999, 100_001] {
        let wish = Wish { hash: blob.hash, size_bytes: Some(wrong) };
        let error = soon(small.fetch(wish, &|_| ())).await.expect_err("another size");
        assert!(matches!(error, FetchError::Size { found_bytes: 100_000, .. }), "{error}");
    }
    assert!(!to.store.contains(&blob.hash).await.expect("asked"));
}

#[tokio::test]
async fn a_small_blob_with_a_wrong_size_is_refused() {
    let lab = Lab::new();
    let (from, to) = (lab.machine(1).await, lab.machine(2).await);
    let blob = from.add(b"ten bytes.").await;
    let providers = [from.provider()];
    let fetcher = Fetcher::new(&to.node, &providers, MIB);
    let error = soon(fetcher.fetch(Wish { hash: blob.hash, size_bytes: Some(9) }, &|_| ())).await.expect_err("refused");
    assert!(matches!(error, FetchError::Size { declared_bytes: 9, found_bytes: 10, .. }), "{error}");
}

#[tokio::test]
async fn nothing_is_received_of_a_large_blob_that_was_declared_small() {
    let lab = Lab::new();
    let (from, to) = (lab.machine(1).await, lab.machine(2).await);
    let blob = from.add(&noise(1, 3 << 20)).await;
    let providers = [from.provider()];
    let fetcher = Fetcher::new(&to.node, &providers, 4 * MIB);
    let received = |progress: samebit_net::FetchProgress| panic!("{} bytes came", progress.done_bytes);
    let wish = Wish { hash: blob.hash, size_bytes: Some(9) };
    let error = soon(fetcher.fetch(wish, &received)).await.expect_err("refused");
    assert!(matches!(error, FetchError::Size { declared_bytes: 9, found_bytes: 3_145_728, .. }), "{error}");
}

#[tokio::test]
async fn what_is_here_is_not_asked_for() {
    let lab = Lab::new();
    let to = lab.machine(1).await;
    let blob = to.add(b"here").await;
    let fetcher = Fetcher::new(&to.node, &[], MIB);
    let _pin = soon(fetcher.fetch(blob.into(), &|_| ())).await.expect("here");
    let error = soon(fetcher.fetch(BlobRef::of(b"elsewhere").into(), &|_| ())).await.expect_err("nobody named");
    assert!(matches!(error, FetchError::NoProviders(_)), "{error}");
}

#[tokio::test]
async fn who_fetched_can_serve() {
    let lab = Lab::new();
    let (first, second, third) = (lab.machine(1).await, lab.machine(2).await, lab.machine(3).await);
    let blob = first.add(&noise(1, 500_000)).await;
    let providers = [first.provider()];
    let _kept = soon(Fetcher::new(&second.node, &providers, MIB).fetch(blob.into(), &|_| ())).await.expect("fetched");
    first.stop().await;
    let providers = [second.provider()];
    let _pin = soon(Fetcher::new(&third.node, &providers, MIB).fetch(blob.into(), &|_| ())).await.expect("fetched on");
}

#[tokio::test]
async fn a_policy_decides_by_peer_and_hash() {
    let lab = Lab::new();
    let public = Hash::of(&noise(1, 5000));
    let friend = key(3).public();
    let from = lab
        .machine_that(1, Arc::new(move |peer, hash| Box::pin(async move { hash == public || peer == friend })))
        .await;
    let (stranger, friend) = (lab.machine(2).await, lab.machine(3).await);
    from.add(&noise(1, 5000)).await;
    let secret = from.add(&noise(2, 5000)).await;
    let providers = [from.provider()];
    let strangers = Fetcher::new(&stranger.node, &providers, MIB);
    let _pin = soon(strangers.fetch(Wish { hash: public, size_bytes: None }, &|_| ())).await.expect("public");
    let error = soon(strangers.fetch(secret.into(), &|_| ())).await.expect_err("secret");
    assert!(matches!(&error, FetchError::Nobody { faults, .. } if faults[0].1 == ProviderFault::Refused), "{error}");
    let _pin = soon(Fetcher::new(&friend.node, &providers, MIB).fetch(secret.into(), &|_| ())).await.expect("a friend");
}

#[tokio::test]
async fn a_collection_is_listed_and_its_members_fetched() {
    use samebit_net::collection::{list, pack};
    let lab = Lab::new();
    let (from, to) = (lab.machine(1).await, lab.machine(2).await);
    let members = [from.add(b"one").await, from.add(&noise(1, 100_000)).await];
    let named = [("a.txt".to_owned(), members[0].hash), ("b/c.bin".to_owned(), members[1].hash)];
    let packed = pack(&from.store, &named).await.expect("packed");
    let providers = [from.provider()];
    let listed = soon(list(&to.node, &providers, packed.list.hash)).await.expect("listed");
    let listed: Vec<_> = listed.iter().map(|member| (member.path.display().to_string(), member.hash)).collect();
    assert_eq!(listed, named);
    let fetcher = Fetcher::new(&to.node, &providers, MIB);
    for (_, hash) in listed {
        let _pin = soon(fetcher.fetch(Wish { hash, size_bytes: None }, &|_| ())).await.expect("fetched");
    }
    soon(list(&to.node, &providers, members[1].hash)).await.expect_err("no collection");
}

#[tokio::test]
async fn a_whole_collection_in_one_request_is_served_if_every_member_may_be() {
    use iroh_blobs::HashAndFormat;
    let lab = Lab::new();
    let secret = Hash::of(&noise(1, 5000));
    let from = lab.machine_that(1, Arc::new(move |_, hash| Box::pin(async move { hash != secret }))).await;
    let to = lab.machine(2).await;
    let (open, hidden) = (from.add(b"open").await, from.add(&noise(1, 5000)).await);
    let all = |members: Vec<(String, Hash)>| {
        let (from, to) = (&from, &to);
        async move {
            let packed = samebit_net::collection::pack(&from.store, &members).await.expect("packed");
            let connection = to.raw_connection(&from.provider()).await;
            let content = HashAndFormat::hash_seq((*packed.list.hash.as_bytes()).into());
            // As `sendme` does: first what it will be, then all of it.
            let sizes = iroh_blobs::get::request::get_hash_seq_and_sizes(&connection, &content.hash, 1 << 20, None);
            if soon(sizes).await.is_err() {
                return false;
            }
            soon(to.store.index().remote().fetch(connection, content).complete()).await.is_ok()
        }
    };
    assert!(all(vec![("open".to_owned(), open.hash)]).await);
    assert!(!all(vec![("open".to_owned(), open.hash), ("hidden".to_owned(), hidden.hash)]).await);
    assert!(!to.store.contains(&hidden.hash).await.expect("asked"));
}

#[tokio::test]
async fn a_provider_that_does_not_answer_keeps_nobody_waiting() {
    let lab = Lab::new();
    let having = lab.machine(1).await;
    let (blob, other) = (having.add(&noise(1, 200_000)).await, having.add(&noise(2, 200_000)).await);
    // It takes what comes, and says nothing.
    let silence = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let gone =
        Provider { addresses: vec![silence.local_addr().expect("address")], ..Provider::of_key(key(9).public()) };
    let store = lab.store(2).await;
    let config = NodeConfig { connect_time: Duration::from_secs(15), ..NodeConfig::new(key(2), Reach::Offline) };
    let node = Node::start(config, &store).await.expect("node");
    let providers = [gone, having.provider()];
    let fetcher = Fetcher::new(&node, &providers, MIB);
    let began = Instant::now();
    let _pins = soon(fetcher.fetch_all(&[blob.into(), other.into()], &|_| ())).await.expect("from the other");
    assert!(began.elapsed() < Duration::from_secs(10), "it was waited for");
}
