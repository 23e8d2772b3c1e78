//! Times and memory peaks, taken in processes of their own.

use std::process::Command;
use std::time::Duration;

use crate::work::Work;

/// What one process measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) time: Duration,
    pub(crate) peak_bytes: u64,
}

/// Two sides, and the median of the ratios of their times pair by pair.
pub(crate) struct Pair {
    pub(crate) ours: Figure,
    pub(crate) plain: Figure,
    pub(crate) ratio: f64,
}

impl Figure {
    /// A time just taken, and this process' memory peak.
    pub(crate) fn taken(time: Duration) -> Self {
        Self { time, peak_bytes: peak_bytes("self") }
    }

    pub(crate) fn to_json(self) -> String {
        serde_json::json!({ "ns": self.time.as_nanos() as u64, "peak_bytes": self.peak_bytes }).to_string()
    }

    pub(crate) fn time(&self) -> String {
        match self.time.as_secs_f64() {
            s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
            s if s < 1.0 => format!("{:.1} ms", s * 1e3),
            s => format!("{s:.2} s"),
        }
    }

    pub(crate) fn memory(&self) -> String {
        format!("{} MiB", self.peak_bytes >> 20)
    }
}

/// The most memory a process has had resident, in bytes; 0 where the system does not tell.
pub(crate) fn peak_bytes(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Runs one side in a process of its own.
pub(crate) fn side(name: &str, work: &Work) -> Figure {
    let this = std::env::current_exe().expect("this program has a path");
    let output = Command::new(this).args(["--side", name]).arg(work.dir()).output().expect("this program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let value: serde_json::Value =
        text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_else(|| {
            panic!("side {name} ended with {}: {text}{}", output.status, String::from_utf8_lossy(&output.stderr))
        });
    let number = |key: &str| value[key].as_u64().unwrap_or_default();
    Figure { time: Duration::from_nanos(number("ns")), peak_bytes: number("peak_bytes") }
}

/// Runs two sides in turn.
pub(crate) fn pair(ours: &str, plain: &str, work: &Work, rounds: usize) -> Pair {
    // The first pair fills the page cache and the driver's shader cache, and is not counted.
    let pairs: Vec<_> = (0..=rounds).map(|_| (side(ours, work), side(plain, work))).skip(1).collect();
    let ratios = pairs.iter().map(|(ours, plain)| ours.time.as_secs_f64() / plain.time.as_secs_f64()).collect();
    Pair {
        ours: median_figure(pairs.iter().map(|pair| pair.0)),
        plain: median_figure(pairs.iter().map(|pair| pair.1)),
        ratio: median(ratios),
    }
}

/// The medians of several figures.
pub(crate) fn median_figure(figures: impl Iterator<Item = Figure> + Clone) -> Figure {
    let time = median(figures.clone().map(|figure| figure.time.as_secs_f64()).collect());
    let peak = median(figures.map(|figure| figure.peak_bytes as f64).collect());
    Figure { time: Duration::from_secs_f64(time), peak_bytes: peak as u64 }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
