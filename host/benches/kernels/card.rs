//! What a card can do at best, and how much of that is left: arithmetic, memory, hashing, and launches.
//!
//! wgpu does not tell a card's peaks, so they are measured: chains of fused multiplications for arithmetic, a copy for
//! memory. A card that clocks down, or a driver that computes on the CPU, has lower ones than its maker says.

use std::sync::OnceLock;
use std::time::Instant;

use samebit_device::hash::root;
use samebit_device::wgsl::Admission;
use samebit_device::{BufferId, BufferRange, Device, SessionOptions};
use samebit_gpu::hash::Hashing;

use crate::cases::{BLOCKED, EMPTY};
use crate::lab::{Bench, Lab, Sides};
use crate::measure::{median, time};
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

/// How often each thing is done, after once to warm up.
const ROUNDS: usize = 5;
/// How often a launch is repeated.
const LAUNCHES: usize = 200;
/// A kernel that takes shorter than this is given more to do.
const LONG_ENOUGH_S: f64 = 0.05;
/// The largest side of a matrix.
const SIZE_MAX: usize = 8192;
/// What is hashed.
const BYTES: usize = 256 << 20;
/// What is copied: as much as can be bound.
const COPY_BYTES: usize = 128 << 20;

/// Eight independent chains of vectors: two operations for each lane and step.
const PEAK: &str = "
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
override STEPS: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let x = vec4f(f32(id.x & 255u) * 0.001);
    var s = array<vec4f, 8>(x, x + 1.0, x + 2.0, x + 3.0, x + 4.0, x + 5.0, x + 6.0, x + 7.0);
    for (var i = 0u; i < STEPS; i++) {
        s[0] = fma(s[0], x, x); s[1] = fma(s[1], x, x); s[2] = fma(s[2], x, x); s[3] = fma(s[3], x, x);
        s[4] = fma(s[4], x, x); s[5] = fma(s[5], x, x); s[6] = fma(s[6], x, x); s[7] = fma(s[7], x, x);
    }
    out[id.x] = s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
}";
const PEAK_GROUPS: usize = 256;
const PEAK_OPERATIONS: usize = PEAK_GROUPS * 256 * 4 * 8 * 2;

const COPY: &str = "
@group(0) @binding(0) var<storage, read> input: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < arrayLength(&input); i += groups.x * 256u) { output[i] = input[i]; }
}";

/// A device, how programs are written for it, and what that is called.
type Side<'a> = (&'static str, &'a dyn Device, Admission);

/// Prints all of it. Nothing without a driver.
pub(crate) fn report(sides: &Sides) -> Result<(), String> {
    let Some(driver) = &sides.driver else { return Ok(()) };
    let mut all: Vec<Side<'_>> = vec![("native", driver, Admission::Native)];
    let name = |way| if way == samebit_gpu::exact::Way::Vulkan { "exact, vulkan" } else { "exact, portable" };
    all.extend(sides.exact.iter().map(|(way, device)| (name(*way), device as &dyn Device, Admission::Exact)));
    println!("| what | how | time | rate | share |\n|---|---|---:|---:|---:|");
    let peak = arithmetic_peak(driver)?;
    products(&all, peak)?;
    let bandwidth = copy(driver)?;
    hashing(&all, bandwidth)?;
    launches(&all)?;
    println!();
    Ok(())
}

fn row(what: &str, how: &str, seconds: f64, rate: &str, share: &str) {
    println!("| {what} | {how} | {} | {rate} | {share} |", time(seconds));
}

/// The median time of a case, in seconds.
fn measured(case: &Case, device: &dyn Device, admission: Admission) -> Result<f64, String> {
    let mut bench = Bench::new(case, device, admission)?;
    bench.run(case);
    let times = (0..ROUNDS).map(|_| bench.run(case).as_secs_f64()).collect();
    bench.close();
    Ok(median(times))
}

/// A case of one launch, whose answer nobody looks at.
fn case(text: &'static str, buffers: Vec<Words>, launch: Launch) -> Case {
    let (launches, outputs, restored) = (vec![launch], Vec::new(), Vec::new());
    let agreement = Agreement::Everywhere;
    Case { name: "", size: "", text, buffers, launches, outputs, restored, rust: |_| (), agreement }
}

/// The suite's product of matrices in blocks, of another size, with `fma` or with a multiplication and an addition.
fn product(size: usize, with_fma: bool) -> Case {
    let text = if with_fma { BLOCKED } else { without_fma() };
    let matrix = |seed| Random::new(seed).floats(size * size, -1.0, 1.0);
    let groups = (size / 64) as u32;
    let launch = Launch::new("main", &[0, 1, 2], [groups, groups, 1]).with("SIZE", size);
    case(text, vec![matrix(2), matrix(3), vec![0; size * size]], launch)
}

fn without_fma() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    let plain = "\nfn plain(a: vec4f, b: vec4f, c: vec4f) -> vec4f { return a * b + c; }\n";
    TEXT.get_or_init(|| BLOCKED.replace("fma(", "plain(") + plain)
}

/// The most operations on floats in a second, of those that a kernel can ask for.
fn arithmetic_peak(device: &dyn Device) -> Result<f64, String> {
    let mut steps = 256;
    loop {
        let launch = Launch::new("main", &[0], [PEAK_GROUPS as u32, 1, 1]).with("STEPS", steps);
        let seconds = measured(&case(PEAK, vec![vec![0; PEAK_GROUPS * 256 * 4]], launch), device, Admission::Native)?;
        if seconds > LONG_ENOUGH_S || steps >= 1 << 22 {
            let rate = (PEAK_OPERATIONS * steps) as f64 / seconds;
            row("chains of `fma`", "native", seconds, &giga(rate, "FLOP"), "the peak");
            return Ok(rate);
        }
        steps *= 4;
    }
}

