//! The store from outside: files that change, bytes that rot, processes that die, folders that are something else.

mod damage;
mod evict;
mod export;
mod import;
mod open;
mod processes;
mod read;
mod receipts;

use std::path::{Path, PathBuf};
use std::time::Duration;

use samebit_spec::{BlobRef, JobSpec, Limits, Measured, Outcome, Profile, Receipt, SecretKey, Status};
use samebit_store::Store;
use tempfile::TempDir;

/// A folder for one test, with the path of a store in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Writes a file beside the store.
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("write");
        path
    }

    async fn open(&self) -> Store {
        Store::open(&self.store(), Duration::from_secs(5)).await.expect("open")
    }
}

/// Bytes that look random and depend on the seed alone.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend_from_slice(&next().to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// A signed receipt of a job with this module, input and output.
fn receipt(module: BlobRef, input: BlobRef, output: BlobRef) -> Receipt {
    let job = JobSpec {
        module,
        args: vec![],
        inputs: [("in".parse().expect("name"), input)].into(),
        limits: Limits::default(),
        profile: Profile::Native,
        tolerances: Default::default(),
    };
    let outcome = Outcome {
        status: Status::Ok,
        outputs: [("out".parse().expect("name"), output)].into(),
        log: BlobRef::of(b""),
        fuel: 7,
    };
    let measured = Measured {
        program: "test".into(),
        started_unix_ms: 1,
        run_time_us: 2,
        memory_peak_bytes: 3,
        gpu_memory_peak_bytes: 4,
        dispatches: 5,
        device: None,
        energy_mj: None,
    };
    Receipt::sign(job, outcome, measured, &SecretKey::from_bytes(&[7; 32]))
}

/// Flips one bit of a file.
fn flip(path: &Path, offset: usize) {
    let mut bytes = std::fs::read(path).expect("read");
    bytes[offset] ^= 1;
    std::fs::write(path, bytes).expect("write");
}

/// The only file in a folder.
fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = std::fs::read_dir(folder).expect("list").map(|entry| entry.expect("entry").path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.into_iter().next().expect("one")
}
