//! Mutated messages never panic a decoder, and what they decode to encodes to the same bytes.
//!
//! `SAMEBIT_CASES` asks for more than the few of every run; `host/fuzz` has the same as a fuzz target.

use std::fs;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use samebit_net::collection::members;
use samebit_net::message::{Request, Response};
use samebit_net::{Announcement, BlobAddress, frame, message::Provider};
use samebit_spec::Hash;

/// xorshift64*: enough to wander, and the same everywhere.
struct Random(u64);

impl Random {
    /// Starts from `SAMEBIT_SEED`, or a fixed seed.
    fn seeded() -> Self {
        let seed = std::env::var("SAMEBIT_SEED").ok().and_then(|text| text.parse().ok());
        Self(seed.unwrap_or(0x5a3e_b172_0260_0005).max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn bend(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len().max(1)).min(bytes.len());
            match self.below(4) {
                0 if at < bytes.len() => bytes[at] = self.next() as u8,
                1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at, self.next() as u8),
            }
        }
    }
}

fn cases() -> usize {
    std::env::var("SAMEBIT_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

/// Whatever is accepted must be canonical; returns whether anything was.
fn accepted(bytes: &[u8]) -> bool {
    let request = Request::decode(bytes).map(|request| assert_eq!(request.encode(), bytes)).is_ok();
    let response = Response::decode(bytes).map(|response| assert_eq!(response.encode(), bytes)).is_ok();
    assert!(Announcement::decode(bytes).is_err(), "a forged announcement: {bytes:02x?}");
    request || response
}

#[test]
fn mutated_messages_never_panic() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docs/protocol/vectors/messages.json");
    let vectors: Vec<serde_json::Value> =
        serde_json::from_slice(&fs::read(path).expect("the vectors")).expect("vectors");
    let bytes = |vector: &serde_json::Value| {
        HEXLOWER.decode(vector["bytes"].as_str().expect("text").as_bytes()).expect("hexadecimal")
    };
    let seeds: Vec<_> = vectors.iter().map(bytes).collect();
    let mut random = Random::seeded();
    println!("SAMEBIT_SEED={}", random.0);
    let mut survivors = 0;
    for _ in 0..cases() {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        random.bend(&mut bytes);
        if !seeds.contains(&bytes) {
            survivors += usize::from(accepted(&bytes));
        }
    }
    assert!(survivors > cases() / 200, "mutations should often stay decodable: {survivors}");
}

#[test]
fn mutated_names_of_collections_never_panic() {
    let mut random = Random::seeded();
    println!("SAMEBIT_SEED={}", random.0);
    for _ in 0..cases() {
        let mut bytes = b"CollectionV0.\x02\x03a/b\x01c".to_vec();
        random.bend(&mut bytes);
        for member in members(&bytes, vec![Hash::of(b""); 2]).unwrap_or_default() {
            assert!(member.path.is_relative() && !member.path.components().any(|part| part.as_os_str() == ".."));
        }
    }
}

#[test]
fn mutated_tickets_never_panic() {
    let mut random = Random::seeded();
    println!("SAMEBIT_SEED={}", random.0);
    let provider = Provider {
        addresses: vec!["192.0.2.7:1".parse().expect("v4")],
        ..Provider::of_key(crate::support::key(1).public())
    };
    let host = provider.ticket().expect("ticket");
    let blob = BlobAddress { hash: Hash::of(b"x"), is_collection: true, provider: None };
    let blob = blob.ticket(&provider).expect("ticket");
    for _ in 0..cases() / 4 {
        for ticket in [&host, &blob] {
            let mut bytes = ticket.clone().into_bytes();
            random.bend(&mut bytes);
            let text = String::from_utf8_lossy(&bytes);
            let (_, _) = (Provider::parse(&text), BlobAddress::parse(&text));
        }
    }
}

#[tokio::test]
async fn random_streams_end_as_frames_or_errors() {
    let mut random = Random::seeded();
    println!("SAMEBIT_SEED={}", random.0);
    for _ in 0..cases() / 10 {
        let length = random.below(64);
        let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8 >> random.below(8)).collect();
        let mut stream = bytes.as_slice();
        while let Ok(Some(body)) = frame::read(&mut stream, 32).await {
            assert!(body.len() <= 32);
        }
    }
}
