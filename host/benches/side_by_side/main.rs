//! What the sandbox costs: each job of the bench beside a plain program that does the same, in one run.
//!
//! Every figure is taken in a process of its own, so that memory peaks are comparable, and the two sides of a pair take
//! turns, so that a machine that speeds up or slows down does so for both. What is printed are medians and the median
//! of the pairs' ratios. Nothing here fails on a slow machine: `docs/BENCHMARKS.md` says what the targets are.
//!
//! Run it with `cargo xtask bench`, which builds the modules first.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table on standard output is what this program is for"
)]

mod empty;
mod gemm;
mod hashing;
mod image_filter;
mod mandelbrot;
mod measure;
mod plain;
mod samebit;
mod transfer;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use measure::{Figure, Pair};
use work::Work;

/// One side of a pair, or a figure that stands alone: its name, and what to do in a process of its own.
type Side = (&'static str, fn(&Work) -> Figure);

const SIDES: &[Side] = &[
    ("empty-job", empty::in_process),
    ("transfer", transfer::sandboxed),
    ("transfer-in-process", transfer::in_process),
    ("transfer-plain", transfer::plain),
    ("gemm", gemm::sandboxed),
    ("gemm-in-process", gemm::in_process),
    ("gemm-plain", gemm::plain),
    ("gemm-portable", gemm::portable),
    ("gemm-vulkan", gemm::vulkan),
    ("image-filter", image_filter::sandboxed),
    ("image-filter-in-process", image_filter::in_process),
    ("image-filter-plain", image_filter::plain),
    ("image-filter-portable", image_filter::portable),
    ("image-filter-vulkan", image_filter::vulkan),
    ("mandelbrot-in-process", mandelbrot::in_process),
    ("mandelbrot-portable", mandelbrot::portable),
    ("mandelbrot-vulkan", mandelbrot::vulkan),
    ("hash", hashing::ours),
    ("hash-plain", hashing::plain),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [samebit::WORKER] => samebit_gpu::worker::serve(None),
        [] => report(5),
        ["--rounds", rounds] if rounds.parse::<usize>().is_ok_and(|rounds| rounds > 0) => {
            report(rounds.parse().unwrap_or(1));
        }
        ["--side", name, dir] => {
            let Some((_, side)) = SIDES.iter().find(|(side, _)| *side == name) else { return ExitCode::from(2) };
            println!("{}", side(&Work::open(PathBuf::from(dir))).to_json());
        }
        _ => {
            eprintln!("usage: side_by_side [--rounds N]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn report(rounds: usize) {
    let work = Work::create();
    println!("{}\n", work::machine());
    println!("| job | samebit | plain | ratio | target | peak memory: samebit | plain |");
    println!("|---|---|---|---|---|---|---|");
    let empty = measure::side("empty-job", &work);
    println!("| empty job in process, p50 | {} | – | – | ≤ 50 µs | {} | – |", empty.time(), empty.memory());
    let cli = empty::command_line(&work, 4 * rounds);
    println!("| empty job, CLI start to receipt | {} | – | – | ≤ 50 ms | {} | – |", cli.time(), cli.memory());
    for (title, ours, plain, target) in [
        ("256 MiB input → buffer → output", "transfer", "transfer-plain", "≤ 1.05"),
        ("gemm 1024³", "gemm", "gemm-plain", "≤ 1.05"),
        ("image-filter, 3 Mpixel, blur of 12", "image-filter", "image-filter-plain", "≤ 1.05"),
        ("verified read of 256 MiB against `blake3`", "hash", "hash-plain", "≤ 1.11 (≥ 0.9× speed)"),
    ] {
        let Pair { ours, plain, ratio } = measure::pair(ours, plain, &work, rounds);
        println!(
            "| {title} | {} | {} | {ratio:.2} | {target} | {} | {} |",
            ours.time(),
            plain.time(),
            ours.memory(),
            plain.memory()
        );
    }
    workers(&work, rounds);
    exactness(&work, rounds);
}

/// What it costs that the driver runs in a process of its own: the same job, with the driver there and here.
fn workers(work: &Work, rounds: usize) {
    println!("\n| job | driver in a worker | in process | ratio | target |");
    println!("|---|---|---|---|---|");
    for (title, worker, in_process, target) in [
        ("256 MiB input → buffer → output", "transfer", "transfer-in-process", "–"),
        ("gemm 1024³", "gemm", "gemm-in-process", "≤ 1.03"),
        ("image-filter, 3 Mpixel, blur of 12", "image-filter", "image-filter-in-process", "≤ 1.03"),
    ] {
        let Pair { ours, plain, ratio } = measure::pair(worker, in_process, work, rounds);
        println!("| {title} | {} | {} | {ratio:.3} | {target} |", ours.time(), plain.time());
    }
}

/// What it costs that the answer is the same everywhere: the plugins in the profile `exact`, in each way of writing programs.
fn exactness(work: &Work, rounds: usize) {
    println!("\n| plugin | native | exact, portable | exact, vulkan | portable / native | vulkan / native |");
    println!("|---|---|---|---|---|---|");
    for (title, name) in [
        ("gemm 1024³", "gemm"),
        ("image-filter, 3 Mpixel, blur of 12", "image-filter"),
        ("mandelbrot, as it is by default", "mandelbrot"),
    ] {
        let against = |way| measure::pair(&format!("{name}-{way}"), &format!("{name}-in-process"), work, rounds);
        let (portable, vulkan) = (against("portable"), against("vulkan"));
        println!(
            "| {title} | {} | {} | {} | {:.2} | {:.2} |",
            vulkan.plain.time(),
            portable.ours.time(),
            vulkan.ours.time(),
            portable.ratio,
            vulkan.ratio
        );
    }
}
