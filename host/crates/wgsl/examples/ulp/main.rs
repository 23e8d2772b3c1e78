//! Measures the float built-ins: the worst error in ULP, where it occurs, and how many results are not the nearest.
//!
//! ```text
//! RUSTFLAGS=-Ctarget-cpu=native cargo run --release -p samebit-wgsl --example ulp -- [--stride N] [--from BITS] [--to BITS] [FUNCTION]...
//! ```
//!
//! Functions of one float are measured over all 2³² inputs, functions of two over 2³² chosen and seeded pairs; with a
//! stride, over one in N, and with a range, over those from the first up to the second. The true value is taken from the f64 functions of the platform's C library, whose error of a
//! few 2⁻⁵³ moves what is printed by less than 10⁻⁷ ULP. Where that error could change which binary32 is the nearest,
//! a result counts as undecided. With `--vectors DIR`, files of inputs and results are written instead, and with
//! `--listing`, every sequence is printed. Without `target-cpu=native`, `fma` is a function call, and all of this takes long.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod count;
mod functions;
mod listing;
mod pairs;
mod tally;
mod vectors;
mod wide;

use functions::{FUNCTIONS, Measured};
use samebit_wgsl::lowered::MathFunction;
use samebit_wgsl::math::sequence;
use std::array::from_fn;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tally::Tally;
use wide::{LANES, Wide};

/// Inputs that a thread takes at once.
const CHUNK: u64 = 1 << 22;
const INPUTS: u64 = 1 << 32;

fn main() {
    let mut stride = 1;
    let mut range = 0..INPUTS;
    let mut wanted = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--stride" {
            stride = args.next().and_then(|n| n.parse().ok()).unwrap_or(1).max(1);
        } else if arg == "--from" {
            range.start = bits(args.next()).unwrap_or(0);
        } else if arg == "--to" {
            range.end = bits(args.next()).unwrap_or(INPUTS);
        } else if arg == "--vectors" {
            return vectors::write(&args.next().unwrap_or_default());
        } else if arg == "--listing" {
            return MathFunction::ALL.iter().for_each(|function| println!("{}", listing::listing(*function)));
        } else {
            wanted.push(arg);
        }
    }
    println!("| function | inputs | worst, ULP | at | not nearest | undecided | wrong kind | operations |");
    println!("|---|---|---|---|---|---|---|---|");
    for measured in FUNCTIONS {
        if wanted.is_empty() || wanted.iter().any(|name| name == measured.name) {
            let start = Instant::now();
            let tally = measure(measured, stride, &range);
            println!("| `{}` | {tally} {} |", measured.name, count::operations(measured.function));
            eprintln!("{} took {:.0} s", measured.name, start.elapsed().as_secs_f64());
        }
    }
}

/// Bits in hexadecimal.
fn bits(arg: Option<String>) -> Option<u64> {
    u64::from_str_radix(&arg?, 16).ok()
}

fn measure(measured: &Measured, stride: u64, range: &Range<u64>) -> Tally {
    let next = AtomicU64::new(range.start);
    let total = Mutex::new(Tally::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut tally = Tally::default();
                loop {
                    let first = next.fetch_add(CHUNK, Ordering::Relaxed);
                    if first >= range.end {
                        break;
                    }
                    chunk(measured, first..range.end.min(first + CHUNK), stride, &mut tally);
                    if (first / CHUNK).is_multiple_of(64) {
                        eprint!("\r{} {} % ", measured.name, first * 100 / INPUTS);
                    }
                }
                if let Ok(mut total) = total.lock() {
                    total.add(&tally);
                }
            });
        }
    });
    eprint!("\r");
    total.into_inner().unwrap_or_default()
}

fn chunk(measured: &Measured, numbers: Range<u64>, stride: u64, tally: &mut Tally) {
    let mut at = numbers.start.next_multiple_of(stride);
    while at < numbers.end {
        // What is beyond the end is computed, and not counted.
        let inputs: [[u32; 2]; LANES] = from_fn(|lane| (measured.input)((at + lane as u64 * stride) as u32));
        let operands = [inputs.map(|pair| pair[0]), inputs.map(|pair| pair[1])];
        let results = sequence(&mut Wide, measured.function, &operands);
        for (input, result) in inputs.into_iter().zip(results) {
            if at < numbers.end {
                tally.take(input, result, (measured.truth)(input));
            }
            at += stride;
        }
    }
}
