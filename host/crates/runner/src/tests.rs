//! Jobs from their spec to a receipt, and receipts to their verdict, with guests in WebAssembly text.

mod support;
mod tolerances;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use samebit_engine::spec::{Limit, Limits, Outcome, Receipt, SecretKey, Status, Trap};
use samebit_engine::{Event, Observer, Silent};
use samebit_proof::{Difference, Verdict};
use samebit_store::ImportBy;

use crate::tests::support::{CAT, Machine, SPIN, STDERR_FIRST, TRAP, fails, key, name};
use crate::{Claims, FetchError, Fetched, Part, RunError, verify};

fn claims(output: &str, path: &std::path::Path) -> Claims {
    Claims { files: BTreeMap::from([(name(output), path.to_owned())]), ..Claims::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_matches_on_a_machine_that_never_saw_the_job() {
    let host = Machine::new().await;
    let receipt = host.sign(&host.job(CAT, &[("stdin", b"some text")]).await).await;
    let outputs: Vec<_> = receipt.outcome.outputs.keys().map(|name| name.as_str()).collect();
    assert_eq!((receipt.outcome.status.clone(), outputs), (Status::Ok, vec!["stdout"]));
    assert!(host.has(&receipt.outcome.outputs[&name("stdout")]).await, "a receipt's outputs are stored");
    assert_eq!(host.host.store.receipt(&receipt.id()).await.expect("kept"), receipt);

    let verifier = Machine::new().await;
    verifier.job(CAT, &[("stdin", b"some text")]).await;
    let verification = verifier.verify(&receipt, Claims::default()).await;
    assert_eq!(verification.verdict, Verdict::bitwise());
    assert_eq!(verification.replayed.expect("it ran").0, receipt.outcome);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_stores_nothing() {
    let host = Machine::new().await;
    let receipt = host.sign(&host.job(STDERR_FIRST, &[("stdin", b"text")]).await).await;
    assert!(receipt.outcome.log.size_bytes > 0);
    let verifier = Machine::new().await;
    verifier.job(STDERR_FIRST, &[("stdin", b"text")]).await;
    assert_eq!(verifier.verify(&receipt, Claims::default()).await.verdict, Verdict::bitwise());
    assert!(!verifier.has(&receipt.outcome.log).await);
    assert!(verifier.host.store.receipts().await.expect("listed").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_signed_and_match() {
    let host = Machine::new().await;
    for (text, status) in [
        (TRAP.to_owned(), Status::Trapped(Trap::Unreachable)),
        (SPIN.to_owned(), Status::Exceeded(Limit::Fuel)),
        (fails(), Status::Failed("it failed".to_owned())),
    ] {
        let mut job = host.job(&text, &[]).await;
        job.limits.fuel = 10_000_000;
        let receipt = host.sign(&job).await;
        assert_eq!(receipt.outcome.status, status);
        assert_eq!(host.sign(&job).await.outcome.encode(), receipt.outcome.encode());
        assert_eq!(host.verify(&receipt, Claims::default()).await.verdict, Verdict::bitwise());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_missing_is_named() {
    let host = Machine::new().await;
    let receipt = host.sign(&host.job(CAT, &[("stdin", b"text"), ("other", b"more")]).await).await;
    let verifier = Machine::new().await;
    verifier.blob(b"more").await;
    let Verdict::Unchecked { reason } = verifier.verify(&receipt, Claims::default()).await.verdict else {
        panic!("nothing could be run")
    };
    let stdin = receipt.job.inputs[&name("stdin")].hash;
    for part in [format!("the module ({})", receipt.job.module.hash), format!("input stdin ({stdin})")] {
        assert!(reason.contains(&part), "{reason}");
    }
    assert!(!reason.contains("other"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_claim_is_a_mismatch_at_its_first_byte() {
    let host = Machine::new().await;
    let honest = host.sign(&host.job(CAT, &[("stdin", b"the truth")]).await).await;
    let forge = |outcome: Outcome| Receipt::sign(honest.job.clone(), outcome, honest.measured.clone(), &key());

    let mut outcome = honest.outcome.clone();
    outcome.outputs.insert(name("stdout"), host.blob(b"the Truth").await);
    let verdict = host.verify(&forge(outcome.clone()), Claims::default()).await.verdict;
    let text = verdict.to_string();
    assert!(text.contains("output stdout differs at byte 4: claimed 0x54, replayed 0x74"), "{text}");

    // Without the claimed bytes there is still a verdict; with them as a file, there is the byte again.
    let verifier = Machine::new().await;
    verifier.job(CAT, &[("stdin", b"the truth")]).await;
    let Verdict::Mismatch { difference } = verifier.verify(&forge(outcome.clone()), Claims::default()).await.verdict
    else {
        panic!("a mismatch")
    };
    assert_eq!(difference.blobs().expect("of bytes").byte, None);
    let file = verifier.file("claimed", b"the Truth");
    let verification = verifier.verify(&forge(outcome), claims("stdout", &file)).await;
    assert!(verification.verdict.to_string().contains("differs at byte 4"), "{}", verification.verdict);
    assert_eq!(verification.file, None, "the file is what the receipt claims: the claim is false");

    let fuel = Outcome { fuel: honest.outcome.fuel + 1, ..honest.outcome.clone() };
    let Verdict::Mismatch { difference } = host.verify(&forge(fuel), Claims::default()).await.verdict else {
        panic!("a mismatch")
    };
    assert!(matches!(difference, Difference::Fuel { .. }), "{difference}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_what_was_signed_is_a_mismatch() {
    let host = Machine::new().await;
    let receipt = host.sign(&host.job(CAT, &[("stdin", b"some text")]).await).await;
    let right = host.file("right", b"some text");
    assert_eq!(host.verify(&receipt, claims("stdout", &right)).await.verdict, Verdict::bitwise());

    let wrong = host.file("wrong", b"some test");
    let verification = host.verify(&receipt, claims("stdout", &wrong)).await;
    assert!(
        verification.verdict.to_string().contains("byte 7: claimed 0x73, replayed 0x78"),
        "{}",
        verification.verdict
    );
    assert_eq!(verification.file.expect("the file").path, wrong);

    // Also where the job cannot be run.
    let verification = Machine::new().await.verify(&receipt, claims("stdout", &wrong)).await;
    assert!(matches!(verification.verdict, Verdict::Mismatch { .. }) && verification.replayed.is_none());

    let verification = host.verify(&receipt, claims("stderr", &right)).await;
    assert!(matches!(verification.verdict, Verdict::Mismatch { difference: Difference::OutputMissing { .. } }));
    verify(&host.host, &receipt, claims("stdout", &host.file("gone", b"").join("x")), Arc::new(Silent))
        .await
        .expect_err("no such file");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_host_does_not_grant_is_refused_before_anything_is_read() {
    let mut host = Machine::new().await;
    let receipt = host.sign(&host.job(CAT, &[]).await).await;
    host.host.caps = Limits { log_bytes: receipt.job.limits.log_bytes - 1, ..Limits::default() };
    let error = Fetched::fetch(&host.host, receipt.job.clone()).await.expect_err("over the cap");
    assert!(matches!(&error, FetchError::Limit(error) if error.limit == Limit::Log), "{error}");
    let verdict = host.verify(&receipt, Claims::default()).await.verdict;
    assert!(matches!(&verdict, Verdict::Unchecked { reason } if reason.contains("log")), "{verdict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_lies_about_a_size_is_refused() {
    let host = Machine::new().await;
    let mut job = host.job(CAT, &[("stdin", b"text")]).await;
    job.inputs.get_mut(&name("stdin")).expect("given").size_bytes = 1 << 40;
    let error = Fetched::fetch(&host.host, job).await.expect_err("a lie");
    assert!(matches!(error, FetchError::Size { part: Part::Input(_), claimed, found: 4 } if claimed == 1 << 40));
}

#[tokio::test(flavor = "multi_thread")]
async fn running_out_of_time_leaves_no_receipt_and_no_verdict() {
    let mut host = Machine::new().await;
    host.host.wall_time = Some(Duration::from_millis(100));
    let mut job = host.job(SPIN, &[]).await;
    job.limits.fuel = u64::MAX / 2;
    let compiled = Fetched::fetch(&host.host, job.clone()).await.expect("there").compile(&host.host).await;
    let error = compiled.expect("a module").run(&host.host, Arc::new(Silent)).await.expect_err("out of time");
    assert!(matches!(error, RunError::Engine(samebit_engine::RunError::WallTime(_))), "{error}");

    let claimed =
        Outcome { status: Status::Ok, outputs: BTreeMap::new(), log: samebit_engine::spec::BlobRef::of(b""), fuel: 1 };
    let honest = host.sign(&host.job(CAT, &[]).await).await;
    let receipt = Receipt::sign(job, claimed, honest.measured, &SecretKey::from_bytes(&[9; 32]));
    let verdict = host.verify(&receipt, Claims::default()).await.verdict;
    assert!(matches!(&verdict, Verdict::Unchecked { .. }), "{verdict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_changes_under_the_job_leaves_no_receipt() {
    struct Meddler(std::path::PathBuf);
    impl Observer for Meddler {
        fn event(&self, event: Event<'_>) {
            if matches!(event, Event::Log(..)) {
                let bytes = std::fs::read(&self.0).expect("readable");
                std::fs::write(&self.0, [&bytes, b"more".as_slice()].concat()).expect("writable");
            }
        }
    }
    let host = Machine::new().await;
    let path = host.file("input", &vec![7; 3 << 20]);
    let (blob, _pin) = host.host.store.import_file(&path, ImportBy::Reference).await.expect("imported");
    let mut job = host.job(STDERR_FIRST, &[]).await;
    job.inputs.insert(name("stdin"), blob);
    let compiled = Fetched::fetch(&host.host, job).await.expect("there").compile(&host.host).await.expect("a module");
    let error = compiled.run(&host.host, Arc::new(Meddler(path))).await.expect_err("the input was changed");
    assert!(matches!(&error, RunError::InputChanged { name, .. } if name.as_str() == "stdin"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_outputs_are_moved_and_found_again() {
    let host = Machine::new().await;
    let bytes: Vec<u8> = (0..5_000_000_u32).flat_map(|index| index.to_le_bytes()).collect();
    let receipt = host.sign(&host.job(CAT, &[("stdin", &bytes)]).await).await;
    let output = receipt.outcome.outputs[&name("stdout")];
    assert_eq!(output, samebit_engine::spec::BlobRef::of(&bytes));
    assert!(host.has(&output).await);
    let left = std::fs::read_dir(host.host.store.scratch_dir()).expect("a folder").count();
    assert_eq!(left, 0, "nothing is left in the scratch folder");
    let mut claimed = bytes;
    claimed[12_345_678] ^= 1;
    let file = host.file("claimed", &claimed);
    let text = host.verify(&receipt, claims("stdout", &file)).await.verdict.to_string();
    assert!(text.contains("differs at byte 12,345,678"), "{text}");
}
