//! The command line: flags as they are typed, one file per command.

mod bindings;
mod build;
mod check;
mod completions;
mod devices;
mod fetch;
pub(crate) mod files;
mod generate;
mod host;
mod inspect;
pub(crate) mod job;
mod job_file;
mod jobs;
mod kernel;
mod keys;
pub(crate) mod limits;
mod new;
mod npy;
mod peers;
mod publish;
mod receipts;
#[cfg(feature = "relay")]
mod relay;
pub(crate) mod report;
mod run;
mod submit;
mod template;
mod verify;
mod watch;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::output::Output;

const AFTER: &str = "\
Exit codes:
  0    done; for `verify`, the outcome matches
  1    the job failed, trapped or reached a limit (there is a receipt); for `verify`, a mismatch
  2    bad usage or input; for `verify`, not a receipt or a bad signature
  3    this machine could not do it; for `verify`, unchecked
  130  interrupted

Examples:
  samebit new my-job && samebit build my-job
  samebit run filter.wasm --input image=photo.png --arg blur --out out --receipt photo.receipt
  samebit verify photo.receipt";

/// Run sandboxed GPU jobs whose results anyone can check.
#[derive(Debug, Parser)]
#[command(name = "samebit", version, after_help = AFTER, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The folder of modules, inputs, outputs, receipts and this host's key [default: the platform's data folder]
    #[arg(long, global = true, value_name = "DIR", env = "SAMEBIT_STORE")]
    pub(crate) store: Option<PathBuf>,
    /// Answer with one JSON value on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more on standard error; twice for debugging. SAMEBIT_LOG takes finer filters
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say only answers and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// When to use color
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// How to write what goes on, on standard error: for people, or one JSON object a line, with the time and the job
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", env = "SAMEBIT_LOG_FORMAT")]
    pub(crate) log_format: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// When to use color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run a job, and sign a receipt of what it came to
    Run(run::Args),
    /// Take jobs of others, run them and sign what they came to
    Host(Box<host::Args>),
    /// Have a job run by a host, and get back what it came to
    Submit(Box<submit::Args>),
    /// Make a module or another file known by its hash, and serve it
    Publish(publish::Args),
    /// Get a module, input or output by its hash, from whoever has it
    Fetch(fetch::Args),
    /// List, follow and cancel jobs of a host
    Jobs(jobs::Args),
    /// Pull a host's chain of receipts, and check that it is unbroken
    Receipts(receipts::Args),
    /// List the hosts that are known from announcements
    Peers(peers::Args),
    /// Carry packets between hosts that cannot reach one another
    #[cfg(feature = "relay")]
    Relay(relay::Args),
    /// Run a receipt's job again, and say whether the outcome is the same
    Verify(verify::Args),
    /// Run a job or a kernel with every access watched, and report races and other mistakes
    Check(check::Args),
    /// Show what a module, receipt or job file contains
    Inspect(inspect::Args),
    /// Run one WGSL kernel without a job, and time it
    Kernel(kernel::Args),
    /// List this machine's devices: the reference device, and its GPUs
    Devices(devices::Args),
    /// Start a job of your own from a working example
    New(new::Args),
    /// Compile a job to a module
    Build(build::Args),
    /// Make or show the key that this host signs with
    Key(keys::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Write man pages and completions
    #[command(name = "__generate", hide = true)]
    Generate(generate::Args),
}

impl Cli {
    /// True if the command ends in its own time when it is interrupted, and must not be dropped in the middle.
    pub(crate) fn ends_itself(&self) -> bool {
        match &self.command {
            Command::Host(args) => args.ends_itself(),
            Command::Publish(_) => true,
            Command::Submit(args) => args.is_array(),
            #[cfg(feature = "relay")]
            Command::Relay(_) => true,
            _ => false,
        }
    }

    /// True if the command serves others, so that whoever keeps it running wants to know what it does.
    pub(crate) fn serves(&self) -> bool {
        self.ends_itself() && !matches!(self.command, Command::Submit(_))
    }
}

/// Does what the command line says.
pub(crate) async fn dispatch(cli: Cli, output: Output) -> Result<Exit, Failure> {
    let config = Config::resolve(&cli.global)?;
    match cli.command {
        Command::Run(args) => run::run(args, &config, &output).await,
        Command::Host(args) => host::run(*args, &config, &output).await,
        Command::Submit(args) => submit::run(*args, &config, &output).await,
        Command::Publish(args) => publish::run(args, &config, &output).await,
        Command::Fetch(args) => fetch::run(args, &config, &output).await,
        Command::Jobs(args) => jobs::run(args, &config, &output).await,
        Command::Receipts(args) => receipts::run(args, &config, &output).await,
        Command::Peers(args) => peers::run(&args, &config, &output).await,
        #[cfg(feature = "relay")]
        Command::Relay(args) => relay::run(args, &output).await,
        Command::Verify(args) => verify::run(args, &config, &output).await,
        Command::Check(args) => check::run(args, &config, &output).await,
        Command::Inspect(args) => inspect::run(&args, &config, &output).await,
        Command::Kernel(args) => kernel::run(args, &config, &output).await,
        Command::Devices(args) => devices::run(&args, &config, &output),
        Command::New(args) => new::run(&args, &output),
        Command::Build(args) => build::run(&args, &config, &output).await,
        Command::Key(args) => keys::run(&args, &config, &output).await,
        Command::Completions(args) => completions::run(&args, &output),
        Command::Generate(args) => generate::run(&args),
    }
}

/// Splits `NAME=VALUE`, whose name must be an input's or output's.
fn named(text: &str) -> Result<(samebit_runner::spec::Name, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("expected NAME=PATH")?;
    if path.is_empty() {
        return Err("the path after `=` is empty".to_owned());
    }
    Ok((name.parse().map_err(|error: samebit_runner::spec::NameError| error.to_string())?, path.into()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_how_it_exits_and_shows_examples() {
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for part in ["Exit codes:", "Examples:"] {
                assert!(help.contains(part), "`samebit {} --help` lacks `{part}`", command.get_name());
            }
        }
    }

    #[test]
    fn named_files_are_split_at_the_first_equals_sign() {
        let (name, path) = named("a=b=c").expect("split");
        assert_eq!((name.as_str(), path), ("a", PathBuf::from("b=c")));
        for text in ["", "a", "a=", "=b", "../a=b", "a b=c"] {
            named(text).expect_err(text);
        }
    }
}
