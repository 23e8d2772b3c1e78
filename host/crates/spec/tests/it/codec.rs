//! Jobs and outcomes: round trips, and every way in which bytes can fail to be canonical.

use samebit_spec::{
    ARGS_BYTES_MAX, ARGS_MAX, BlobRef, DecodeError, ENCODED_BYTES_MAX, JobSpec, Limit, MESSAGE_BYTES_MAX, OUTPUTS_MAX,
    Outcome, Status, Trap,
};

use crate::samples::{job, large_job, minimal_job, name, outcome, outcomes, stopped};

/// A varint as postcard writes it.
pub(crate) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[test]
fn jobs_round_trip() {
    for job in [job(), minimal_job(), large_job()] {
        assert_eq!(JobSpec::decode(&job.encode()), Ok(job));
    }
}

#[test]
fn outcomes_round_trip() {
    for (name, outcome) in outcomes() {
        assert_eq!(Outcome::decode(&outcome.encode()), Ok(outcome), "{name}");
    }
}

#[test]
fn every_truncation_is_refused() {
    let job = large_job().encode();
    for len in 1..job.len() {
        assert_eq!(JobSpec::decode(&job[..len]), Err(DecodeError::Malformed), "{len} bytes");
    }
    let outcome = outcome().encode();
    for len in 1..outcome.len() {
        assert_eq!(Outcome::decode(&outcome[..len]), Err(DecodeError::Malformed), "{len} bytes");
    }
    assert_eq!(JobSpec::decode(&[]), Err(DecodeError::Malformed));
}

#[test]
fn trailing_bytes_are_refused() {
    for tail in [&[0][..], &[0xff, 0xff]] {
        let bytes = [&job().encode(), tail].concat();
        assert_eq!(JobSpec::decode(&bytes), Err(DecodeError::Trailing(tail.len())));
    }
}

#[test]
fn other_versions_are_refused() {
    for version in 1..=255 {
        let mut bytes = job().encode();
        bytes[0] = version;
        assert_eq!(JobSpec::decode(&bytes), Err(DecodeError::UnknownVersion), "version byte {version}");
    }
}

#[test]
fn over_long_integers_are_refused() {
    // The fuel is an outcome's last field: 123,456,789 ends it as four bytes.
    let bytes = outcome().encode();
    let (head, fuel) = bytes.split_at(bytes.len() - 4);
    assert_eq!(fuel, varint(123_456_789));
    for zeros in 1..=6 {
        let mut long = [head, fuel].concat();
        *long.last_mut().expect("not empty") |= 0x80;
        long.extend(vec![0x80; zeros - 1]);
        long.push(0);
        assert_eq!(Outcome::decode(&long), Err(DecodeError::NotCanonical), "{zeros} bytes too long");
    }
    let over = [head, &[0xff; 9], &[2]].concat();
    assert_eq!(Outcome::decode(&over), Err(DecodeError::Malformed), "over 64 bits");
    let max = [head, &[0xff; 9], &[1]].concat();
    assert_eq!(Outcome::decode(&max).map(|outcome| outcome.fuel), Ok(u64::MAX));
}

/// An outcome that is `ok` with these outputs in this order.
fn with_outputs(names: &[&str]) -> Vec<u8> {
    let blob = [BlobRef::of(b"").hash.as_bytes().as_slice(), &[0]].concat();
    let mut bytes = [vec![0, 0], varint(names.len() as u64)].concat();
    for name in names {
        bytes.extend(varint(name.len() as u64));
        bytes.extend(name.as_bytes());
        bytes.extend(&blob);
    }
    bytes.extend(&blob);
    bytes.push(0);
    bytes
}

#[test]
fn map_keys_are_sorted_and_unique() {
    let decode = |names: &[&str]| Outcome::decode(&with_outputs(names)).map(|outcome| outcome.outputs.len());
    assert_eq!(decode(&["B", "a", "a-b", "a.b", "ab"]), Ok(5));
    assert_eq!(decode(&["b", "a"]), Err(DecodeError::NotCanonical));
    assert_eq!(decode(&["a", "B"]), Err(DecodeError::NotCanonical));
    assert_eq!(decode(&["a", "a"]), Err(DecodeError::NotCanonical));
}

#[test]
fn names_are_checked() {
    for bad in ["", ".", "..", "../a", "a/b", "-a", "é", "a\0", &"a".repeat(129)] {
        assert_eq!(Outcome::decode(&with_outputs(&[bad])), Err(DecodeError::Malformed), "{bad:?}");
    }
    assert!(Outcome::decode(&with_outputs(&[&"a".repeat(128)])).is_ok());
}

