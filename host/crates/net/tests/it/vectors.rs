//! The vectors of `docs/protocol/vectors`: made here, and checked here.
//!
//! `UPDATE_VECTORS=1 cargo test -p samebit-net` writes them anew. A change to an existing vector is a change of the
//! protocol, and needs a new version of it.

use std::fs;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use samebit_net::message::{
    Accepted, ChainItem, DeviceOffer, EventKind, FetchWish, HostInfo, JobEvent, JobState, JobStatus, Load,
    LocalRequest, LogLevel, OnDisconnect, Provider, Refusal, Request, Response, Submit, Text, rule,
};
use samebit_net::{Announcement, AnnouncementError, Notice};
use samebit_spec::{BlobRef, DecodeError, Hash, Limits, Publication};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{job, key};

/// One vector. What is expected comes first.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    /// `ok`, or the class of the error.
    expect: String,
    name: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    bytes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

fn class(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::TooLong(_) => "too-long",
        DecodeError::UnknownVersion => "unknown-version",
        DecodeError::Malformed => "malformed",
        DecodeError::Trailing(_) => "trailing",
        DecodeError::NotCanonical => "not-canonical",
        DecodeError::Invalid(_) => "invalid",
        _ => "unknown",
    }
}

/// Reads a message of a kind: its value, or the class of the error. What was read is written again, too.
fn read(kind: &str, bytes: &[u8]) -> Result<Value, &'static str> {
    let value = match kind {
        "request" => {
            let request = Request::decode(bytes).map_err(|error| class(&error))?;
            assert_eq!(request.encode(), bytes);
            json!(request)
        }
        "response" => {
            let response = Response::decode(bytes).map_err(|error| class(&error))?;
            assert_eq!(response.encode(), bytes);
            json!(response)
        }
        "announcement" => {
            let announcement = Announcement::decode(bytes).map_err(|error| match error {
                AnnouncementError::Decode(error) => class(&error),
                AnnouncementError::BadSignature(_) => "bad-signature",
                _ => "invalid",
            })?;
            assert_eq!(announcement.encode(), bytes);
            json!(announcement)
        }
        other => panic!("no such kind: {other}"),
    };
    Ok(value)
}

