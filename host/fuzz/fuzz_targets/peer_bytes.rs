//! Every decoder that sees a peer's bytes, each on every input: what one accepts it writes the same way.
//!
//! `cargo xtask fuzz-seeds` writes what the inputs begin with, so that bent messages get past the first fields.
#![no_main]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use samebit_net::collection::{listed, members};
use samebit_net::message::{JobEvent, Provider, Request, Response};
use samebit_net::{Announcement, BlobAddress, frame};
use samebit_spec::{ChainEntry, Hash, JobSpec, Outcome, Publication, RECEIPT_MAGIC, Receipt};

/// Where the number of names is in a collection's blob of names: behind its header.
const NAMES_COUNT_AT: usize = 13;
/// The longest frame that is read.
const FRAME_BYTES_MAX: usize = 32 << 10;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    messages(bytes);
    signed(bytes);
    collections(bytes);
    frames(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        tickets(text);
    }
});

fn messages(bytes: &[u8]) {
    let requests = Request::decode(bytes).map(|request| request.encode());
    let responses = Response::decode(bytes).map(|response| response.encode());
    let events = JobEvent::decode(bytes).map(|event| event.encode());
    for written in [requests, responses, events].into_iter().flatten() {
        assert_eq!(written, bytes);
    }
}

fn signed(bytes: &[u8]) {
    let written = [
        Announcement::decode(bytes).ok().map(|announcement| announcement.encode()),
        ChainEntry::decode(bytes).ok().map(|entry| entry.encode()),
        Publication::decode(bytes).ok().map(|publication| publication.encode()),
        JobSpec::decode(bytes).ok().map(|job| job.encode()),
        Outcome::decode(bytes).ok().map(|outcome| outcome.encode()),
        Receipt::decode(bytes).ok().map(|receipt| receipt.encode()),
    ];
    for written in written.into_iter().flatten() {
        assert_eq!(written, bytes);
    }
    // Half of the inputs would else be receipts but for their marker.
    if let Ok(receipt) = Receipt::decode(&[RECEIPT_MAGIC, bytes].concat()) {
        assert_eq!(&receipt.encode()[RECEIPT_MAGIC.len()..], bytes);
    }
}

fn collections(bytes: &[u8]) {
    let _ = listed(bytes.to_vec().into());
    let count = usize::from(bytes.get(NAMES_COUNT_AT).copied().unwrap_or(0));
    for member in members(bytes, vec![Hash::of(b""); count]).unwrap_or_default() {
        assert!(member.path.is_relative() && !member.path.components().any(|part| part.as_os_str() == ".."));
    }
}

fn frames(mut stream: &[u8]) {
    while let Poll::Ready(Ok(Some(body))) =
        pin!(frame::read(&mut stream, FRAME_BYTES_MAX)).poll(&mut Context::from_waker(Waker::noop()))
    {
        assert!(body.len() <= FRAME_BYTES_MAX);
        messages(&body);
    }
}

fn tickets(text: &str) {
    if let Ok(provider) = Provider::parse(text) {
        if let Ok(ticket) = provider.ticket() {
            assert_eq!(Provider::parse(&ticket), Ok(provider));
        }
    }
    let Ok(BlobAddress { hash, is_collection, provider }) = BlobAddress::parse(text) else { return };
    if let Some(provider) = provider {
        let address = BlobAddress { hash, is_collection, provider: Some(provider.clone()) };
        if let Ok(ticket) = address.ticket(&provider) {
            assert_eq!(BlobAddress::parse(&ticket), Ok(address));
        }
    }
}
