//! How jobs, outcomes and receipts are shown, to people and to programs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use samebit_runner::spec::{BlobRef, JobSpec, Limit, Measured, Name, Outcome, Receipt, Status, Tolerance};
use serde_json::{Map, Value, json};

use crate::output::{Text, size};

/// A blob.
pub(crate) fn blob_json(blob: &BlobRef) -> Value {
    json!({ "hash": blob.hash.to_string(), "size_bytes": blob.size_bytes })
}

/// One word for a status.
pub(crate) fn status_word(status: &Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Failed(_) => "failed",
        Status::Exited(_) => "exited",
        Status::Trapped(_) => "trapped",
        Status::Exceeded(_) => "exceeded",
    }
}

/// What follows the word: the message, the code, the trap or the limit.
pub(crate) fn status_detail(status: &Status) -> Option<String> {
    match status {
        Status::Ok => None,
        Status::Failed(message) => Some(message.clone()),
        Status::Exited(code) => Some(code.to_string()),
        Status::Trapped(trap) => Some(trap.to_string()),
        Status::Exceeded(limit) => Some(limit.to_string()),
    }
}

/// A job.
pub(crate) fn job_json(job: &JobSpec) -> Value {
    let limits = Limit::ALL.iter().map(|limit| (limit.to_string(), job.limits.get(*limit).into()));
    let tolerance = |(name, tolerance): (&Name, &Tolerance)| (name.to_string(), tolerance.to_string().into());
    json!({
        "id": job.id().to_string(),
        "module": blob_json(&job.module),
        "args": job.args,
        "inputs": job.inputs.iter().map(|(name, blob)| (name.to_string(), blob_json(blob))).collect::<Map<_, _>>(),
        "limits": limits.collect::<Map<String, Value>>(),
        "profile": job.profile.to_string(),
        "tolerances": job.tolerances.iter().map(tolerance).collect::<Map<_, _>>(),
    })
}

/// An outcome, with where its outputs were written.
pub(crate) fn outcome_json(outcome: &Outcome, paths: &BTreeMap<Name, PathBuf>) -> Value {
    let output = |(name, blob): (&Name, &BlobRef)| {
        let path = paths.get(name).map(|path| path.display().to_string());
        let value = json!({ "hash": blob.hash.to_string(), "size_bytes": blob.size_bytes, "path": path });
        (name.to_string(), value)
    };
    json!({
        "id": outcome.id().to_string(),
        "status": status_word(&outcome.status),
        "detail": status_detail(&outcome.status),
        "outputs": outcome.outputs.iter().map(output).collect::<Map<_, _>>(),
        "log": blob_json(&outcome.log),
        "fuel": outcome.fuel,
    })
}

/// What a host measured.
pub(crate) fn measured_json(measured: &Measured) -> Value {
    let device = measured.device.as_ref();
    json!({
        "program": measured.program,
        "started_unix_ms": measured.started_unix_ms,
        "run_time_us": measured.run_time_us,
        "memory_peak_bytes": measured.memory_peak_bytes,
        "gpu_memory_peak_bytes": measured.gpu_memory_peak_bytes,
        "dispatches": measured.dispatches,
        "device": device.map(|device| json!({
            "name": device.name,
            "driver": device.driver,
            "backend": device.backend,
            "battery": device.battery.map(|battery| battery.to_string()),
        })),
        "energy_mj": measured.energy_mj,
    })
}

/// A whole receipt.
pub(crate) fn receipt_json(receipt: &Receipt) -> Value {
    json!({
        "id": receipt.id().to_string(),
        "host": receipt.host.to_string(),
        "signature": "valid",
        "job": job_json(&receipt.job),
        "outcome": outcome_json(&receipt.outcome, &BTreeMap::new()),
        "measured": measured_json(&receipt.measured),
    })
}

/// A blob on a line.
pub(crate) fn blob_text(blob: &BlobRef) -> String {
    format!("{} ({})", blob.hash, size(blob.size_bytes))
}

/// A job for people.
pub(crate) fn job_text(job: &JobSpec, text: &mut Text) {
    text.field("job", job.id());
    text.field("module", blob_text(&job.module));
    for arg in &job.args {
        text.field("argument", arg);
    }
    for (name, blob) in &job.inputs {
        text.field("input", format_args!("{name} {}", blob_text(blob)));
    }
    let limits = Limit::ALL.iter().map(|limit| format!("{limit} {}", job.limits.get(*limit)));
    text.field("limits", limits.collect::<Vec<_>>().join(", "));
    text.field("profile", job.profile);
    for (name, tolerance) in &job.tolerances {
        text.field("tolerance", format_args!("{name} {tolerance}"));
    }
}

/// An outcome for people.
pub(crate) fn outcome_text(outcome: &Outcome, text: &mut Text) {
    text.field("outcome", outcome.id());
    text.field("status", &outcome.status);
    for (name, blob) in &outcome.outputs {
        text.field("output", format_args!("{name} {}", blob_text(blob)));
    }
    text.field("log", blob_text(&outcome.log));
    text.field("fuel", outcome.fuel);
}

/// What was measured, for people.
pub(crate) fn measured_text(measured: &Measured, text: &mut Text) {
    text.field("program", &measured.program);
    text.field("started", format_args!("{} ms since 1970-01-01 UTC", measured.started_unix_ms));
    text.field("run time", format_args!("{:.3} ms", measured.run_time_us as f64 / 1e3));
    text.field("memory", format_args!("{} at most", size(measured.memory_peak_bytes)));
    if let Some(device) = &measured.device {
        text.field("device", device.class());
        if let Some(battery) = &device.battery {
            text.field("battery", battery);
        }
        text.field("gpu memory", format_args!("{} at most", size(measured.gpu_memory_peak_bytes)));
        text.field("dispatches", measured.dispatches);
    }
    if let Some(energy_mj) = measured.energy_mj {
        text.field("energy", format_args!("{energy_mj} mJ"));
    }
}
