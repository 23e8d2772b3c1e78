//! Times, places and the machine.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A row of the table: what was measured, what came of it, and the target.
pub(crate) type Row = (String, String, &'static str);

/// Where files are.
pub(crate) struct Place {
    /// What it is called.
    pub(crate) name: String,
    /// A folder there.
    pub(crate) dir: PathBuf,
}

/// The disk, with what a wait for it takes, and memory where there is a file system of it.
pub(crate) fn places() -> Vec<Place> {
    let disk = std::env::temp_dir();
    let wait = shown(wait_for_disk(&disk));
    let mut places = vec![Place { name: format!("disk, {wait} for each wait"), dir: disk }];
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        places.push(Place { name: "files in memory".to_owned(), dir: memory });
    }
    places
}

/// How long it takes until 4 KiB are on disk: the median of many.
fn wait_for_disk(dir: &std::path::Path) -> Duration {
    let mut file: File = tempfile::tempfile_in(dir).expect("a temporary file");
    let times = (0..100).map(|_| {
        let started = Instant::now();
        file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).expect("written");
        started.elapsed()
    });
    median(times.collect())
}

/// The median.
pub(crate) fn median(times: Vec<Duration>) -> Duration {
    share(times, 0.5)
}

/// The time within which so large a share of them was done.
pub(crate) fn share(mut times: Vec<Duration>, share: f64) -> Duration {
    times.sort();
    times[((times.len() - 1) as f64 * share) as usize]
}

/// The median of numbers.
pub(crate) fn median_of(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A time as it is printed.
pub(crate) fn shown(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s < 1e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

/// A speed as it is printed.
pub(crate) fn speed(bytes: usize, time: Duration) -> String {
    format!("{:.0} MiB/s", (bytes >> 20) as f64 / time.as_secs_f64())
}

/// The machine, in a line.
pub(crate) fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1)).unwrap_or("unknown CPU");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores of {}, load {}", model.trim(), load.split(' ').next().unwrap_or_default())
}

/// Bytes that no compression helps with: splitmix64.
pub(crate) fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
