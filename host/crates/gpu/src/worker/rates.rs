//! Whether hashing an output where it lies pays: measured once for a device, when there is something to hash.
//!
//! A kernel hashes faster than a CPU where the GPU is fast, and has to be made ready first, by each session anew. Software
//! drivers never win, and small outputs never pay.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use samebit_device::hash::PIECE_BYTES;
use samebit_device::{BufferRange, ReadError, Session, SessionOptions};
use serde::{Deserialize, Serialize};

use crate::hash::Hashing;

/// Outputs below this are hashed on the CPU without asking: measuring alone takes longer.
const FROM_BYTES: u64 = 64 << 20;
/// How much is hashed to measure.
const PROBE_BYTES: u64 = 16 << 20;
const _: () = assert!(PROBE_BYTES.is_multiple_of(PIECE_BYTES) && PROBE_BYTES <= FROM_BYTES);

/// How fast this machine hashes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Rates {
    /// What a session spends before it hashes first.
    pub(super) ready_s: f64,
    /// On the GPU.
    pub(super) gpu_bytes_per_s: f64,
    /// On all cores of the CPU.
    pub(super) cpu_bytes_per_s: f64,
}

impl Rates {
    /// Hashes the beginning of a range here and there. The range is at least [`FROM_BYTES`] long.
    pub(super) async fn measure(
        session: &mut dyn Session,
        hashing: &mut Option<Hashing>,
        range: BufferRange,
        options: SessionOptions,
    ) -> Result<Self, ReadError> {
        let probe = BufferRange { size: PROBE_BYTES, ..range };
        let started = Instant::now();
        let mut ready = match hashing.take() {
            Some(ready) => ready,
            None => Hashing::new(session, options)?,
        };
        ready.pieces(session, probe, 0).await?;
        let first_s = started.elapsed().as_secs_f64();
        let started = Instant::now();
        ready.pieces(session, probe, 0).await?;
        let gpu_s = started.elapsed().as_secs_f64();
        *hashing = Some(ready);
        let bytes = vec![0; PROBE_BYTES as usize];
        let started = Instant::now();
        std::hint::black_box(blake3::Hasher::new().update_rayon(&bytes).finalize());
        let cpu_s = started.elapsed().as_secs_f64();
        let rate = |seconds: f64| PROBE_BYTES as f64 / seconds.max(1e-9);
        let rates =
            Self { ready_s: (first_s - gpu_s).max(0.0), gpu_bytes_per_s: rate(gpu_s), cpu_bytes_per_s: rate(cpu_s) };
        Ok(rates)
    }

    /// Whether a session that has hashed nothing yet hashes so much faster on the GPU. Numbers that are none say no.
    fn pays(&self, size: u64) -> bool {
        let size = size as f64;
        self.ready_s + size / self.gpu_bytes_per_s < size / self.cpu_bytes_per_s
    }
}

/// What is known of a device, by all its sessions.
#[derive(Debug)]
pub(super) struct Known {
    decided: Option<bool>,
    measured: Mutex<Option<Rates>>,
}

impl Known {
    /// Nothing, unless it has been decided.
    pub(super) fn new(decided: Option<bool>) -> Self {
        Self { decided, measured: Mutex::new(None) }
    }

    /// Whether hashing so much pays, if that is known.
    pub(super) fn pays(&self, size: u64) -> Option<bool> {
        if self.decided.is_some() {
            return self.decided;
        }
        if size < FROM_BYTES {
            return Some(false);
        }
        self.measured.lock().unwrap_or_else(PoisonError::into_inner).map(|rates| rates.pays(size))
    }

    /// Keeps what was measured.
    pub(super) fn set(&self, rates: Rates) {
        tracing::debug!(?rates, "measured hashing");
        *self.measured.lock().unwrap_or_else(PoisonError::into_inner) = Some(rates);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_gpu_pays_for_large_outputs_alone() {
        let fast = Rates { ready_s: 0.1, gpu_bytes_per_s: 100e9, cpu_bytes_per_s: 5e9 };
        assert!(fast.pays(1 << 30) && !fast.pays(256 << 20));
        let software = Rates { ready_s: 0.0, gpu_bytes_per_s: 1e9, cpu_bytes_per_s: 5e9 };
        assert!(!software.pays(u64::MAX));
        let broken = Rates { ready_s: f64::NAN, gpu_bytes_per_s: 1e12, cpu_bytes_per_s: 1.0 };
        assert!(!broken.pays(1 << 30));
    }

    #[test]
    fn what_was_measured_is_known_from_then_on() {
        let known = Known::new(None);
        assert_eq!((known.pays(1 << 20), known.pays(1 << 30)), (Some(false), None), "small ones are not worth asking");
        known.set(Rates { ready_s: 0.0, gpu_bytes_per_s: 2.0, cpu_bytes_per_s: 1.0 });
        assert_eq!(known.pays(1 << 30), Some(true));
        assert_eq!(Known::new(Some(true)).pays(1), Some(true));
    }
}