/// The product of two matrices, with `fma` and without.
fn products(sides: &[Side<'_>], peak: f64) -> Result<(), String> {
    let (_, driver, _) = sides[0];
    let mut size = 512;
    while size < SIZE_MAX && measured(&product(size, true), driver, Admission::Native)? < LONG_ENOUGH_S {
        size *= 2;
    }
    for (with_fma, what) in [(true, "with `fma`"), (false, "without `fma`")] {
        let case = product(size, with_fma);
        for (how, device, admission) in sides {
            let seconds = measured(&case, *device, *admission)?;
            let rate = 2.0 * (size as f64).powi(3) / seconds;
            let share = format!("{:.1} % of the peak", 100.0 * rate / peak);
            row(&format!("sgemm blocked, {size}³, {what}"), how, seconds, &giga(rate, "FLOP"), &share);
        }
    }
    Ok(())
}

/// Bytes a second, read and written.
fn copy(device: &dyn Device) -> Result<f64, String> {
    let case = case(
        COPY,
        vec![vec![1; COPY_BYTES / 4], vec![0; COPY_BYTES / 4]],
        Launch::new("main", &[0, 1], [16_384, 1, 1]),
    );
    let seconds = measured(&case, device, Admission::Native)?;
    let rate = 2.0 * COPY_BYTES as f64 / seconds;
    row("copy of 128 MiB, read and written", "native", seconds, &giga(rate, "B"), "the bandwidth");
    Ok(rate)
}

/// BLAKE3 where the bytes lie, and on the CPU.
fn hashing(sides: &[Side<'_>], bandwidth: f64) -> Result<(), String> {
    let words: Vec<u32> = (0..BYTES as u32 / 4).map(|i| i.wrapping_mul(0x9e37_79b9)).collect();
    let bytes: &[u8] = bytemuck::cast_slice(&words);
    let expected = blake3::hash(bytes);
    let what = "BLAKE3 of 256 MiB";
    let tell = |how: &str, times: Vec<f64>| {
        let seconds = median(times);
        let rate = BYTES as f64 / seconds;
        row(what, how, seconds, &giga(rate, "B"), &format!("{:.1} % of the bandwidth", 100.0 * rate / bandwidth));
    };
    for (how, device, admission) in sides {
        tell(how, pollster::block_on(hashed(*device, *admission, bytes)).map_err(|error| format!("{how}: {error}"))?);
    }
    let on_cpu = |how: &str, hash: &dyn Fn() -> blake3::Hash| {
        let taken = (0..ROUNDS).map(|_| {
            let start = Instant::now();
            assert_eq!(hash(), expected);
            start.elapsed().as_secs_f64()
        });
        tell(how, taken.collect());
    };
    on_cpu("CPU, one core", &|| blake3::hash(bytes));
    on_cpu("CPU, all cores", &|| blake3::Hasher::new().update_rayon(bytes).finalize());
    Ok(())
}

/// How long hashing takes where the bytes lie, each time.
async fn hashed(device: &dyn Device, admission: Admission, bytes: &[u8]) -> Result<Vec<f64>, String> {
    let options = SessionOptions { admission, loop_iterations: 1 << 24 };
    let mut session = device.open(options).await.map_err(|error| error.to_string())?;
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let buffer = BufferId(0);
    session.buffer_create(buffer, bytes.len() as u64).map_err(|error| failed(&error))?;
    for (index, piece) in bytes.chunks(4 << 20).enumerate() {
        session.buffer_write(buffer, (index as u64) << 22, piece).map_err(|error| failed(&error))?;
        session.settle().await.map_err(|error| failed(&error))?;
    }
    let mut hashing = Hashing::new(session.as_mut(), options).map_err(|error| failed(&error))?;
    let range = BufferRange { buffer, offset: 0, size: bytes.len() as u64 };
    let mut times = Vec::new();
    for round in 0..=ROUNDS {
        let start = Instant::now();
        let pieces = hashing.pieces(session.as_mut(), range, 0).await.map_err(|error| failed(&error))?;
        let taken = start.elapsed().as_secs_f64();
        if root(&pieces, &[]) != Some(*blake3::hash(bytes).as_bytes()) {
            return Err("the hash is wrong".to_owned());
        }
        times.extend((round > 0).then_some(taken));
    }
    session.close().await;
    Ok(times)
}

/// A kernel that does nothing: many launches in one go, and one with the wait for it.
fn launches(sides: &[Side<'_>]) -> Result<(), String> {
    for (how, device, admission) in sides {
        let mut lab = Lab::open(*device, *admission);
        let kernel = lab.kernel(EMPTY, "main", &[])?;
        let (mut queued, mut alone) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS * 4 {
            let start = Instant::now();
            for _ in 0..LAUNCHES {
                lab.launch(kernel, &[], [1, 1, 1]);
                pollster::block_on(lab.gpu.settle()).map_err(|error| error.to_string())?;
            }
            lab.finish();
            queued.push(start.elapsed().as_secs_f64() / LAUNCHES as f64);
            let start = Instant::now();
            lab.launch(kernel, &[], [1, 1, 1]);
            lab.finish();
            alone.push(start.elapsed().as_secs_f64());
        }
        lab.close();
        row(&format!("launch, each of {LAUNCHES} in a row"), how, median(queued), "", "");
        row("launch, alone, with the wait for it", how, median(alone), "", "");
    }
    Ok(())
}

fn giga(rate: f64, unit: &str) -> String {
    format!("{:.1} G{unit}/s", rate / 1e9)
}
