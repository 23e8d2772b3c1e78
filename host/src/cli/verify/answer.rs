//! What `samebit verify` answers: the verdict, and how it was reached.

use std::collections::BTreeMap;

use samebit_runner::Verification;
use samebit_runner::proof::{Agreement, Comparison, Difference, Verdict};
use samebit_runner::spec::{DeviceUsed, Name, Profile, Receipt};
use serde_json::{Map, Value, json};

use crate::cli::report::{blob_json, measured_json, outcome_json};
use crate::output::{BAD, GOOD, Text, UNSURE};

/// The answer for programs.
pub(super) fn to_json(receipt: &Receipt, verification: &Verification) -> Value {
    let Verification { verdict, file, replayed } = verification;
    let (word, difference, reason) = match verdict {
        Verdict::Match { .. } => ("match", None, None),
        Verdict::Mismatch { difference } => ("mismatch", Some(difference), None),
        Verdict::Unchecked { reason } => ("unchecked", None, Some(reason)),
    };
    json!({
        "verdict": word,
        "reason": reason,
        "comparison": comparison_json(verdict),
        "difference": difference.map(difference_json),
        "file": file.as_ref().map(|file| file.path.display().to_string()),
        "receipt": receipt.id().to_string(),
        "host": receipt.host.to_string(),
        "job": receipt.job.id().to_string(),
        "claimed": outcome_json(&receipt.outcome, &BTreeMap::new()),
        "replayed": replayed.as_ref().map(|(outcome, _)| outcome_json(outcome, &BTreeMap::new())),
        "measured": replayed.as_ref().map(|(_, measured)| measured_json(measured)),
    })
}

/// How a match was compared: the word, and what was found of each output whose bytes differ.
fn comparison_json(verdict: &Verdict) -> Value {
    let Verdict::Match { comparison } = verdict else { return Value::Null };
    let Comparison::Declared { outputs } = comparison else {
        return json!({ "kind": "bitwise", "outputs": {} });
    };
    let output = |(name, agreement): (&Name, &Agreement)| {
        let value = match agreement {
            Agreement::Tolerance(within) => json!({
                "by": "tolerance",
                "tolerance": within.tolerance.to_string(),
                "largest": within.largest.to_string(),
                "differing": within.differing,
                "elements": within.elements,
            }),
            Agreement::Compare => json!({ "by": "compare" }),
        };
        (name.to_string(), value)
    };
    json!({ "kind": "declared", "outputs": outputs.iter().map(output).collect::<Map<_, _>>() })
}

fn difference_json(difference: &Difference) -> Value {
    let (kind, name) = match difference {
        Difference::Status { .. } => ("status", None),
        Difference::OutputMissing { name, .. } => ("output-missing", Some(name)),
        Difference::OutputExtra { name, .. } => ("output-extra", Some(name)),
        Difference::Output { name, .. } => ("output", Some(name)),
        Difference::Shape { name, .. } => ("shape", Some(name)),
        Difference::Beyond { name, .. } => ("beyond", Some(name)),
        Difference::Refused { name, .. } => ("refused", Some(name)),
        Difference::Log { .. } => ("log", None),
        Difference::Fuel { .. } => ("fuel", None),
        _ => ("other", None),
    };
    let blobs = difference.blobs();
    let byte = blobs.and_then(|blobs| blobs.byte);
    json!({
        "kind": kind,
        "name": name.map(ToString::to_string),
        "text": difference.to_string(),
        "claimed": blobs.map(|blobs| blob_json(&blobs.claimed)),
        "replayed": blobs.map(|blobs| blob_json(&blobs.replayed)),
        "byte": byte.map(|byte| json!({
            "offset": byte.offset, "claimed": byte.claimed, "replayed": byte.replayed,
        })),
    })
}

/// The answer for people.
pub(super) fn show(receipt: &Receipt, verification: &Verification, text: &mut Text) {
    match (&verification.verdict, &verification.file) {
        (Verdict::Match { comparison: Comparison::Bitwise }, _) => {
            text.headline(GOOD, "match", ": the outcome is the same, bit for bit");
        }
        (Verdict::Match { comparison: Comparison::Declared { outputs } }, _) => {
            text.headline(GOOD, "match", ": the outcome is the same, within what the job declares");
            for (name, agreement) in outputs {
                text.field("output", format_args!("{name} is {agreement}"));
            }
        }
        (Verdict::Mismatch { difference }, Some(file)) => {
            let path = file.path.display();
            text.headline(BAD, "mismatch", &format!(": {path} is not what the receipt signs: {difference}"));
        }
        (Verdict::Mismatch { difference }, None) => text.headline(BAD, "mismatch", &format!(": {difference}")),
        (Verdict::Unchecked { reason }, _) => text.headline(UNSURE, "unchecked", &format!(": {reason}")),
    }
    text.field("receipt", receipt.id());
    text.field("host", receipt.host);
    text.field("outcome", format_args!("{}, {}", receipt.outcome.id(), receipt.outcome.status));
    if let (Verdict::Mismatch { difference }, None, Some((_, measured))) =
        (&verification.verdict, &verification.file, &verification.replayed)
    {
        hint(receipt, difference, measured.device.as_ref(), text);
    }
}

/// In the native profile two honest hosts may differ: say so, lest somebody be accused.
fn hint(receipt: &Receipt, difference: &Difference, here: Option<&DeviceUsed>, text: &mut Text) {
    let (Some(there), Some(here)) = (&receipt.measured.device, here) else { return };
    if receipt.job.profile != Profile::Native || there.class() == here.class() {
        return;
    }
    let bits = "the profile is native, whose bits may depend on the device";
    text.field("note", format_args!("{bits}: {} signed, {} checked", there.class(), here.class()));
    if let Difference::Output { name, .. } = difference {
        text.field(
            "note",
            format_args!("a job may declare how far output {name} may be apart: run it with --tolerance"),
        );
    }
}
