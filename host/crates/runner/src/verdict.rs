//! The end of a check: match, mismatch with the first difference, or unchecked with the reason.
//!
//! Outcomes are compared bit for bit, except where a native job ran on two classes of device and declares how far its
//! outputs may then be apart: see `agree.rs`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use samebit_engine::Observer;
use samebit_engine::spec::{BlobRef, DeviceUsed, Measured, Name, Outcome, Profile, Receipt};
use samebit_proof::{BlobDifference, Comparison, Difference, Doubt, Verdict, compare, compare_tolerantly};
use samebit_store::Pin as Kept;
use thiserror::Error;
use tracing::debug;

use crate::agree::{Disagreement, agree, is_another_shape};
use crate::hashing::{blocking, hash};
use crate::side::{Side, first_difference};
use crate::{Host, Replayed};

/// Gets a blob into the store, where it stays while what this gives is held; or gives the reason why not.
pub type Bring = Arc<dyn Fn(BlobRef) -> Pin<Box<dyn Future<Output = Result<Kept, String>> + Send>> + Send + Sync>;

/// What is claimed to be a receipt's outputs.
#[derive(Clone, Default)]
pub struct Claims {
    /// Files, by the output's name.
    pub files: BTreeMap<Name, PathBuf>,
    /// Where to get an output that is neither given nor in the store, if a tolerance cannot be told without it.
    pub bring: Option<Bring>,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").field("files", &self.files).finish_non_exhaustive()
    }
}

/// A claimed output cannot be looked at.
#[derive(Debug, Error)]
#[error("the claimed output {name} cannot be read from {}: {source}", path.display())]
pub struct ClaimsError {
    /// Which output.
    pub name: Name,
    /// Which file.
    pub path: PathBuf,
    /// The cause.
    pub source: io::Error,
}

/// A file that was given as an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Which output it was given as.
    pub name: Name,
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub blob: BlobRef,
}

/// What a check came to.
#[derive(Debug)]
pub struct Verification {
    /// The verdict.
    pub verdict: Verdict,
    /// If the verdict is about a given file that is not what the receipt signs: which. The difference's claimed side is
    /// the file then, and its replayed side what is signed.
    pub file: Option<FoundFile>,
    /// What the job came to here, if it ran to an end.
    pub replayed: Option<(Outcome, Measured)>,
}

/// Runs a receipt's job again and compares. Nothing is stored.
///
/// A machine that cannot run the job says `unchecked`, with one exception: a given file that is not what the receipt
/// signs is a mismatch whether or not the job could run.
pub async fn verify(
    host: &Host,
    receipt: &Receipt,
    claims: Claims,
    observer: Arc<dyn Observer>,
) -> Result<Verification, ClaimsError> {
    let bring = claims.bring.clone();
    let files = Arc::new(look_at(claims).await?);
    let (replayed, failure) = match Replayed::replay(host, receipt, observer).await {
        Ok(replayed) => (Some(replayed), None),
        Err(error) => (None, Some(Verdict::unchecked(error))),
    };
    let check = Check { host, receipt, files, bring, replayed };
    let verdict = match (&check.replayed, failure) {
        (Some(replayed), _) => check.compare(replayed).await,
        (None, failure) => failure.unwrap_or_else(|| Verdict::unchecked("the job was not run")),
    };
    let (verdict, file) = match verdict {
        Verdict::Mismatch { difference } => (Verdict::mismatch(check.locate(difference).await), None),
        verdict => match check.wrong_file().await {
            Some((file, difference)) => (Verdict::mismatch(difference), Some(file)),
            None => (verdict, None),
        },
    };
    let replayed = check.replayed.map(|replayed| (replayed.found, replayed.measured));
    Ok(Verification { verdict, file, replayed })
}

/// Hashes the given files.
async fn look_at(claims: Claims) -> Result<Vec<FoundFile>, ClaimsError> {
    let mut files = Vec::new();
    for (name, path) in claims.files {
        let to_read = path.clone();
        let found = blocking(move || {
            if !std::fs::metadata(&to_read)?.is_file() {
                return Err(io::Error::other("it is not a regular file"));
            }
            hash(&mut File::open(to_read)?)
        });
        match found.await {
            Ok((hash, size_bytes)) => files.push(FoundFile { name, path, blob: BlobRef { hash, size_bytes } }),
            Err(source) => return Err(ClaimsError { name, path, source }),
        }
    }
    Ok(files)
}

/// Everything a check has at hand.
struct Check<'a> {
    host: &'a Host,
    receipt: &'a Receipt,
    files: Arc<Vec<FoundFile>>,
    bring: Option<Bring>,
    replayed: Option<Replayed>,
}

