//! `cargo xtask bench`: what the sandbox and the network cost, and how fast the reference device is, beside others that do
//! the same.

use std::path::PathBuf;

use anyhow::Result;

use crate::command::{cargo, run as run_command};
use crate::workspace::Workspace;
use crate::{plugins, setup};

const EXAMPLES: &str = "\
Prints a table in Markdown: times as medians, ratios as medians of pairs taken in turn, memory as
peaks of processes. The first call compiles everything with full optimization, which takes a
while. docs/BENCHMARKS.md has the targets, and what was measured where.

Examples:
  cargo xtask bench
  cargo xtask bench --rounds 15
  cargo xtask bench --part kernels
  cargo xtask bench --part network --sendme ~/.cargo/bin/sendme";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Jobs beside plain programs
    Sandbox,
    /// Kernels on the reference device beside the GPU driver and Rust
    Kernels,
    /// Jobs and blobs over loopback, hosts that announce themselves
    Network,
}

/// Arguments of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How many pairs of runs are compared
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Measures only this
    #[arg(long)]
    part: Option<Part>,
    /// Fetches beside this `sendme`, from crates.io, too
    #[arg(long, value_name = "PROGRAM", env = "SAMEBIT_BENCH_SENDME")]
    sendme: Option<PathBuf>,
}

/// Builds the benches and what they need, and runs them.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    setup::run(workspace)?;
    let rounds = args.rounds.to_string();
    let wanted = |part| args.part.is_none_or(|only| only == part);
    let bench = |package: &str, bench: &str| {
        let mut command = cargo(workspace.root());
        command.args(["bench", "--package", package, "--bench", bench, "--", "--rounds", &rounds]);
        command
    };
    if wanted(Part::Sandbox) {
        plugins::build_all(workspace)?;
        run_command(&mut bench("samebit", "side_by_side"))?;
    }
    if wanted(Part::Kernels) {
        run_command(&mut bench("samebit-gpu", "kernels"))?;
    }
    if wanted(Part::Network) {
        let mut command = bench("samebit", "network");
        if let Some(sendme) = &args.sendme {
            command.arg("--sendme").arg(std::path::absolute(sendme)?);
        }
        run_command(&mut command)?;
    }
    Ok(())
}
