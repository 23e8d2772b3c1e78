//! Single blobs of a list, by their place on it.

use std::sync::Arc;

use iroh::endpoint::Connection;
use iroh_blobs::Hash as IndexHash;
use iroh_blobs::protocol::{ChunkRanges, GetRequest};
use samebit_net::collection::pack;
use samebit_spec::Hash;

use crate::support::{Lab, noise, soon};

/// How many bytes come back for a request for one place of a list, counted from the list itself. `None` if it is refused.
async fn ask(connection: &Connection, list: Hash, place: u64) -> Option<usize> {
    let (mut outgoing, mut incoming) = soon(connection.open_bi()).await.expect("a stream");
    // What comes before the place is asked for not at all, and so is what comes after it.
    let ranges: [(u64, &[u64]); 2] = [(place, &[0]), (1, &[])];
    let body = postcard::to_stdvec(&(list.as_bytes(), &ranges[..])).expect("encoded");
    outgoing.write_all(&[&[0][..], &body].concat()).await.expect("sent");
    outgoing.finish().expect("open");
    soon(incoming.read_to_end(1 << 20)).await.ok().map(|bytes| bytes.len())
}

#[tokio::test]
async fn a_request_needs_leave_for_what_it_asks_for_and_ends_with_the_list() {
    let lab = Lab::new();
    let secret = Hash::of(&noise(1, 5000));
    let from = lab.machine_that(1, Arc::new(move |_, hash| Box::pin(async move { hash != secret }))).await;
    let to = lab.machine(2).await;
    let members = [from.add(b"open").await, from.add(&noise(1, 5000)).await];
    let named = [("open".to_owned(), members[0].hash), ("hidden".to_owned(), members[1].hash)];
    let list = pack(&from.store, &named).await.expect("packed").list.hash;
    let connection = to.raw_connection(&from.provider()).await;
    // The size, and the bytes. Its first place is that of the names.
    assert_eq!(ask(&connection, list, 2).await, Some(8 + 4));
    assert_eq!(ask(&connection, list, 3).await, None);
    for beyond in [4, 1 << 40, u64::MAX - 1] {
        assert_eq!(
            ask(&connection, list, beyond).await,
            Some(0),
            "{beyond}: nothing is there, and nobody counts up to it"
        );
    }
    // What is encoded here by hand is what the library sends.
    let built = GetRequest::builder().child(1, ChunkRanges::all()).build(IndexHash::from(*list.as_bytes()));
    let by_hand = postcard::to_stdvec(&(list.as_bytes(), &[(2_u64, &[0_u64][..]), (1, &[])][..])).expect("encoded");
    assert_eq!(postcard::to_stdvec(&built).expect("encoded"), by_hand);
}
