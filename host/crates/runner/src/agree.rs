//! Outputs whose bytes differ from the claimed ones, and that the job lets differ to some extent.
//!
//! Either their numbers are within a tolerance, or the module's own `compare` says that the one may stand for the other.
//! Both need the claimed bytes: where they are not at hand, nothing can be said, which is not a mismatch.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use samebit_engine::spec::{JobSpec, Name, Profile, Status};
use samebit_engine::{Run, Silent};
use samebit_proof::{Agreement, Difference, Doubt, FloatComparer, FloatDifference, Within};

use crate::hashing::blocking;
use crate::side::{BUFFER_BYTES, Side};
use crate::{Host, Replayed};

/// Why an output does not count as the claimed one.
#[derive(Debug)]
pub(crate) enum Disagreement {
    /// It is another.
    Differs(Difference),
    /// It cannot be told, for this reason.
    Unknown(String),
}

/// Looks into an output whose bytes differ.
pub(crate) async fn agree(
    host: &Host,
    job: &JobSpec,
    replayed: &Replayed,
    doubt: &Doubt,
    claimed: Option<Side>,
) -> Result<Agreement, Disagreement> {
    let Doubt { name, tolerance, claimed: claimed_blob, replayed: replayed_blob } = doubt;
    if is_another_shape(doubt) {
        let (name, claimed, replayed) = (name.clone(), *claimed_blob, *replayed_blob);
        return Err(Disagreement::Differs(Difference::Shape { name, claimed, replayed }));
    }
    let here = Side::of_replay(replayed, Some(name));
    let (Some(claimed), Some(here)) = (claimed, here) else {
        return Err(Disagreement::Unknown(format!(
            "output {name} has other bytes here, and whether it is within {tolerance} can be told only from the claimed \
             ones: give them with --output {name}=FILE"
        )));
    };
    match FloatComparer::new(*tolerance) {
        Some(comparer) => floats(doubt, comparer, claimed, here).await.map(Agreement::Tolerance),
        None => ask_module(host, job, replayed, doubt, [claimed, here]).await.map(|()| Agreement::Compare),
    }
}

/// True if two outputs cannot be arrays of as many numbers, which shows without their bytes.
pub(crate) fn is_another_shape(doubt: &Doubt) -> bool {
    let [claimed, replayed] = [doubt.claimed.size_bytes, doubt.replayed.size_bytes];
    FloatComparer::new(doubt.tolerance).is_some() && (claimed != replayed || !claimed.is_multiple_of(4))
}

/// Compares two arrays of numbers.
async fn floats(doubt: &Doubt, comparer: FloatComparer, claimed: Side, here: Side) -> Result<Within, Disagreement> {
    let Doubt { name, tolerance, claimed: claimed_blob, .. } = doubt.clone();
    let size_bytes = claimed_blob.size_bytes;
    match blocking(move || compare(comparer, size_bytes, &claimed, &here)).await {
        Ok(Ok(within)) => Ok(within),
        Ok(Err(float)) => Err(Disagreement::Differs(Difference::Beyond { name, tolerance, float })),
        Err(error) => Err(unreadable(&name, &error)),
    }
}

fn compare(
    mut comparer: FloatComparer,
    size_bytes: u64,
    claimed: &Side,
    here: &Side,
) -> io::Result<Result<Within, FloatDifference>> {
    let (mut claimed, mut here) = (claimed.reader()?, here.reader()?);
    let mut buffers = [vec![0; BUFFER_BYTES], vec![0; BUFFER_BYTES]];
    let mut left_bytes = size_bytes;
    while left_bytes > 0 {
        let len = BUFFER_BYTES.min(usize::try_from(left_bytes).unwrap_or(BUFFER_BYTES));
        let [claimed_bytes, here_bytes] = buffers.each_mut().map(|buffer| &mut buffer[..len]);
        claimed.read_exact(claimed_bytes)?;
        here.read_exact(here_bytes)?;
        if let Err(difference) = comparer.chunk(claimed_bytes, here_bytes) {
            return Ok(Err(difference));
        }
        left_bytes -= len as u64;
    }
    Ok(Ok(comparer.within()))
}

/// Asks the module's own `compare`, in the same sandbox as its job, with the job's limits.
async fn ask_module(
    host: &Host,
    job: &JobSpec,
    replayed: &Replayed,
    doubt: &Doubt,
    sides: [Side; 2],
) -> Result<(), Disagreement> {
    let name = &doubt.name;
    let mut inputs = BTreeMap::new();
    let mut job = JobSpec { inputs: BTreeMap::new(), tolerances: BTreeMap::new(), ..job.clone() };
    // On whatever device: two verifiers must hear the same answer.
    job.profile = Profile::Exact;
    for (text, side, blob) in [("claimed", &sides[0], doubt.claimed), ("replayed", &sides[1], doubt.replayed)] {
        let input = side.input().map_err(|error| unreadable(name, &error))?;
        let text = Name::new(text).map_err(|error| Disagreement::Unknown(error.to_string()))?;
        job.inputs.insert(text.clone(), blob);
        inputs.insert(text, input);
    }
    let run = Run {
        job,
        inputs,
        scratch_dir: host.store.scratch_dir().to_owned(),
        device: host.device.clone(),
        wall_time: host.wall_time,
        observer: Arc::new(Silent),
    };
    let unknown = |why: &dyn std::fmt::Display| {
        Disagreement::Unknown(format!("output {name} has other bytes here, and the module's own compare {why}"))
    };
    match host.engine.compare(&replayed.module, run, name).await {
        Err(error) => Err(unknown(&format_args!("came to nothing: {error}"))),
        Ok(ran) => match ran.status {
            Status::Ok => Ok(()),
            Status::Failed(reason) => Err(Disagreement::Differs(Difference::Refused { name: name.clone(), reason })),
            status => Err(unknown(&format_args!("did not answer: {status}"))),
        },
    }
}

fn unreadable(name: &Name, error: &io::Error) -> Disagreement {
    Disagreement::Unknown(format!("output {name} could not be read while it was compared: {error}"))
}
