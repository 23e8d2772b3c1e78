//! Machines and guests for the tests.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use samebit_engine::device::DeviceError;
use samebit_engine::spec::{BlobRef, JobSpec, Limits, Name, Profile, Receipt, SecretKey};
use samebit_engine::{Engine, Silent};
use samebit_store::Store;
use tempfile::TempDir;

use crate::{Claims, Fetched, Host, Verification, verify};

/// One engine for all tests: its pool reserves address space.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).expect("an engine"));

/// Copies standard input to standard output.
pub(crate) const CAT: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (func (export "_start") (loop $again
        (i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (i32.const 65536))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
        (if (i32.eqz (i32.load (i32.const 16))) (then return))
        (i32.store (i32.const 4) (i32.load (i32.const 16)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
        (br $again))))"#;

/// Writes a line to standard error, then reads standard input once.
pub(crate) const STDERR_FIRST: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 512) "hello\n")
    (func (export "_start")
        (i32.store (i32.const 0) (i32.const 512))
        (i32.store (i32.const 4) (i32.const 6))
        (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 20)))
        (i32.store (i32.const 0) (i32.const 1024))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;

/// Traps.
pub(crate) const TRAP: &str = r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#;

/// Never ends.
pub(crate) const SPIN: &str = r#"(module (memory (export "memory") 1) (func (export "_start") (loop $l br $l)))"#;

/// A job component that returns an error.
pub(crate) fn fails() -> String {
    r#"(component
        (core module $m
            (memory (export "memory") 1)
            (data (i32.const 32) "\01\00\00\00\40\00\00\00\09\00\00\00")
            (data (i32.const 64) "it failed")
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
            (func (export "run") (param i32 i32) (result i32) i32.const 32))
        (core instance $i (instantiate $m))
        (func (export "run") (param "args" (list string)) (result (result (error string)))
            (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"#
        .to_owned()
}

/// A name.
pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// The key of every machine here.
pub(crate) fn key() -> SecretKey {
    SecretKey::from_bytes(&[7; 32])
}

/// A host with a store of its own, and no device.
pub(crate) struct Machine {
    pub(crate) host: Host,
    folder: TempDir,
}

impl Machine {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&folder.path().join("store"), Duration::ZERO).await.expect("a store");
        let host = Host {
            engine: ENGINE.clone(),
            store,
            device: Arc::new(|| Err(DeviceError::Unavailable("this test has none".to_owned()))),
            caps: Limits { fuel: u64::MAX, ..Limits::default() },
            wall_time: Some(Duration::from_secs(120)),
            clock: SystemTime::now,
            program: "test".to_owned(),
        };
        Self { host, folder }
    }

    /// Puts bytes into the store.
    pub(crate) async fn blob(&self, bytes: &[u8]) -> BlobRef {
        self.host.store.import_bytes(bytes.to_vec().into()).await.expect("imported").0
    }

    /// A job whose blobs are in the store.
    pub(crate) async fn job(&self, module: &str, inputs: &[(&str, &[u8])]) -> JobSpec {
        let module = wat::parse_str(module).expect("valid text");
        let mut job = JobSpec {
            module: self.blob(&module).await,
            args: Vec::new(),
            inputs: Default::default(),
            limits: Limits::default(),
            profile: Profile::Native,
            tolerances: Default::default(),
        };
        for (input, bytes) in inputs {
            job.inputs.insert(name(input), self.blob(bytes).await);
        }
        job
    }

    /// The whole way of a job.
    pub(crate) async fn sign(&self, job: &JobSpec) -> Receipt {
        let fetched = Fetched::fetch(&self.host, job.clone()).await.expect("fetched");
        let compiled = fetched.compile(&self.host).await.expect("compiled");
        let ran = compiled.run(&self.host, Arc::new(Silent)).await.expect("ran");
        ran.commit(&self.host).await.expect("committed").sign(&self.host, &key()).await.expect("signed")
    }

    pub(crate) async fn verify(&self, receipt: &Receipt, claims: Claims) -> Verification {
        verify(&self.host, receipt, claims, Arc::new(Silent)).await.expect("claims can be read")
    }

    pub(crate) async fn has(&self, blob: &BlobRef) -> bool {
        self.host.store.contains(&blob.hash).await.expect("an answer")
    }

    /// A file outside the store.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("writable");
        path
    }
}
