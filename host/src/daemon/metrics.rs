//! What is counted, in the text format that Prometheus reads.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use samebit_net::message::{EventKind, Load};
use samebit_runner::store::Usage;

/// Counters of one host since it started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    accepted: AtomicU64,
    refused: AtomicU64,
    done: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    fuel: AtomicU64,
    run_time_us: AtomicU64,
    evicted: AtomicU64,
    evicted_bytes: AtomicU64,
}

impl Metrics {
    /// A job was taken on.
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// A submission was refused.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A job ran.
    pub(crate) fn ran(&self, fuel: u64, run_time_us: u64) {
        self.fuel.fetch_add(fuel, Ordering::Relaxed);
        self.run_time_us.fetch_add(run_time_us, Ordering::Relaxed);
    }

    /// Blobs were evicted.
    pub(crate) fn evicted(&self, blobs: u64, bytes: u64) {
        self.evicted.fetch_add(blobs, Ordering::Relaxed);
        self.evicted_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A job ended with this event.
    pub(crate) fn ended(&self, event: &EventKind) {
        let counter = match event {
            EventKind::Done { .. } => &self.done,
            EventKind::Failed { .. } => &self.failed,
            _ => &self.cancelled,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// All of it, with how busy the host is, how many receipts it has signed, and what blobs take and may take.
    pub(crate) fn text(&self, load: &Load, receipts: u64, (usage, quota_bytes): (Usage, Option<u64>)) -> String {
        let counters = [
            ("jobs_accepted_total", "Jobs taken on.", &self.accepted),
            ("jobs_refused_total", "Submissions refused.", &self.refused),
            ("jobs_done_total", "Jobs that ended with a receipt.", &self.done),
            ("jobs_failed_total", "Jobs that this host could not do.", &self.failed),
            ("jobs_cancelled_total", "Jobs that were cancelled.", &self.cancelled),
            ("fuel_total", "Fuel that guests have spent.", &self.fuel),
            ("run_time_us_total", "Time that guests have run, in microseconds.", &self.run_time_us),
            ("blobs_evicted_total", "Blobs that were evicted.", &self.evicted),
            ("blobs_evicted_bytes_total", "Bytes of blobs that were evicted.", &self.evicted_bytes),
        ];
        let mut text = String::new();
        for (name, help, counter) in counters {
            metric(&mut text, name, help, "counter", counter.load(Ordering::Relaxed));
        }
        for (name, help, value) in [
            ("jobs_running", "Jobs that run.", load.running.into()),
            ("jobs_queued", "Jobs that wait.", load.queued.into()),
            ("chain_receipts", "Receipts in this host's chain.", receipts),
            ("blobs_bytes", "What blobs take, in bytes.", usage.used_bytes),
            ("blobs_kept_bytes", "What blobs take that are never evicted, in bytes.", usage.kept_bytes),
        ] {
            metric(&mut text, name, help, "gauge", value);
        }
        if let Some(quota_bytes) = quota_bytes {
            metric(&mut text, "blobs_quota_bytes", "What blobs may take, in bytes.", "gauge", quota_bytes);
        }
        text
    }
}

fn metric(text: &mut String, name: &str, help: &str, kind: &str, value: u64) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP samebit_{name} {help}\n# TYPE samebit_{name} {kind}\nsamebit_{name} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_told_in_prometheus_text() {
        let metrics = Metrics::default();
        metrics.accepted();
        metrics.accepted();
        metrics.ended(&EventKind::Cancelled);
        metrics.ran(500, 20);
        metrics.evicted(2, 300);
        let usage = Usage { used_bytes: 900, kept_bytes: 100 };
        let text = metrics.text(&Load { running: 3, ..Load::default() }, 7, (usage, Some(1_000)));
        for line in [
            "# TYPE samebit_jobs_accepted_total counter",
            "samebit_jobs_accepted_total 2",
            "samebit_jobs_cancelled_total 1",
            "samebit_jobs_done_total 0",
            "samebit_fuel_total 500",
            "samebit_jobs_running 3",
            "samebit_chain_receipts 7",
            "samebit_blobs_evicted_bytes_total 300",
            "samebit_blobs_bytes 900",
            "samebit_blobs_quota_bytes 1000",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
