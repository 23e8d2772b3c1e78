//! Random numbers that follow from the job's id: the same on every host, different for every job.
//!
//! They are BLAKE3 output streams, so no guest can tell them from random, but everyone who knows the job can compute
//! them: a job must not make secrets.

use std::convert::Infallible;

use rand_core::TryRng;
use samebit_spec::JobId;

/// The context of `wasi:random/random`.
pub(super) const SECURE: &str = "samebit 2026 wasi random v1";
/// The context of `wasi:random/insecure`.
pub(super) const INSECURE: &str = "samebit 2026 wasi insecure random v1";
/// The context of `wasi:random/insecure-seed`.
const SEED: &str = "samebit 2026 wasi insecure seed v1";

/// An endless stream of bytes.
pub(super) struct Stream(blake3::OutputReader);

impl Stream {
    pub(super) fn new(job: &JobId, context: &str) -> Self {
        Self(blake3::Hasher::new_derive_key(context).update(job.as_bytes()).finalize_xof())
    }
}

/// The seed that `wasi:random/insecure-seed` gives, the same at every call.
pub(super) fn seed(job: &JobId) -> u128 {
    let mut bytes = [0; 16];
    Stream::new(job, SEED).0.fill(&mut bytes);
    u128::from_le_bytes(bytes)
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(target);
        Ok(())
    }
}
