//! Random numbers that follow from the job's id: the same on every host, different for every job.
//!
//! They are BLAKE3 output streams, so no guest can tell them from random, but everyone who knows the job can compute
//! them: a job must not make secrets.

use samebit_spec::JobId;

/// The context of `wasi:random/random`.
const SECURE: &str = "samebit 2026 wasi random v1";
/// The context of `wasi:random/insecure`.
const INSECURE: &str = "samebit 2026 wasi insecure random v1";
/// The context of `wasi:random/insecure-seed`.
const SEED: &str = "samebit 2026 wasi insecure seed v1";

/// Everything random that a job sees.
pub(crate) struct Random {
    /// What `wasi:random/random` gives.
    pub(super) secure: Stream,
    /// What `wasi:random/insecure` gives.
    pub(super) insecure: Stream,
    /// What `wasi:random/insecure-seed` gives, the same at every call.
    pub(super) seed: (u64, u64),
}

impl Random {
    pub(crate) fn new(job: &JobId) -> Self {
        let mut seed = Stream::new(job, SEED);
        Self {
            secure: Stream::new(job, SECURE),
            insecure: Stream::new(job, INSECURE),
            seed: (seed.number(), seed.number()),
        }
    }
}

/// An endless stream of bytes.
pub(super) struct Stream(blake3::OutputReader);

impl Stream {
    fn new(job: &JobId, context: &str) -> Self {
        Self(blake3::Hasher::new_derive_key(context).update(job.as_bytes()).finalize_xof())
    }

    /// The next bytes.
    pub(super) fn bytes(&mut self, size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        self.0.fill(&mut bytes);
        bytes
    }

    /// The next eight bytes as a number, the lowest first.
    pub(super) fn number(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}
