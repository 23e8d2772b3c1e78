//! `samebit completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::{Exit, Failure};
use crate::output::Output;

const AFTER: &str = "\
Exit codes:
  0    done

Examples:
  samebit completions bash > ~/.local/share/bash-completion/completions/samebit
  samebit completions fish > ~/.config/fish/completions/samebit.fish
  samebit completions zsh > ~/.zfunc/_samebit";

/// Arguments of `samebit completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "samebit", &mut script);
    output.raw(&String::from_utf8_lossy(&script));
    Ok(Exit::Ok)
}
