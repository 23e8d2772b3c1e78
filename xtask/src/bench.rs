//! `cargo xtask bench`: what the sandbox costs, and how fast the reference device is, beside others that do the same.

use anyhow::Result;

use crate::command::{cargo, run as run_command};
use crate::workspace::Workspace;
use crate::{plugins, setup};

const EXAMPLES: &str = "\
Prints a table in Markdown: times as medians, ratios as medians of pairs taken in turn, memory as peaks of processes.
The first call compiles everything with full optimization, which takes a while. docs/BENCHMARKS.md has the targets, and
what was measured where.

Examples:
  cargo xtask bench
  cargo xtask bench --rounds 15
  cargo xtask bench --part kernels";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Jobs beside plain programs
    Sandbox,
    /// Kernels on the reference device beside the GPU driver and Rust
    Kernels,
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
}

/// Builds the benches and what they need, and runs them.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    setup::run(workspace)?;
    let rounds = args.rounds.to_string();
    let run = |package: &str, bench: &str| {
        let bench = ["bench", "--package", package, "--bench", bench, "--", "--rounds", &rounds];
        run_command(cargo(workspace.root()).args(bench))
    };
    if args.part != Some(Part::Kernels) {
        plugins::build_all(workspace)?;
        run("samebit", "side_by_side")?;
    }
    if args.part != Some(Part::Sandbox) {
        run("samebit-gpu", "kernels")?;
    }
    Ok(())
}
