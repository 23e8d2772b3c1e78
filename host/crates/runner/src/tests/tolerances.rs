//! Claims of native jobs from another class of device, and how far they may be from what comes of them here.

use std::collections::BTreeMap;

use samebit_engine::spec::{BlobRef, DeviceUsed, JobSpec, Outcome, Profile, Receipt, Tolerance};
use samebit_proof::{Agreement, Comparison, Deviation, Difference, Verdict};

use crate::tests::support::{CAT, Machine, key, name};
use crate::{Claims, CompileError, FetchError, Fetched};

fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// What the job writes here.
const HERE: [f32; 3] = [1.0, -2.5, 1e-20];

/// A machine, a job that writes [`HERE`], and what it claims.
struct Bench {
    machine: Machine,
    job: JobSpec,
    honest: Receipt,
}

impl Bench {
    async fn new(tolerance: &str) -> Self {
        let machine = Machine::new().await;
        let mut job = machine.job(CAT, &[("stdin", &bytes(&HERE))]).await;
        job.tolerances.insert(name("stdout"), tolerance.parse().expect(tolerance));
        let honest = machine.sign(&job).await;
        Self { machine, job, honest }
    }

    /// A receipt whose host had another device, and that claims another output.
    fn claim(&self, stdout: &[u8]) -> Receipt {
        let mut outcome = self.honest.outcome.clone();
        outcome.outputs.insert(name("stdout"), BlobRef::of(stdout));
        self.sign(outcome, Some("another"))
    }

    fn sign(&self, outcome: Outcome, device: Option<&str>) -> Receipt {
        let text = || "a".to_owned();
        let device =
            device.map(|name| DeviceUsed { name: name.to_owned(), driver: text(), backend: text(), battery: None });
        let measured = samebit_engine::spec::Measured { device, ..self.honest.measured.clone() };
        Receipt::sign(self.job.clone(), outcome, measured, &key())
    }

    /// Verifies a claim whose bytes are at hand.
    async fn verdict(&self, stdout: &[u8]) -> Verdict {
        self.machine.blob(stdout).await;
        self.machine.verify(&self.claim(stdout), Claims::default()).await.verdict
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_class_is_forgiven_what_the_job_declares() {
    let bench = Bench::new("ulp:2").await;
    let near = bytes(&[1.0_f32.next_up(), -2.5_f32.next_down().next_down(), 1e-20]);
    let Verdict::Match { comparison: Comparison::Declared { outputs } } = bench.verdict(&near).await else {
        panic!("within two ULP")
    };
    let Agreement::Tolerance(within) = &outputs[&name("stdout")] else { panic!("of numbers") };
    assert_eq!((within.largest, within.differing, within.elements), (Deviation::Ulp(2), 2, 3));

    let far = bytes(&[1.0, -2.5, 1.01e-20]);
    let Verdict::Mismatch { difference: Difference::Beyond { float, .. } } = bench.verdict(&far).await else {
        panic!("far more than two ULP")
    };
    assert_eq!(float.element, 2);
    // To the bit, there is nothing to forgive.
    assert_eq!(bench.verdict(&bytes(&HERE)).await, Verdict::bitwise());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_class_is_forgiven_nothing() {
    let bench = Bench::new("absolute:1000.0").await;
    let near = bytes(&[1.0_f32.next_up(), -2.5, 1e-20]);
    assert!(bench.verdict(&near).await.is_match());
    // The re-run used no device either: one class.
    let mut outcome = bench.honest.outcome.clone();
    outcome.outputs.insert(name("stdout"), BlobRef::of(&near));
    let verdict = bench.machine.verify(&bench.sign(outcome, None), Claims::default()).await.verdict;
    assert!(matches!(verdict, Verdict::Mismatch { difference: Difference::Output { .. } }), "{verdict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_tolerance_covers_is_compared_to_the_bit() {
    let bench = Bench::new("absolute:1000.0").await;
    let near = bytes(&[1.0_f32.next_up(), -2.5, 1e-20]);
    bench.machine.blob(&near).await;
    let mut receipt = bench.claim(&near);
    receipt.outcome.fuel += 1;
    let receipt = bench.sign(receipt.outcome, Some("another"));
    let verdict = bench.machine.verify(&receipt, Claims::default()).await.verdict;
    assert!(matches!(verdict, Verdict::Mismatch { difference: Difference::Fuel { .. } }), "{verdict}");
    for other in [bytes(&HERE[..2]), vec![0; 11]] {
        let verdict = bench.verdict(&other).await;
        assert!(matches!(verdict, Verdict::Mismatch { difference: Difference::Shape { .. } }), "{verdict}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_claimed_bytes_nothing_is_said() {
    let bench = Bench::new("relative:0.001").await;
    let near = bytes(&[1.0005, -2.5, 1e-20]);
    let receipt = bench.claim(&near);
    let verdict = bench.machine.verify(&receipt, Claims::default()).await.verdict;
    assert!(matches!(&verdict, Verdict::Unchecked { reason } if reason.contains("--output stdout=FILE")), "{verdict}");
    let path = bench.machine.file("claimed", &near);
    let claims = Claims { files: BTreeMap::from([(name("stdout"), path)]), ..Claims::default() };
    assert!(bench.machine.verify(&receipt, claims).await.verdict.is_match());
    // A file that is neither what is claimed nor what comes of it is what the verdict is about.
    let path = bench.machine.file("other", &bytes(&[1.0006, -2.5, 1e-20]));
    bench.machine.blob(&near).await;
    let verification = bench
        .machine
        .verify(&receipt, Claims { files: BTreeMap::from([(name("stdout"), path.clone())]), ..Claims::default() })
        .await;
    assert_eq!(verification.file.expect("the file").path, path);
    let text = verification.verdict.to_string();
    assert!(text.contains("differs at byte 0"), "compared with what is signed, not with what came of it here: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_asks_for_what_cannot_be_is_refused() {
    let machine = Machine::new().await;
    let mut job = machine.job(CAT, &[]).await;
    job.tolerances.insert(name("c"), Tolerance::Compare);
    let fetched = Fetched::fetch(&machine.host, job.clone()).await.expect("all is there");
    let error = fetched.compile(&machine.host).await.err().expect("nobody could compare");
    assert!(matches!(&error, CompileError::NoCompare(output) if output.as_str() == "c"), "{error}");
    job.profile = Profile::Exact;
    let error = Fetched::fetch(&machine.host, job).await.expect_err("bits are bits");
    assert!(matches!(&error, FetchError::Job(error) if error.to_string().contains("the profile is exact")), "{error}");
}