impl Check<'_> {
    /// Compares what the job came to here with what is claimed.
    async fn compare(&self, replayed: &Replayed) -> Verdict {
        let (claimed, found) = (&self.receipt.outcome, &replayed.found);
        let job = &self.receipt.job;
        if job.profile == Profile::Exact || self.is_same_class(replayed) {
            return compare(claimed, found);
        }
        let doubts = match compare_tolerantly(claimed, found, &job.tolerances) {
            Ok(doubts) if doubts.is_empty() => return Verdict::bitwise(),
            Ok(doubts) => doubts,
            Err(difference) => return Verdict::mismatch(difference),
        };
        let mut outputs = BTreeMap::new();
        for doubt in doubts {
            let (claimed, _kept) = match self.claimed(&doubt).await {
                Ok(claimed) => claimed,
                Err(reason) => return Verdict::unchecked(reason),
            };
            match agree(self.host, job, replayed, &doubt, claimed).await {
                Ok(agreement) => outputs.insert(doubt.name, agreement),
                Err(Disagreement::Differs(difference)) => return Verdict::mismatch(difference),
                Err(Disagreement::Unknown(reason)) => return Verdict::unchecked(reason),
            };
        }
        Verdict::Match { comparison: Comparison::Declared { outputs } }
    }

    /// True if the host's device and this machine's owe each other the same bits.
    fn is_same_class(&self, replayed: &Replayed) -> bool {
        let [there, here] = [&self.receipt.measured, &replayed.measured]
            .map(|measured| measured.device.as_ref().map(DeviceUsed::class));
        there == here
    }

    /// Finds the first differing byte, if the claimed bytes are at hand: given as a file, or in the store.
    async fn locate(&self, difference: Difference) -> Difference {
        let (Some(blobs), Some(replayed)) = (difference.blobs(), &self.replayed) else { return difference };
        let name = match &difference {
            Difference::Output { name, .. } => Some(name),
            _ => None,
        };
        let Some(claimed) = self.signed(name, &blobs.claimed).await else { return difference };
        let Some(here) = Side::of_replay(replayed, name) else { return difference };
        match first_difference(claimed, here).await {
            Some(byte) => difference.with_byte(byte),
            None => difference,
        }
    }

    /// The first given file that is not what the receipt signs.
    async fn wrong_file(&self) -> Option<(FoundFile, Difference)> {
        for file in self.files.iter() {
            let name = file.name.clone();
            let Some(signed) = self.receipt.outcome.outputs.get(&name) else {
                return Some((file.clone(), Difference::OutputMissing { name, claimed: file.blob }));
            };
            if *signed == file.blob {
                continue;
            }
            let blobs = BlobDifference { claimed: file.blob, replayed: *signed, byte: None };
            let difference = Difference::Output { name: name.clone(), blobs };
            // The signed bytes: the re-run gave them, if it matched to the bit; else the store may have them.
            let same = self.replayed.as_ref().filter(|replayed| replayed.found.outputs.get(&name) == Some(signed));
            let signed = match same.and_then(|replayed| Side::of_replay(replayed, Some(&name))) {
                Some(replayed) => Some(replayed),
                None => self.stored(signed).await,
            };
            let Some(signed) = signed else { return Some((file.clone(), difference)) };
            let given = Side::File { path: file.path.clone(), size_bytes: file.blob.size_bytes };
            let byte = first_difference(given, signed).await;
            let difference = byte.into_iter().fold(difference, Difference::with_byte);
            return Some((file.clone(), difference));
        }
        None
    }

    /// Bytes that the receipt signs.
    async fn signed(&self, name: Option<&Name>, blob: &BlobRef) -> Option<Side> {
        let given = self.files.iter().find(|file| Some(&file.name) == name && file.blob == *blob);
        match given {
            Some(file) => Some(Side::File { path: file.path.clone(), size_bytes: blob.size_bytes }),
            None => self.stored(blob).await,
        }
    }

    /// The claimed bytes of an output in doubt, which are brought if they are wanted and not at hand.
    async fn claimed(&self, doubt: &Doubt) -> Result<(Option<Side>, Option<Kept>), String> {
        let Doubt { name, claimed, .. } = doubt;
        let at_hand = self.signed(Some(name), claimed).await;
        let (None, Some(bring)) = (&at_hand, &self.bring) else { return Ok((at_hand, None)) };
        // No honest run ends with more, so it is not worth this machine's disk; nor what is decided without.
        if claimed.size_bytes > self.receipt.job.limits.output_bytes || is_another_shape(doubt) {
            return Ok((None, None));
        }
        let kept = bring(*claimed)
            .await
            .map_err(|why| format!("output {name} has other bytes here, and the claimed ones cannot be had: {why}"))?;
        Ok((self.stored(claimed).await, Some(kept)))
    }

    async fn stored(&self, blob: &BlobRef) -> Option<Side> {
        match self.host.store.open_blob(&blob.hash).await {
            Ok(blob) => Some(blob.into()),
            Err(error) => {
                debug!("the claimed bytes are not at hand: {error}");
                None
            }
        }
    }
}
