//! What a kernel costs before it computes anything: compiling it, launching it, and the memory of its buffers.

use std::time::Instant;

use samebit_device::wgsl::{Admission, Source, lower, parse};
use samebit_reference::ReferenceDevice;

use crate::cases::{self, EMPTY, TRACER};
use crate::lab::{Lab, Sides};
use crate::measure::{median, resident_bytes, time};

/// How often something short is repeated.
const REPEATS: usize = 200;
/// How often a kernel is compiled.
const COMPILES: usize = 7;
/// Buffers of the memory measurement, and the size of each.
const BUFFERS: usize = 16;
const BUFFER_BYTES: usize = 32 << 20;

/// Prints all of it.
pub(crate) fn report(sides: &Sides) {
    compile();
    println!("| overhead | measured | target |");
    println!("|---|---:|---|");
    launch(sides);
    memory(sides);
    println!();
}

/// From the text to a kernel that is ready, each time on a device of its own, whose cache is empty.
fn compile() {
    println!("| entry point | lines | parse | lower | generate and compile | all |");
    println!("|---|---:|---:|---:|---:|---:|");
    for case in cases::ALL.iter().map(|make| make()) {
        let mut seen: Vec<&str> = Vec::new();
        for launch in &case.launches {
            if !seen.contains(&launch.entry) {
                seen.push(launch.entry);
                compile_one(case.name, case.text, launch.entry, &launch.constants);
            }
        }
    }
    compile_one("path tracer, target ≤ 20 ms:", TRACER, "main", &[]);
    println!();
}

fn compile_one(name: &str, text: &str, entry_point: &str, constants: &[(String, f64)]) {
    let mut times: [Vec<f64>; 4] = Default::default();
    for _ in 0..COMPILES {
        let device = ReferenceDevice::new().expect("this CPU runs kernels");
        let mut lab = Lab::open(&device, Admission::Exact);
        let start = Instant::now();
        let kernel = parse(&Source { text, entry_point, constants }).expect("the kernel is valid");
        let parsed = start.elapsed();
        lower(&kernel, text, Admission::Exact).expect("the kernel is admitted");
        let lowered = start.elapsed();
        lab.gpu.kernel_create(kernel, text).expect("the kernel is admitted");
        let ready = start.elapsed();
        // The session lowers as well, which is taken off.
        let [parsing, lowering] = [parsed, lowered - parsed];
        let making = (ready - lowered).saturating_sub(lowering);
        for (times, time) in times.iter_mut().zip([parsing, lowering, making, parsing + lowering + making]) {
            times.push(time.as_secs_f64());
        }
        lab.close();
    }
    let [parsing, lowering, making, all] = times.map(median).map(time);
    let lines = text.lines().count();
    println!("| {name} `{entry_point}` | {lines} | {parsing} | {lowering} | {making} | {all} |");
}

/// A kernel that does nothing: many launches in one go, and one with the wait for it.
fn launch(sides: &Sides) {
    let mut lab = Lab::open(&sides.reference, Admission::Exact);
    let kernel = lab.kernel(EMPTY, "main", &[]).expect("the kernel is valid");
    for (what, grid) in [("1 workgroup", [1, 1, 1]), ("64 workgroups", [64, 1, 1])] {
        let mut queued = Vec::new();
        let mut waited = Vec::new();
        for _ in 0..REPEATS {
            let start = Instant::now();
            for _ in 0..REPEATS {
                lab.launch(kernel, &[], grid);
                pollster::block_on(lab.gpu.settle()).expect("the device settles");
            }
            lab.finish();
            queued.push(start.elapsed().as_secs_f64() / REPEATS as f64);
            let start = Instant::now();
            lab.launch(kernel, &[], grid);
            lab.finish();
            waited.push(start.elapsed().as_secs_f64());
        }
        let [queued, waited] = [queued, waited].map(median).map(time);
        println!("| launch of {what}, each of {REPEATS} in a row | {queued} | ≤ 20 µs |");
        println!("| launch of {what}, alone, with the wait for it | {waited} | |");
    }
    lab.close();
}

/// How much more is resident with buffers than without, by their size.
fn memory(sides: &Sides) {
    let mut lab = Lab::open(&sides.reference, Admission::Exact);
    let words = vec![1u32; BUFFER_BYTES / 4];
    let before = resident_bytes();
    let buffers: Vec<_> = (0..BUFFERS).map(|_| lab.buffer(&words)).collect();
    lab.finish();
    let grown = resident_bytes().saturating_sub(before);
    let size = (buffers.len() * BUFFER_BYTES) as u64;
    let ratio = grown as f64 / size as f64;
    println!("| memory, {} MiB of buffers | {} MiB, {ratio:.3} × | ≤ 1.2 × |", size >> 20, grown >> 20);
    lab.close();
}
