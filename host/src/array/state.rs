//! The state file of an array: what is done, so that the same command goes on where it was left.
//!
//! One JSON object a line: first which array it is, then each receipt as it came, and each job whose files were written.
//! Lines are only ever appended. One that was cut by a crash ends the file: what it stood for is done again, which costs
//! a host that did the job nothing. Receipts are checked when they are read, so that a changed one is as good as none.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use samebit_runner::spec::{ENCODED_BYTES_MAX, Hash, Receipt};
use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::error::Failure;

/// The version of the format.
const VERSION: u32 = 1;
/// The longest line, in bytes: a receipt in hexadecimal digits, and what is around it.
const LINE_BYTES_MAX: u64 = 2 * ENCODED_BYTES_MAX as u64 + 4096;

/// The first line: which array this is, and where its files go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    samebit_array: u32,
    array: Hash,
    jobs: usize,
    out: Option<PathBuf>,
    receipts: Option<PathBuf>,
}

/// Any further line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// A receipt of a job.
    Receipt {
        /// The job's number.
        job: usize,
        /// The bytes of a receipt file, in hexadecimal digits.
        bytes: String,
    },
    /// Everything that was wanted of a job is written.
    Written {
        /// The job's number.
        job: usize,
    },
}

/// Something that was done before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// A job has this receipt.
    Receipt(usize, Box<Receipt>),
    /// A job's files are written.
    Written(usize),
}

/// An open state file. Nobody else has it open.
#[derive(Debug)]
pub(crate) struct State {
    file: File,
    path: PathBuf,
}

impl Head {
    /// Of an array whose outputs and receipts go to these folders.
    pub(crate) fn new(plan: &Plan, out: Option<&Path>, receipts: Option<&Path>) -> Self {
        let owned = |path: Option<&Path>| path.map(Path::to_owned);
        Self { samebit_array: VERSION, array: plan.id(), jobs: plan.len(), out: owned(out), receipts: owned(receipts) }
    }
}

impl State {
    /// Opens or makes an array's state file, and hands on what was done before.
    pub(crate) fn open(path: &Path, head: &Head, plan: &Plan, each: impl FnMut(Done)) -> Result<Self, Failure> {
        let failed = |why: String| Failure::usage("state", format!("the state file {}: {why}", path.display()));
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = options.map_err(|error| failed(format!("it cannot be opened: {error}")))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(failed("another command uses it: wait for that".to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(format!("it cannot be locked: {error}"))),
        }
        let end = read(&file, head, plan, each).map_err(failed)?;
        let begun = match end {
            Some(end) => file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end)).map(drop)),
            None => file.write_all(&line_of(head)).and_then(|()| file.sync_all()),
        };
        begun.map_err(|error| failed(format!("it cannot be written: {error}")))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Notes a receipt of a job.
    pub(crate) fn receipt(&mut self, job: usize, receipt: &Receipt) -> Result<(), Failure> {
        self.append(&Line::Receipt { job, bytes: to_hex(&receipt.encode()) })
    }

    /// Notes that everything of a job is written.
    pub(crate) fn written(&mut self, job: usize) -> Result<(), Failure> {
        self.append(&Line::Written { job })
    }

    /// Makes sure that what was noted survives a power cut, too.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        self.file.sync_data().map_err(|error| self.failed(&error))
    }

    fn append(&mut self, line: &Line) -> Result<(), Failure> {
        let written = self.file.write_all(&line_of(line));
        written.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        let path = self.path.display();
        Failure::host("state", format!("the state file {path} cannot be written: {error}; what is in it stays of use"))
    }
}

fn line_of(value: &impl Serialize) -> Vec<u8> {
    // These types have nothing that JSON lacks.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Reads what is there. Where the last good line ends, or `None` if there is nothing.
fn read(file: &File, head: &Head, plan: &Plan, mut each: impl FnMut(Done)) -> Result<Option<u64>, String> {
    let mut lines = Lines { reader: BufReader::new(file), end: 0 };
    let first = lines.next().map_err(|error| format!("it cannot be read: {error}"))?;
    let Some(first) = first else {
        let is_empty = file.metadata().is_ok_and(|metadata| metadata.len() == 0);
        return if is_empty { Ok(None) } else { Err("it is no state file: name another".to_owned()) };
    };
    let found: Head = serde_json::from_slice(&first).map_err(|_| "it is no state file: name another".to_owned())?;
    check_head(&found, head)?;
    let mut end = lines.end;
    while let Some(line) = lines.next().map_err(|error| format!("it cannot be read: {error}"))? {
        let Some(done) = done(&line, plan) else {
            tracing::warn!("the state file ends in a damaged line at byte {end}: what follows is done again");
            break;
        };
        each(done);
        end = lines.end;
    }
    Ok(Some(end))
}

fn check_head(found: &Head, wanted: &Head) -> Result<(), String> {
    if found.samebit_array != wanted.samebit_array {
        return Err(format!("it is of version {}, which this program does not read", found.samebit_array));
    }
    if (found.array, found.jobs) != (wanted.array, wanted.jobs) {
        let why = "it is of another array, of other jobs than these: give the same command, or name another state file";
        return Err(why.to_owned());
    }
    if (&found.out, &found.receipts) != (&wanted.out, &wanted.receipts) {
        let folder =
            |path: &Option<PathBuf>| path.as_ref().map_or("nowhere".to_owned(), |path| path.display().to_string());
        return Err(format!(
            "its array was begun with outputs to {} and receipts to {}: give the same, or name another state file",
            folder(&found.out),
            folder(&found.receipts),
        ));
    }
    Ok(())
}

/// What a line says, if it is whole and true.
fn done(line: &[u8], plan: &Plan) -> Option<Done> {
    match serde_json::from_slice(line).ok()? {
        Line::Receipt { job, bytes } if job < plan.len() => {
            let receipt = Receipt::decode(&from_hex(&bytes)?).ok()?;
            (receipt.job.id() == plan.job_id(job)).then(|| Done::Receipt(job, Box::new(receipt)))
        }
        Line::Written { job } if job < plan.len() => Some(Done::Written(job)),
        _ => None,
    }
}

/// Whole lines of bounded length.
struct Lines<R> {
    reader: R,
    /// Where the last line ended.
    end: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line, or `None` where there is no whole one.
    fn next(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Ok(None);
        }
        self.end += line.len() as u64;
        Ok(Some(line))
    }
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?)).collect()
}

#[cfg(test)]
pub(crate) mod tests;
