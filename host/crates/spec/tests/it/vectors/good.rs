//! Vectors that must be accepted.

use data_encoding::HEXLOWER;
use samebit_spec::{Hash, JobSpec, Measured, Outcome, Receipt};

use super::{Kind, Vector};
use crate::samples;

pub(super) fn accepted<T: Kind>(name: &str, value: T) -> Vector<T> {
    Vector {
        name: name.to_owned(),
        expect: "ok".to_owned(),
        releases: None,
        why: None,
        id: Some(value.id_text()),
        secret_key: None,
        job_id: None,
        outcome_id: None,
        bytes: HEXLOWER.encode(&value.write()),
        value: Some(value),
    }
}

pub(super) fn jobs() -> Vec<Vector<JobSpec>> {
    vec![
        accepted("worked-example", samples::job()),
        accepted("minimal", samples::minimal_job()),
        accepted("large", samples::large_job()),
        accepted("tolerances", samples::tolerant_job()),
    ]
}

pub(super) fn outcomes() -> Vec<Vector<Outcome>> {
    samples::outcomes().into_iter().map(|(name, outcome)| accepted(&name, outcome)).collect()
}

pub(super) fn receipts() -> Vec<Vector<Receipt>> {
    let plain = Measured { device: None, energy_mj: Some(u64::MAX), ..samples::measured() };
    let mut proven = samples::measured();
    if let Some(device) = &mut proven.device {
        device.battery = Some(Hash::of(b"battery"));
    }
    let (_, longest) = samples::outcomes().swap_remove(5);
    [
        ("worked-example", 0, samples::job(), samples::outcome(), samples::measured()),
        ("without-device", 1, samples::minimal_job(), samples::outcome(), plain.clone()),
        ("large", 1, samples::large_job(), longest, plain),
        ("battery", 0, samples::tolerant_job(), samples::outcome(), proven),
    ]
    .into_iter()
    .map(|(name, key, job, outcome, measured)| {
        let (job_id, outcome_id) = (job.id().to_string(), outcome.id().to_string());
        let receipt = Receipt::sign(job, outcome, measured, &samples::secret_key(key));
        Vector {
            secret_key: Some(samples::SECRET_KEYS[key].to_owned()),
            job_id: Some(job_id),
            outcome_id: Some(outcome_id),
            ..accepted(name, receipt)
        }
    })
    .collect()
}
