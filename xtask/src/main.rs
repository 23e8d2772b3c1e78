//! Everything a shell script would do for this repository, in Rust, so that it works alike on every system.
//!
//! One file per command. Each command sets up what it needs itself, so that on a fresh machine with Rust,
//! `cargo xtask demo` or `cargo xtask test` is all there is to type. Nothing here is shipped.

mod bench;
mod command;
mod demo;
mod fuzz_seeds;
mod gpu_report;
mod man;
#[cfg(target_os = "linux")]
mod net_load;
#[cfg(target_os = "linux")]
mod net_test;
mod photo;
mod plugins;
mod setup;
mod suite;
mod terminal;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

const EXAMPLES: &str = "\
Examples:
  cargo xtask demo                     filter a picture, sign a receipt, verify it
  cargo xtask test                     everything that must pass before a merge
  cargo xtask test -p samebit-spec     the tests of one crate
  cargo xtask plugins gemm             build one module to target/plugins/gemm.wasm
  cargo xtask bench                    what the sandbox costs, and how fast the reference device is
  cargo xtask gpu-report               whether this machine's GPU computes exactly, and how fast
  sudo -E cargo xtask net-test         try the network on five machines in namespaces (Linux)
  cargo xtask net-load                 have a crowd try to wear a host out (Linux)
  cargo xtask tidy                     check the rules of the house";

/// What this repository's own chores are.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", version, about = "The chores of the Samebit repository", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// One chore.
#[derive(Debug, Subcommand)]
enum Command {
    /// Add the WebAssembly targets and the test runner, where they are missing
    Setup,
    /// Build the modules under plugins/ and examples/, and a plain WASI command, to target/plugins
    Plugins(plugins::Args),
    /// Filter a picture, sign a receipt and verify it from a second store
    Demo,
    /// Build the modules, then run all tests
    Test(suite::Args),
    /// Measure what sandbox and network cost, beside plain programs that do the same
    Bench(bench::Args),
    /// Check and time this machine's GPU, and write a report
    GpuReport(gpu_report::Args),
    /// Write what fuzzing the decoders of peers' bytes begins with, to host/fuzz/corpus/peer_bytes
    FuzzSeeds,
    /// Try the network on five machines in namespaces: kills, partitions, loss, liars and full disks
    #[cfg(target_os = "linux")]
    NetTest(net_test::Args),
    /// Have a crowd try to wear a host out, and measure how an honest client fares
    #[cfg(target_os = "linux")]
    NetLoad(net_load::Args),
    /// A port of the proxy of net-test
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    NetPort,
    /// What clears up after net-test
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    NetJanitor(net_test::JanitorArgs),
    /// Check the rules of the house: arrows between crates, file lengths, contracts, texts
    Tidy(tidy::Args),
    /// Write the man pages to target/man and shell completions to target/completions
    Man,
}

/// This machine lacks what a command is about to try. Exit code 3.
#[derive(Debug)]
struct CannotTry(String);

impl std::fmt::Display for CannotTry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CannotTry {}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::error(&error);
            if error.is::<CannotTry>() { ExitCode::from(3) } else { ExitCode::FAILURE }
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    // These two are helpers of a command that runs already.
    #[cfg(target_os = "linux")]
    match &cli.command {
        Command::NetPort => return net_test::port(),
        Command::NetJanitor(args) => return net_test::janitor(args),
        _ => {}
    }
    let workspace = Workspace::load()?;
    match &cli.command {
        Command::Setup => setup::run(&workspace),
        Command::Plugins(args) => plugins::run(&workspace, args),
        Command::Demo => demo::run(&workspace),
        Command::Test(args) => suite::run(&workspace, args),
        Command::Bench(args) => bench::run(&workspace, args),
        Command::GpuReport(args) => gpu_report::run(&workspace, args),
        Command::FuzzSeeds => fuzz_seeds::run(&workspace),
        Command::Tidy(args) => tidy::run(&workspace, args),
        #[cfg(target_os = "linux")]
        Command::NetTest(args) => net_test::run(&workspace, args),
        #[cfg(target_os = "linux")]
        Command::NetLoad(args) => net_load::run(&workspace, args),
        #[cfg(target_os = "linux")]
        Command::NetPort | Command::NetJanitor(_) => Ok(()),
        Command::Man => man::run(&workspace),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
