//! Outputs while they grow: in memory as long as they are small and few, in the scratch folder after that.
//!
//! The folder belongs to the host, and the files in it are named by the host; a guest's names never reach the file
//! system from here.

mod hashed;

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use samebit_spec::{Hash, Limit, Name};
use tempfile::TempPath;

use self::hashed::Tree;
use crate::RunError;
use crate::end::Stop;

/// Outputs up to this many bytes stay in memory.
const MEMORY_BYTES_MAX: usize = 1 << 20;

/// All outputs in memory have at most this many bytes together.
const MEMORY_BYTES_ALL_MAX: usize = 16 << 20;

/// The most files that are open at once, however many outputs a job has.
const FILES_OPEN_MAX: usize = 16;

/// The most outputs a job may have.
pub(crate) const OUTPUTS_MAX: usize = 4096;

/// A finished output.
#[derive(Debug)]
pub enum Spool {
    /// In memory.
    Memory(Bytes),
    /// In a file of the scratch folder, which is deleted with this value.
    File {
        /// Where it is.
        path: TempPath,
        /// Its length.
        size_bytes: u64,
        /// Its hash, if the device that made the bytes has hashed them where they lay. As good as that device: it is for
        /// whoever hashes the file to compare with.
        hash: Option<Hash>,
    },
}

impl Spool {
    /// The length in bytes.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { size_bytes, .. } => *size_bytes,
        }
    }

    /// Reads it from the beginning.
    pub fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(io::Cursor::new(bytes.clone())),
            Self::File { path, .. } => Box::new(File::open(path)?),
        })
    }
}

/// The outputs of a run. Shared by the `data` interface and the guest's standard output.
#[derive(Clone)]
pub(crate) struct Outputs(Arc<Mutex<Growing>>);

struct Growing {
    outputs: BTreeMap<Name, Output>,
    scratch_dir: PathBuf,
    size_bytes: u64,
    limit_bytes: u64,
    /// What those in memory have together.
    memory_bytes: usize,
    /// Those whose files are open, the longest open first.
    open: VecDeque<Name>,
    /// Those that the device has hashed, or begun to.
    trees: BTreeMap<Name, Tree>,
}

enum Output {
    Memory(Vec<u8>),
    /// The file is closed when there are too many, and opened again when it is appended to.
    File {
        path: TempPath,
        file: Option<File>,
        size_bytes: u64,
    },
}

impl Outputs {
    pub(crate) fn new(scratch_dir: PathBuf, limit_bytes: u64) -> Self {
        Self(Arc::new(Mutex::new(Growing {
            outputs: BTreeMap::new(),
            scratch_dir,
            size_bytes: 0,
            limit_bytes,
            memory_bytes: 0,
            open: VecDeque::new(),
            trees: BTreeMap::new(),
        })))
    }

    /// True if an output of this name exists or may still be created.
    pub(crate) fn has_room_for(&self, name: &Name) -> bool {
        let growing = self.lock();
        growing.outputs.len() < OUTPUTS_MAX || growing.outputs.contains_key(name)
    }

    /// Takes `size` bytes off what the job may still put out, or ends the job.
    pub(crate) fn reserve(&self, size: u64) -> Result<(), Stop> {
        let mut growing = self.lock();
        let total = growing.size_bytes.saturating_add(size);
        if total > growing.limit_bytes {
            return Err(Stop::Exceeded(Limit::Output));
        }
        growing.size_bytes = total;
        Ok(())
    }

    /// Appends bytes that were reserved before, creating the output if it is new.
    pub(crate) fn append_reserved(&self, name: &Name, bytes: &[u8]) -> io::Result<()> {
        self.lock().append(name, bytes)
    }

    /// Appends bytes, creating the output if it is new.
    pub(crate) fn append(&self, name: &Name, bytes: &[u8]) -> Result<(), Stop> {
        self.reserve(bytes.len() as u64)?;
        self.append_reserved(name, bytes).map_err(|error| Stop::Host(RunError::Output(error)))
    }

