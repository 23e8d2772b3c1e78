//! How fast the reference device is: kernels on it, on the first GPU driver of this machine, and as plain Rust, in one run.
//!
//! Every kernel is WGSL as one would write it for a GPU, beside a Rust function that computes the same on all cores, with
//! rayon and in plain safe code that the compiler turns into SIMD for the target's baseline. The sides take turns, round
//! by round, so that a machine that speeds up or slows down does so for all of them. What is printed are medians of times
//! and of the rounds' ratios. What the sides compute is compared before anything is timed.
//!
//! Run it with `cargo xtask bench`. `docs/BENCHMARKS.md` says what the targets are, and what limits each kernel.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table on standard output is what this program is for"
)]

mod card;
mod cases;
mod lab;
mod measure;
mod overhead;
mod random;
mod suite;
mod table;

use std::process::ExitCode;

const USAGE: &str = "usage: kernels [--rounds N] [--only NAME] [--skip-gpu] [--suite | --overhead | --card]";

/// What to do, from the command line.
struct Options {
    rounds: usize,
    only: Option<String>,
    skip_gpu: bool,
    suite: bool,
    overhead: bool,
    card: bool,
}

fn main() -> ExitCode {
    let Some(options) = options(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let sides = lab::Sides::open(!options.skip_gpu);
    println!("{}\n", sides.machine());
    let mut is_right = true;
    if options.suite {
        is_right = table::suite(&sides, options.rounds, options.only.as_deref());
    }
    if options.overhead {
        overhead::report(&sides);
    }
    if options.card
        && let Err(fault) = card::report(&sides)
    {
        is_right = false;
        println!("\n{fault}");
    }
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options(mut args: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options { rounds: 5, only: None, skip_gpu: false, suite: true, overhead: true, card: true };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--rounds" => options.rounds = args.next()?.parse().ok().filter(|rounds| *rounds > 0)?,
            "--only" => options.only = Some(args.next()?),
            "--skip-gpu" => options.skip_gpu = true,
            "--suite" => (options.overhead, options.card) = (false, false),
            "--overhead" => (options.suite, options.card) = (false, false),
            "--card" => (options.suite, options.overhead) = (false, false),
            _ => return None,
        }
    }
    Some(options)
}
