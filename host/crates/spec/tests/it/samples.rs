//! Values that the tests and the vectors are made of. All of them are fixed: change one, and the vectors change.

use std::collections::BTreeMap;

use samebit_spec::{
    BlobRef, DeviceUsed, JobSpec, LOOP_ITERATIONS_MAX, Limit, Limits, Measured, Name, Outcome, Profile, Receipt,
    SecretKey, Status, Tolerance, Trap, ULPS_MAX,
};

/// The secret keys of RFC 8032's first two Ed25519 tests.
pub(crate) const SECRET_KEYS: [&str; 2] = [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
];

pub(crate) const TRAPS: [Trap; 10] = [
    Trap::Unreachable,
    Trap::MemoryOutOfBounds,
    Trap::TableOutOfBounds,
    Trap::IndirectCallToNull,
    Trap::BadSignature,
    Trap::IntegerOverflow,
    Trap::IntegerDivisionByZero,
    Trap::BadConversionToInteger,
    Trap::StackOverflow,
    Trap::BrokenContract,
];

pub(crate) fn secret_key(index: usize) -> SecretKey {
    let bytes = data_encoding::HEXLOWER.decode(SECRET_KEYS[index].as_bytes()).expect("hexadecimal");
    SecretKey::from_bytes(&bytes.try_into().expect("32 bytes"))
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect(text)
}

pub(crate) fn blobs(names: &[&str]) -> BTreeMap<Name, BlobRef> {
    names.iter().map(|text| (name(text), BlobRef::of(text.as_bytes()))).collect()
}

/// The job of the worked example.
pub(crate) fn job() -> JobSpec {
    JobSpec {
        module: BlobRef::of(b"module"),
        args: vec!["blur".to_owned()],
        inputs: blobs(&["image"]),
        limits: Limits::default(),
        profile: Profile::Native,
        tolerances: BTreeMap::new(),
    }
}

/// A job with a tolerance of each kind, each at its bound.
pub(crate) fn tolerant_job() -> JobSpec {
    let tolerances = [
        ("absolute.f32", Tolerance::Absolute(f32::MAX.to_bits())),
        ("image.png", Tolerance::Compare),
        ("relative.f32", Tolerance::Relative(0x3f7f_ffff)),
        ("ulp.f32", Tolerance::Ulp(ULPS_MAX)),
        ("zero.f32", Tolerance::Absolute(0)),
    ];
    JobSpec { tolerances: tolerances.map(|(text, tolerance)| (name(text), tolerance)).into(), ..job() }
}

pub(crate) fn minimal_job() -> JobSpec {
    let limits = Limits {
        fuel: 0,
        memory_bytes: 0,
        table_elements: 0,
        instances: 0,
        gpu_memory_bytes: 0,
        dispatches: 0,
        loop_iterations: 0,
        output_bytes: 0,
        log_bytes: 0,
    };
    let module = BlobRef::of(b"");
    let (inputs, tolerances) = (BTreeMap::new(), BTreeMap::new());
    JobSpec { module, args: Vec::new(), inputs, limits, profile: Profile::Exact, tolerances }
}

/// Many inputs, so that its id hashes more than one BLAKE3 chunk; their order by bytes is not that of their numbers.
pub(crate) fn large_job() -> JobSpec {
    let inputs = (0..80).map(|index| (name(&format!("part-{index}")), BlobRef::of(&[index]))).collect();
    let limits = Limits {
        fuel: u64::MAX,
        memory_bytes: 127,
        table_elements: 128,
        instances: 16_383,
        gpu_memory_bytes: 16_384,
        dispatches: u64::from(u32::MAX),
        loop_iterations: LOOP_ITERATIONS_MAX,
        output_bytes: 1 << 63,
        log_bytes: 1,
    };
    let args = ["", "é", "\u{10ffff}", "line\nbreak"].map(str::to_owned).to_vec();
    let tolerances = BTreeMap::new();
    JobSpec { module: BlobRef::of(b"module"), args, inputs, limits, profile: Profile::Exact, tolerances }
}

/// The outcome of the worked example.
pub(crate) fn outcome() -> Outcome {
    Outcome {
        status: Status::Ok,
        outputs: blobs(&["image.png"]),
        log: BlobRef::of(b"info 640 x 480\n"),
        fuel: 123_456_789,
    }
}

pub(crate) fn stopped(status: Status, fuel: u64) -> Outcome {
    Outcome { status, outputs: BTreeMap::new(), log: BlobRef::of(b""), fuel }
}

/// One outcome of every status, named.
pub(crate) fn outcomes() -> Vec<(String, Outcome)> {
    let long = "é".repeat(3000);
    let mut all = vec![
        ("ok".to_owned(), outcome()),
        ("ok-empty".to_owned(), stopped(Status::Ok, 0)),
        ("ok-upper-case-names-first".to_owned(), Outcome { outputs: blobs(&["a", "B", "a.b", "a-b"]), ..outcome() }),
        ("failed".to_owned(), Outcome { status: Status::failed("no such filter: blurr"), ..outcome() }),
        ("failed-without-message".to_owned(), stopped(Status::failed(""), 1)),
        ("failed-with-longest-message".to_owned(), stopped(Status::failed(&long), 127)),
        ("exited-1".to_owned(), stopped(Status::Exited(1), 128)),
        ("exited-255".to_owned(), Outcome { status: Status::Exited(255), ..outcome() }),
    ];
    for trap in TRAPS {
        let fuel = if trap == Trap::StackOverflow { 0 } else { 42 };
        all.push((format!("trapped-{trap}").replace(' ', "-"), stopped(Status::Trapped(trap), fuel)));
    }
    for limit in Limit::ALL {
        all.push((format!("exceeded-{limit}"), stopped(Status::Exceeded(limit), u64::MAX)));
    }
    all
}

/// What the host of the worked example measured.
pub(crate) fn measured() -> Measured {
    let device = DeviceUsed {
        name: "llvmpipe (LLVM 15.0.6, 256 bits)".to_owned(),
        driver: "llvmpipe Mesa 22.3.6".to_owned(),
        backend: "vulkan".to_owned(),
        battery: None,
    };
    Measured {
        program: "samebit 0.1.0".to_owned(),
        started_unix_ms: 1_767_225_600_000,
        run_time_us: 15_321,
        memory_peak_bytes: 1_114_112,
        gpu_memory_peak_bytes: 2_457_600,
        dispatches: 2,
        device: Some(device),
        energy_mj: None,
    }
}

pub(crate) fn receipt() -> Receipt {
    Receipt::sign(job(), outcome(), measured(), &secret_key(0))
}
