//! Vectors that must be refused, each for one reason.

use data_encoding::HEXLOWER;
use samebit_spec::{
    BlobRef, HostKey, JobSpec, LOOP_ITERATIONS_MAX, Limit, Limits, MEASURED_TEXT_BYTES_MAX, Outcome, Profile, Receipt,
    Signature, Status, Tolerance, Trap, ULPS_MAX,
};

use super::Vector;
use crate::codec::varint;
use crate::samples;

/// The order of Ed25519's base point, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub(super) fn refused<T>(name: &str, class: &str, why: &str, bytes: &[u8]) -> Vector<T> {
    Vector {
        name: name.to_owned(),
        expect: class.to_owned(),
        releases: Some("nothing".to_owned()),
        why: Some(why.to_owned()),
        id: None,
        secret_key: None,
        job_id: None,
        outcome_id: None,
        bytes: HEXLOWER.encode(bytes),
        value: None,
    }
}

pub(super) fn jobs() -> Vec<Vector<JobSpec>> {
    let good = samples::job().encode();
    let cut = &good[..good.len() - 1];
    let nul = JobSpec { args: vec!["a\0b".to_owned()], ..samples::job() }.encode();
    let limits = Limits { loop_iterations: LOOP_ITERATIONS_MAX + 1, ..Limits::default() };
    let loops = JobSpec { limits, ..samples::job() }.encode();
    let blob = [BlobRef::of(b"").hash.as_bytes().as_slice(), &[0]].concat();
    let args = |args: &[u8]| [&[0], &blob[..], args, &[0; 12]].concat();
    let bound = |tolerance| {
        let tolerances = [(samples::name("c"), tolerance)].into();
        JobSpec { tolerances, ..samples::job() }.encode()
    };
    let exact = JobSpec { profile: Profile::Exact, ..samples::tolerant_job() }.encode();
    // The worked example ends with its profile and a count of no tolerances.
    let tolerances = |bytes: &[u8]| [cut, bytes].concat();
    let profile = |bytes: &[u8]| [&good[..good.len() - 2], bytes, &[0]].concat();
    vec![
        refused("empty", "malformed", "there is no version", &[]),
        refused("version-2", "unknown-version", "version 2 is variant 1", &[&[1], &good[1..]].concat()),
        refused("cut-short", "malformed", "the count of tolerances is missing", cut),
        refused("trailing", "trailing", "one byte follows the tolerances", &[&good[..], &[0]].concat()),
        refused("profile-2", "malformed", "there are two profiles, 0 and 1", &profile(&[2])),
        refused("profile-over-long", "not-canonical", "1 has a shorter varint", &profile(&[0x81, 0])),
        refused("tolerance-exact", "invalid", "bits are bits: exact takes no tolerance", &exact),
        refused("tolerance-4", "malformed", "there are four tolerances, 0 to 3", &tolerances(&[1, 1, b'c', 4])),
        refused("tolerance-infinite", "invalid", "an absolute one is finite", &bound(Tolerance::Absolute(0x7f80_0000))),
        refused("tolerance-nan", "invalid", "an absolute one is a number", &bound(Tolerance::Absolute(0x7fc0_0000))),
        refused("tolerance-minus-0", "invalid", "zero has no sign", &bound(Tolerance::Absolute(0x8000_0000))),
        refused(
            "tolerance-relative-1",
            "invalid",
            "a relative one is below 1",
            &bound(Tolerance::Relative(0x3f80_0000)),
        ),
        refused("tolerance-ulps", "invalid", "at most 2^23 ULP", &bound(Tolerance::Ulp(ULPS_MAX + 1))),
        refused(
            "tolerance-33-bits",
            "malformed",
            "2^32 ULP",
            &tolerances(&[1, 1, b'c', 2, 0x80, 0x80, 0x80, 0x80, 0x10]),
        ),
        refused("tolerances-unsorted", "not-canonical", "b comes before a", &tolerances(&[2, 1, b'b', 3, 1, b'a', 3])),
        refused("loop-iterations", "invalid", "at most 2^31 - 1 are allowed", &loops),
        refused("argument-nul", "invalid", "an argument holds a NUL byte", &nul),
        refused("argument-not-utf8", "malformed", "an argument is a surrogate", &args(&[1, 3, 0xed, 0xa0, 0x80])),
        refused("arguments-1025", "malformed", "more than 1,024", &args(&[&[0x81, 0x08][..], &[0; 1025]].concat())),
        refused("arguments-2-to-the-64", "malformed", "a huge count", &args(&varint(u64::MAX))),
        refused("arguments-over-long-count", "not-canonical", "0 has a shorter varint", &args(&[0x80, 0])),
    ]
}