    /// The outputs so far, which are taken out.
    pub(crate) fn finish(&self) -> io::Result<BTreeMap<Name, Spool>> {
        let mut growing = self.lock();
        let (outputs, mut trees) = (std::mem::take(&mut growing.outputs), std::mem::take(&mut growing.trees));
        let finish = |(name, output): (Name, Output)| {
            let tree = trees.remove(&name);
            Ok((name, output.finish(tree)?))
        };
        outputs.into_iter().map(finish).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Growing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Growing {
    fn append(&mut self, name: &Name, bytes: &[u8]) -> io::Result<()> {
        let output = self.outputs.entry(name.clone()).or_insert_with(|| Output::Memory(Vec::new()));
        if let Output::Memory(held) = output {
            if held.len() + bytes.len() <= MEMORY_BYTES_MAX && self.memory_bytes + bytes.len() <= MEMORY_BYTES_ALL_MAX {
                held.extend_from_slice(bytes);
                self.memory_bytes += bytes.len();
                return Ok(());
            }
            self.memory_bytes -= held.len();
            *output = Output::in_file(held, &self.scratch_dir)?;
            self.open.push_back(name.clone());
        }
        if output.append_to_file(bytes)? {
            self.open.push_back(name.clone());
        }
        if self.open.len() > FILES_OPEN_MAX
            && let Some(Output::File { file, .. }) = self.open.pop_front().and_then(|name| self.outputs.get_mut(&name))
        {
            *file = None;
        }
        Ok(())
    }
}

impl Output {
    /// An output that begins with `held`, in an open file.
    fn in_file(held: &[u8], scratch_dir: &Path) -> io::Result<Self> {
        let (mut file, path) = tempfile::Builder::new().prefix("output-").tempfile_in(scratch_dir)?.into_parts();
        file.write_all(held)?;
        Ok(Self::File { path, file: Some(file), size_bytes: held.len() as u64 })
    }

    /// Appends to what is in a file; true if that had to be opened.
    fn append_to_file(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let Self::File { path, file, size_bytes } = self else { return Ok(false) };
        let was_closed = file.is_none();
        let mut open = match file.take() {
            Some(open) => open,
            None => OpenOptions::new().append(true).open(path)?,
        };
        open.write_all(bytes)?;
        *file = Some(open);
        *size_bytes += bytes.len() as u64;
        Ok(was_closed)
    }

    fn size_bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { size_bytes, .. } => *size_bytes,
        }
    }

    fn finish(self, tree: Option<Tree>) -> io::Result<Spool> {
        Ok(match self {
            Self::Memory(bytes) => Spool::Memory(bytes.into()),
            // Nothing is buffered on this side of the operating system.
            Self::File { path, size_bytes, .. } => {
                let hash = tree.and_then(|tree| tree.root(size_bytes));
                Spool::File { path, size_bytes, hash }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_output_moves_to_a_file_and_keeps_its_bytes() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let outputs = Outputs::new(dir.path().to_owned(), 4 << 20);
        let name = Name::new("big").expect("a name");
        let piece: Vec<u8> = (0..=255).cycle().take(700_000).collect();
        for _ in 0..3 {
            outputs.append(&name, &piece).expect("within the limit");
        }
        let spools = outputs.finish().expect("nothing fails");
        let mut bytes = Vec::new();
        spools[&name].reader().expect("readable").read_to_end(&mut bytes).expect("readable");
        assert!(matches!(spools[&name], Spool::File { size_bytes: 2_100_000, hash: None, .. }));
        assert_eq!(bytes, piece.repeat(3));
        drop(spools);
        assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 0, "the file is deleted with the spool");
    }

    #[test]
    fn many_outputs_take_little_memory_and_few_files() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let outputs = Outputs::new(dir.path().to_owned(), 64 << 20);
        let name = |index: usize| Name::new(format!("o{index}")).expect("a name");
        for round in 0..2 {
            for index in 0..60 {
                outputs.append(&name(index), &vec![round * 60 + index as u8; 300_000]).expect("within the limit");
                let growing = outputs.lock();
                let is_open = |output: &&Output| matches!(output, Output::File { file: Some(_), .. });
                let open = growing.outputs.values().filter(is_open).count();
                assert!(growing.memory_bytes <= MEMORY_BYTES_ALL_MAX && open <= FILES_OPEN_MAX, "{open}");
                assert_eq!(open, growing.open.len());
            }
        }
        let spools = outputs.finish().expect("nothing fails");
        for index in 0..60 {
            let mut bytes = Vec::new();
            spools[&name(index)].reader().expect("readable").read_to_end(&mut bytes).expect("readable");
            let expected = [vec![index as u8; 300_000], vec![60 + index as u8; 300_000]].concat();
            assert!(bytes == expected, "output {index}");
        }
    }

    #[test]
    fn all_outputs_together_stay_within_the_limit() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let outputs = Outputs::new(dir.path().to_owned(), 5);
        outputs.append(&Name::new("a").expect("a name"), b"abc").expect("within the limit");
        let error = outputs.append(&Name::new("b").expect("a name"), b"def").expect_err("over the limit");
        assert!(matches!(error, Stop::Exceeded(Limit::Output)));
    }
}