#[test]
fn unknown_variants_are_refused() {
    let tail = [&[0][..], BlobRef::of(b"").hash.as_bytes(), &[0, 0]].concat();
    let status = |status: &[u8]| Outcome::decode(&[&[0], status, &tail].concat()).map(|outcome| outcome.status);
    assert_eq!(status(&[3, 9]), Ok(Status::Trapped(Trap::BrokenContract)));
    assert_eq!(status(&[4, 8]), Ok(Status::Exceeded(Limit::Log)));
    for unknown in [&[5][..], &[3, 10], &[4, 9], &[0x7f], &[0xff, 0xff, 0xff, 0xff, 0x0f]] {
        assert_eq!(status(unknown), Err(DecodeError::Malformed), "{unknown:?}");
    }
    let mut bytes = job().encode();
    let profile = bytes.len() - 2;
    bytes[profile] = 2;
    assert_eq!(JobSpec::decode(&bytes), Err(DecodeError::Malformed));
}

#[test]
fn text_is_utf8() {
    let tail = [&[0][..], BlobRef::of(b"").hash.as_bytes(), &[0, 0]].concat();
    for bad in [&[0xff][..], &[0xc0, 0x80], &[0xed, 0xa0, 0x80], &[0xc3]] {
        let bytes = [&[0, 1, bad.len() as u8], bad, &tail].concat();
        assert_eq!(Outcome::decode(&bytes), Err(DecodeError::Malformed), "{bad:?}");
    }
}

#[test]
fn rules_on_values_are_checked() {
    let refused = |outcome: Outcome| matches!(Outcome::decode(&outcome.encode()), Err(DecodeError::Invalid(_)));
    assert!(refused(stopped(Status::Exited(0), 1)));
    assert!(refused(stopped(Status::Failed("x".repeat(MESSAGE_BYTES_MAX + 1)), 1)));
    assert!(refused(Outcome { status: Status::Trapped(Trap::Unreachable), ..outcome() }));
    assert!(refused(Outcome { status: Status::Exceeded(Limit::Fuel), ..outcome() }));
    assert!(refused(stopped(Status::Trapped(Trap::StackOverflow), 1)));
    let overflow = stopped(Status::Trapped(Trap::StackOverflow), 0);
    assert!(refused(Outcome { log: BlobRef::of(b"info hello\n"), ..overflow }));
    let outputs = (0..=OUTPUTS_MAX).map(|index| (name(&format!("o{index}")), BlobRef::of(b""))).collect();
    assert!(refused(Outcome { outputs, ..outcome() }));

    let refused = |args: &[String]| JobSpec::decode(&JobSpec { args: args.to_vec(), ..job() }.encode());
    assert!(matches!(refused(&["a\0".to_owned()]), Err(DecodeError::Invalid(_))));
    assert!(matches!(refused(&["x".repeat(ARGS_BYTES_MAX + 1)]), Err(DecodeError::Invalid(_))));
    assert_eq!(refused(&vec![String::new(); ARGS_MAX + 1]), Err(DecodeError::Malformed));
    assert!(refused(&vec![String::new(); ARGS_MAX]).is_ok());
}

#[test]
fn messages_are_cut_at_a_character() {
    assert_eq!(Status::failed(&format!("x{}", "é".repeat(3000))), Status::Failed(format!("x{}", "é".repeat(2047))));
    assert_eq!(Status::failed(&"x".repeat(5000)), Status::Failed("x".repeat(4096)));
}

#[test]
fn declared_lengths_do_not_allocate() {
    // Each of these declares up to 2^64 - 1 elements or bytes and brings none; reserving for them would abort.
    let blob = BlobRef::of(b"").hash.as_bytes().iter().copied().chain([0]).collect::<Vec<u8>>();
    for len in [1 << 20, 1 << 32, 1 << 40, (1 << 63) - 1, u64::MAX] {
        let len = varint(len);
        assert_eq!(JobSpec::decode(&[&[0], &blob[..], &len].concat()), Err(DecodeError::Malformed), "arguments");
        assert_eq!(JobSpec::decode(&[&[0], &blob[..], &[1], &len].concat()), Err(DecodeError::Malformed), "argument");
        assert_eq!(JobSpec::decode(&[&[0], &blob[..], &[0], &len].concat()), Err(DecodeError::Malformed), "inputs");
        assert_eq!(Outcome::decode(&[&[0, 1], &len[..]].concat()), Err(DecodeError::Malformed), "message");
        assert_eq!(Outcome::decode(&[&[0, 0], &len[..]].concat()), Err(DecodeError::Malformed), "outputs");
    }
    let flood = [&[0], &blob[..], &varint(1 << 20), &vec![0; 1 << 20]].concat();
    assert_eq!(JobSpec::decode(&flood), Err(DecodeError::Malformed), "a million empty arguments");
    assert_eq!(JobSpec::decode(&vec![0; ENCODED_BYTES_MAX + 1]), Err(DecodeError::TooLong(ENCODED_BYTES_MAX + 1)));
}
