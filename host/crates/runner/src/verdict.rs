//! The end of a check: match, mismatch with the first difference, or unchecked with the reason.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor};
use std::path::PathBuf;
use std::sync::Arc;

use samebit_engine::Observer;
use samebit_engine::spec::{BlobRef, Measured, Name, Outcome, Receipt};
use samebit_proof::{BlobDifference, ByteComparer, ByteDifference, Difference, Step, Verdict, compare};
use samebit_store::Blob;
use thiserror::Error;
use tracing::debug;

use crate::hashing::{blocking, hash};
use crate::{Host, Replayed};

/// How much of each stream is held at once while two are compared.
const BUFFER_BYTES: usize = 1 << 18;

/// Files that somebody says are a receipt's outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// By the output's name.
    pub files: BTreeMap<Name, PathBuf>,
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
    let files = Arc::new(look_at(claims).await?);
    let (verdict, replayed) = match Replayed::replay(host, receipt, observer).await {
        Ok(replayed) => (compare(&receipt.outcome, &replayed.found), Some(replayed)),
        Err(error) => (Verdict::unchecked(error), None),
    };
    let check = Check { host, receipt, files, replayed };
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
    replayed: Option<Replayed>,
}

/// Opens a stream of bytes to compare.
type Opener = Box<dyn FnOnce() -> io::Result<Box<dyn BufRead>> + Send>;

impl Check<'_> {
    /// Finds the first differing byte, if the claimed bytes are at hand: given as a file, or in the store.
    async fn locate(&self, difference: Difference) -> Difference {
        let (Some(blobs), Some(replayed)) = (difference.blobs(), &self.replayed) else { return difference };
        let name = match &difference {
            Difference::Output { name, .. } => Some(name),
            _ => None,
        };
        let Some(claimed) = self.signed(name, &blobs.claimed).await else { return difference };
        let Some(here) = of_replay(replayed, name) else { return difference };
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
            // The signed bytes: the re-run gave them, if it matched; else the store may have them.
            let signed = match self.replayed.as_ref().and_then(|replayed| of_replay(replayed, Some(&name))) {
                Some(replayed) => Some(replayed),
                None => self.stored(signed).await,
            };
            let Some(signed) = signed else { return Some((file.clone(), difference)) };
            let byte = first_difference(of_file(file.path.clone()), signed).await;
            let difference = byte.into_iter().fold(difference, Difference::with_byte);
            return Some((file.clone(), difference));
        }
        None
    }

    /// Bytes that the receipt signs.
    async fn signed(&self, name: Option<&Name>, blob: &BlobRef) -> Option<Opener> {
        let given = self.files.iter().find(|file| Some(&file.name) == name && file.blob == *blob);
        match given {
            Some(file) => Some(of_file(file.path.clone())),
            None => self.stored(blob).await,
        }
    }

    async fn stored(&self, blob: &BlobRef) -> Option<Opener> {
        match self.host.store.open_blob(&blob.hash).await {
            Ok(Blob::Bytes(bytes)) => Some(Box::new(move || Ok(Box::new(Cursor::new(bytes)) as _))),
            Ok(Blob::File(file)) => Some(of_file(file.path().to_owned())),
            Err(error) => {
                debug!("the claimed bytes are not at hand: {error}");
                None
            }
        }
    }
}

fn of_file(path: PathBuf) -> Opener {
    Box::new(move || Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, File::open(path)?)) as _))
}

/// What the re-run wrote: an output, or its log.
fn of_replay(replayed: &Replayed, name: Option<&Name>) -> Option<Opener> {
    let Some(name) = name else {
        let log = replayed.log.clone();
        return Some(Box::new(move || Ok(Box::new(Cursor::new(log)) as _)));
    };
    if !replayed.outputs.contains_key(name) {
        return None;
    }
    let (outputs, name) = (replayed.outputs.clone(), name.clone());
    Some(Box::new(move || {
        let spool = outputs.get(&name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, spool.reader()?)) as _)
    }))
}

/// The first byte in which two streams differ. Failing to find it changes no verdict.
async fn first_difference(claimed: Opener, replayed: Opener) -> Option<ByteDifference> {
    let compared = blocking(move || {
        let (mut claimed, mut replayed) = (claimed()?, replayed()?);
        let mut comparer = ByteComparer::default();
        loop {
            match comparer.step(claimed.fill_buf()?, replayed.fill_buf()?) {
                Step::Equal(len) => {
                    claimed.consume(len);
                    replayed.consume(len);
                }
                Step::Differs(difference) => return Ok(Some(difference)),
                Step::End => return Ok(None),
            }
        }
    });
    compared.await.unwrap_or_else(|error| {
        debug!("the first differing byte could not be looked for: {error}");
        None
    })
}
