//! `cargo xtask bench`: what the sandbox costs, beside plain programs that do the same.

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
  cargo xtask bench --rounds 15";

/// Arguments of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How many pairs of runs are compared
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
}

/// Builds the modules and the bench, and runs it.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    setup::run(workspace)?;
    plugins::build_all(workspace)?;
    let rounds = args.rounds.to_string();
    let bench = ["bench", "--package", "samebit", "--bench", "side_by_side", "--", "--rounds", &rounds];
    run_command(cargo(workspace.root()).args(bench))
}