fn good(kind: &str, name: &str, bytes: &[u8]) -> Vector {
    let value = read(kind, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    Vector {
        expect: "ok".to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        why: None,
        bytes: HEXLOWER.encode(bytes),
        value: Some(value),
    }
}

fn bad(kind: &str, name: &str, expect: &str, why: &str, bytes: &[u8]) -> Vector {
    Vector {
        expect: expect.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        why: Some(why.to_owned()),
        bytes: HEXLOWER.encode(bytes),
        value: None,
    }
}

fn provider() -> Provider {
    Provider {
        host: key(1).public(),
        addresses: vec!["192.0.2.7:4433".parse().expect("v4"), "[2001:db8::7]:4433".parse().expect("v6")],
        relay: Some(Text::fit("https://relay.example/")),
    }
}

fn submit() -> Submit {
    Submit {
        job: job("vector"),
        publication: Some(Publication::sign(BlobRef::of(b"a module"), &key(2))),
        providers: vec![provider()],
        on_disconnect: OnDisconnect::Cancel,
    }
}

fn info() -> HostInfo {
    HostInfo {
        host: key(1).public(),
        program: Text::fit("samebit 0.1.0"),
        devices: vec![DeviceOffer {
            name: Text::fit("reference"),
            driver: Text::fit(""),
            backend: Text::fit("cpu"),
            exact: true,
            native: true,
        }],
        caps: Limits::default(),
        load: Load { running: 1, slots: 2, queued: 3, queue_max: 4 },
        price: Some(Text::fit("a smile an hour")),
        labels: vec![Text::fit("region=eu")],
        receipts: 300,
    }
}

fn requests() -> Vec<Vector> {
    let id = job("vector").id();
    let wish =
        FetchWish { hash: Hash::of(b"x"), size_bytes: Some(1), providers: Vec::new(), out: Some("/x".to_owned()) };
    let requests = [
        ("info", Request::Info),
        ("submit", Request::Submit(Box::new(submit()))),
        ("events", Request::Events { job: id, from_seq: 128 }),
        ("cancel", Request::Cancel { job: id }),
        ("status-of-one", Request::Status { job: Some(id) }),
        ("status-of-all", Request::Status { job: None }),
        ("receipts", Request::Receipts { from_seq: 7, count_max: 100 }),
        ("local-publish", Request::Local(LocalRequest::Publish { path: "/x".to_owned() })),
        ("local-fetch", Request::Local(LocalRequest::Fetch(wish))),
        ("local-peers", Request::Local(LocalRequest::Peers)),
        ("local-room", Request::Local(LocalRequest::Room)),
    ];
    requests.iter().map(|(name, request)| good("request", name, &request.encode())).collect()
}

fn responses() -> Vec<Vector> {
    let id = job("vector").id();
    let event = |seq, kind| Response::Event(JobEvent { seq, kind });
    let state = JobState::Queued { position: 2 };
    let status = JobStatus { job: id, state, accepted_unix_ms: 1_700_000_000_000, last_seq: 3, receipt: None };
    let responses = [
        ("info", Response::Info(Box::new(info()))),
        ("accepted", Response::Accepted(Accepted { job: id, known: true })),
        ("queued", event(0, EventKind::Queued { position: 2 })),
        ("fetching", event(1, EventKind::Fetching { blob: BlobRef::of(b"a module"), done_bytes: 4 })),
        ("compiling", event(2, EventKind::Compiling)),
        ("running", event(3, EventKind::Running)),
        ("progress", event(4, EventKind::Progress { done: 1, total: 2 })),
        ("log", event(5, EventKind::Log { level: LogLevel::Info, text: Text::fit("a line") })),
        ("hashing", event(6, EventKind::Hashing)),
        ("done-with-receipt", event(7, EventKind::Done { receipt: vec![1, 2, 3] })),
        ("failed", event(8, EventKind::Failed { reason: Text::fit("no disk") })),
        ("cancelled", event(9, EventKind::Cancelled)),
        ("status", Response::Status(status)),
        ("receipt", Response::Receipt(ChainItem { entry: vec![1], receipt: vec![2] })),
        ("done", Response::Done),
        ("refused", Response::Refused(Refusal::new(rule::BUSY, "try again later"))),
    ];
    responses.iter().map(|(name, response)| good("response", name, &response.encode())).collect()
}

fn notice() -> Notice {
    Notice { info: info(), provider: provider(), announced_unix_ms: 1_700_000_000_000, lifetime_s: 180 }
}

fn refused() -> Vec<Vector> {
    let info = Request::Info.encode();
    let cancel = Request::Cancel { job: job("vector").id() }.encode();
    let many = Submit { providers: vec![provider(); 17], ..submit() };
    let mut forged = submit();
    forged.publication = forged.publication.map(|publication| Publication { author: key(3).public(), ..publication });
    let log = |text: &str| {
        let mut bytes = Response::Event(JobEvent {
            seq: 0,
            kind: EventKind::Log { level: LogLevel::Info, text: Text::fit("abcd") },
        })
        .encode();
        let place = bytes.len() - 4;
        bytes[place..].copy_from_slice(text.as_bytes());
        bytes
    };
    let events = [&[0, 2][..], &[7; 32], &[0x80, 0]].concat();
    let submit_bytes = |submit| Request::Submit(Box::new(submit)).encode();
    let other = Notice { provider: Provider::of_key(key(2).public()), ..notice() };
    vec![
        bad("request", "empty", "malformed", "there is no version", &[]),
        bad("request", "version", "unknown-version", "version 2", &[&[1], &info[1..]].concat()),
        bad("request", "trailing", "trailing", "a byte follows", &[&info[..], &[0]].concat()),
        bad("request", "cut", "malformed", "the job's id is cut short", &cancel[..cancel.len() - 1]),
        bad("request", "unknown", "malformed", "there is no request 7", &[0, 7]),
        bad("request", "long-integer", "not-canonical", "0 takes one byte, not two", &events),
        bad("request", "providers", "invalid", "17 providers", &submit_bytes(many)),
        bad("request", "publication", "invalid", "another author's signature", &submit_bytes(forged)),
        bad("response", "control", "malformed", "a text with an escape character", &log("a\u{1b}[m")),
        bad("announcement", "forged", "bad-signature", "another host's signature", &notice().sign(&key(2)).encode()),
        bad("announcement", "elsewhere", "invalid", "another host's addresses", &other.sign(&key(1)).encode()),
    ]
}

#[test]
fn the_vectors_are_what_this_program_says() {
    let mut made = requests();
    made.extend(responses());
    made.push(good("announcement", "announced", &notice().sign(&key(1)).encode()));
    made.extend(refused());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docs/protocol/vectors/messages.json");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, format!("{:#}\n", json!(made))).expect("written");
    }
    let kept: Vec<Vector> = serde_json::from_slice(&fs::read(&path).expect("the vectors")).expect("vectors");
    assert_eq!(kept, made);
    for vector in kept {
        let bytes = HEXLOWER.decode(vector.bytes.as_bytes()).expect("hexadecimal");
        match read(&vector.kind, &bytes) {
            Ok(value) => assert_eq!((vector.expect.as_str(), vector.value), ("ok", Some(value)), "{}", vector.name),
            Err(class) => assert_eq!(vector.expect, class, "{}", vector.name),
        }
    }
}