/// An outcome's bytes: this status, these outputs in this order, an empty log, this fuel.
fn outcome(status: &[u8], outputs: &[&str], fuel: &[u8]) -> Vec<u8> {
    let blob = [BlobRef::of(b"").hash.as_bytes().as_slice(), &[0]].concat();
    let mut bytes = [&[0], status, &[outputs.len() as u8]].concat();
    for name in outputs {
        bytes.extend([&varint(name.len() as u64), name.as_bytes(), &blob].concat());
    }
    [bytes, blob, fuel.to_vec()].concat()
}

pub(super) fn outcomes() -> Vec<Vector<Outcome>> {
    let long = [&[1][..], &varint(4097), &[b'x'; 4097]].concat();
    let logged = Outcome { log: BlobRef::of(b"info a\n"), ..samples::stopped(Status::Trapped(Trap::StackOverflow), 0) };
    let over = [&[0xff; 9][..], &[2]].concat();
    let wide = [&[0xff; 10][..], &[0]].concat();
    let huge = [&[1][..], &varint(u64::MAX)].concat();
    vec![
        refused("status-5", "malformed", "there are five statuses, 0 to 4", &outcome(&[5], &[], &[0])),
        refused("trap-10", "malformed", "there are ten traps, 0 to 9", &outcome(&[3, 10], &[], &[0])),
        refused("limit-9", "malformed", "there are nine limits, 0 to 8", &outcome(&[4, 9], &[], &[0])),
        refused("names-unsorted", "not-canonical", "b comes before a", &outcome(&[0], &["b", "a"], &[0])),
        refused("names-case", "not-canonical", "bytes order B before a", &outcome(&[0], &["a", "B"], &[0])),
        refused("names-twice", "not-canonical", "a is there twice", &outcome(&[0], &["a", "a"], &[0])),
        refused("name-empty", "malformed", "a name has a character", &outcome(&[0], &[""], &[0])),
        refused("name-parent", "malformed", "a name starts with a letter or digit", &outcome(&[0], &[".."], &[0])),
        refused("name-slash", "malformed", "a name has no slash", &outcome(&[0], &["a/b"], &[0])),
        refused("name-long", "malformed", "129 characters", &outcome(&[0], &[&"a".repeat(129)], &[0])),
        refused("name-not-ascii", "malformed", "a name is ASCII", &outcome(&[0], &["é"], &[0])),
        refused("fuel-over-long", "not-canonical", "0 has a shorter varint", &outcome(&[0], &[], &[0x80, 0])),
        refused("fuel-over-64-bits", "malformed", "2^64 or more", &outcome(&[0], &[], &over)),
        refused("fuel-eleven-bytes", "malformed", "a varint has ten bytes at most", &outcome(&[0], &[], &wide)),
        refused("message-long", "invalid", "4,097 bytes", &outcome(&long, &[], &[0])),
        refused("message-huge", "malformed", "2^64 - 1 bytes are declared", &outcome(&huge, &[], &[0])),
        refused("exited-0", "invalid", "exit code 0 is the status ok", &outcome(&[2, 0], &[], &[0])),
        refused("trapped-with-output", "invalid", "only a finished job has outputs", &outcome(&[3, 0], &["a"], &[0])),
        refused("exceeded-with-output", "invalid", "only a finished job has outputs", &outcome(&[4, 0], &["a"], &[0])),
        refused("stack-overflow-fuel", "invalid", "its fuel is 0", &outcome(&[3, 8], &[], &[1])),
        refused("stack-overflow-log", "invalid", "its log is empty", &logged.encode()),
    ]
}

