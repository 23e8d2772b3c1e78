//! Vectors of chains and publications.

use samebit_spec::{BlobRef, ChainEntry, ChainHead, Publication, Receipt};

use super::Vector;
use super::bad::refused;
use super::good::accepted;
use crate::samples;

/// The first entries of the chain of the host whose key is the first sample's.
fn chain() -> Vec<ChainEntry> {
    let key = samples::secret_key(0);
    let mut head = ChainHead::new(key.public());
    let jobs = [samples::job(), samples::minimal_job(), samples::large_job()];
    let enter = |job| {
        let receipt = Receipt::sign(job, samples::outcome(), samples::measured(), &key);
        let entry = head.sign(receipt.id(), BlobRef::of(&receipt.encode()), &key);
        head.advance(&entry).expect("it was signed for this place");
        entry
    };
    jobs.into_iter().map(enter).collect()
}

pub(super) fn entries() -> Vec<Vector<ChainEntry>> {
    let good = chain();
    let bytes = good[1].encode();
    let signed = |entry: ChainEntry| Vector {
        secret_key: Some(samples::SECRET_KEYS[0].to_owned()),
        ..accepted(&format!("entry-{}", entry.sequence), entry)
    };
    let mut vectors: Vec<_> = good.clone().into_iter().map(signed).collect();
    let moved = ChainEntry { sequence: 2, ..good[1].clone() };
    let other = ChainEntry { previous: good[0].previous, ..good[1].clone() };
    let stranger = ChainEntry { host: samples::secret_key(1).public(), ..good[1].clone() };
    let long = [&bytes[..1], &[0x81, 0], &bytes[2..]].concat();
    vectors.extend([
        refused("empty", "malformed", "there is no version", &[]),
        refused("version-2", "unknown-version", "version 2 is variant 1", &[&[1], &bytes[1..]].concat()),
        refused("cut-short", "malformed", "the signature ends early", &bytes[..bytes.len() - 1]),
        refused("trailing", "trailing", "one byte follows the signature", &[&bytes[..], &[0]].concat()),
        refused("sequence-over-long", "not-canonical", "1 has a shorter varint", &long),
        refused("moved", "bad-signature", "the place is not the one that was signed", &moved.encode()),
        refused("of-another-past", "bad-signature", "the entry before is another", &other.encode()),
        refused("a-strangers", "bad-signature", "another host's key", &stranger.encode()),
    ]);
    vectors
}

pub(super) fn publications() -> Vec<Vector<Publication>> {
    let publication = Publication::sign(BlobRef::of(b"module"), &samples::secret_key(1));
    let bytes = publication.encode();
    let other = Publication { module: BlobRef::of(b"other"), ..publication.clone() };
    let stranger = Publication { author: samples::secret_key(0).public(), ..publication.clone() };
    vec![
        Vector { secret_key: Some(samples::SECRET_KEYS[1].to_owned()), ..accepted("published", publication) },
        refused("empty", "malformed", "there is no version", &[]),
        refused("trailing", "trailing", "one byte follows the signature", &[&bytes[..], &[0]].concat()),
        refused("another-module", "bad-signature", "the module is not the one that was signed", &other.encode()),
        refused("another-author", "bad-signature", "the key is not the one that signed", &stranger.encode()),
    ]
}
