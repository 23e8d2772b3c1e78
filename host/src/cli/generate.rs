//! Man pages and completions as files, for packagers: `cargo xtask man`.

use std::io;
use std::path::PathBuf;

use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

use crate::cli::{Cli, files};
use crate::error::{Exit, Failure};

/// Arguments of `samebit __generate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes:\n  0    done\n\nExamples:\n  samebit __generate target")]
pub(crate) struct Args {
    /// Where the folders `man` and `completions` go
    dir: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (man, completions) = (args.dir.join("man"), args.dir.join("completions"));
    files::make_folder(&man)?;
    files::make_folder(&completions)?;
    let write = || -> io::Result<()> {
        // Hidden commands get no page.
        clap_mangen::generate_to(Cli::command(), &man)?;
        for shell in Shell::value_variants() {
            clap_complete::generate_to(*shell, &mut Cli::command(), "samebit", &completions)?;
        }
        Ok(())
    };
    write()
        .map_err(|error| Failure::host("output", format!("{} cannot be written to: {error}", args.dir.display())))?;
    Ok(Exit::Ok)
}