pub(super) fn receipts() -> Vec<Vector<Receipt>> {
    let receipt = samples::receipt();
    let good = receipt.encode();
    let changed = |change: &dyn Fn(&mut Receipt)| {
        let mut receipt = receipt.clone();
        change(&mut receipt);
        receipt.encode()
    };
    let mut vectors = framing(&good);
    vectors.extend([
        refused("job-changed", "bad-signature", "another limit", &changed(&|r| r.job.limits.fuel += 1)),
        refused("outcome-changed", "bad-signature", "another fuel", &changed(&|r| r.outcome.fuel += 1)),
        refused("measured-changed", "bad-signature", "another time", &changed(&|r| r.measured.run_time_us += 1)),
        refused(
            "host-changed",
            "bad-signature",
            "another host",
            &changed(&|r| r.host = samples::secret_key(1).public()),
        ),
        refused("signature-changed", "bad-signature", "its first bit", &changed(&|r| r.signature.0[0] ^= 1)),
        refused("signature-plus-order", "bad-signature", "S is not below the order", &changed(&plus_order)),
        refused("host-of-small-order", "bad-signature", "the identity verifies anything", &changed(&identity)),
        refused("host-not-a-point", "bad-signature", "y = 2 is not on the curve", &changed(&|r| r.host = small_y(2))),
        refused("outcome-invalid", "invalid", "a signed outcome exits with 0", &{
            let outcome = samples::stopped(Status::Exited(0), 1);
            Receipt::sign(samples::job(), outcome, samples::measured(), &samples::secret_key(0)).encode()
        }),
        refused("outcome-with-outputs", "invalid", "a stopped job has an output", &{
            let outcome = Outcome { status: Status::Exceeded(Limit::Output), ..samples::outcome() };
            Receipt::sign(samples::job(), outcome, samples::measured(), &samples::secret_key(0)).encode()
        }),
        refused(
            "program-long",
            "invalid",
            "a measured text of 257 bytes",
            &changed(&|r| {
                r.measured.program = "x".repeat(MEASURED_TEXT_BYTES_MAX + 1);
            }),
        ),
    ]);
    vectors
}

/// What is wrong before the first field, after the last, or in between.
fn framing(good: &[u8]) -> Vec<Vector<Receipt>> {
    // The energy, which the worked example lacks, is the byte before the host and the signature.
    let mut option = good.to_vec();
    option[good.len() - 97] = 2;
    let unix = [b"SBRCPT\n", &good[8..]].concat();
    let version = [&good[..8], &[1], &good[9..]].concat();
    vec![
        refused("empty", "not-a-receipt", "there is no magic", &[]),
        refused("magic-cut", "not-a-receipt", "seven bytes of magic", &good[..7]),
        refused("magic-only", "malformed", "nothing follows the magic", &good[..8]),
        refused("line-ending-translated", "not-a-receipt", "sent as text: CR LF became LF", &unix),
        refused("another-file", "not-a-receipt", "a PNG", b"\x89PNG\r\n\x1a\n"),
        refused("version-2", "unknown-version", "version 2 is variant 1", &version),
        refused("cut-short", "malformed", "the last byte of the signature is missing", &good[..good.len() - 1]),
        refused("trailing", "trailing", "one byte follows the signature", &[good, &[0]].concat()),
        refused("option-2", "malformed", "an option is 0 or 1", &option),
    ]
}

fn plus_order(receipt: &mut Receipt) {
    let mut carry = 0;
    for (byte, order) in receipt.signature.0[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
}

fn small_y(y: u8) -> HostKey {
    let mut bytes = [0; 32];
    bytes[0] = y;
    HostKey::from_bytes(bytes)
}

/// With the identity as key, R = S·B holds whatever is signed: here S = 1, and R is the base point.
fn identity(receipt: &mut Receipt) {
    receipt.host = small_y(1);
    let mut signature = [0x66; 64];
    signature[0] = 0x58;
    signature[32..].fill(0);
    signature[32] = 1;
    receipt.signature = Signature(signature);
}
