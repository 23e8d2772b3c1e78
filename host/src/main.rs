//! `samebit`: run sandboxed GPU jobs, sign what they came to, and check what others signed.
//!
//! This program is where everything meets: it picks the device, opens the store and hands both to `samebit-runner`. It
//! decides nothing about jobs itself. Commands are one file each under `cli/`; flags are lowered to a [`config`] once;
//! every message passes through [`output`], and every error through [`error`], which also gives the exit code.

mod array;
mod cli;
mod config;
mod daemon;
mod device;
mod error;
mod interrupt;
mod key;
mod machine;
mod output;
mod progress;
mod remote;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::cli::Cli;
use crate::error::{Exit, Failure};
use crate::output::Output;

/// How long the program waits, when it is done, for threads that are busy.
const GRACE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    if device::is_worker() {
        samebit_gpu::worker::serve(device::batteries())
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let output = Output::new(&cli.global);
    output::trace(&cli.global, cli.serves());
    let exit = match start(cli, &output) {
        Ok(exit) => exit,
        Err(failure) => {
            output.failure(&failure);
            failure.exit()
        }
    };
    // Not by returning: a thread that hangs must not keep the process. Workers end with it.
    std::process::exit(exit.code())
}

/// What clap has to say, about a mistake or because it was asked. Who asked for JSON gets mistakes as JSON too.
fn misused(said: &clap::Error) -> ExitCode {
    if said.use_stderr() && std::env::args_os().any(|arg| arg == "--json") {
        let text = said.to_string();
        let failure = Failure::usage("usage", text.strip_prefix("error: ").unwrap_or(&text).trim_end());
        Output::json().failure(&failure);
        std::process::exit(failure.exit().code());
    }
    said.exit()
}

fn start(cli: Cli, output: &Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("samebit")
        .enable_all()
        .build()
        .map_err(|error| Failure::host("runtime", format!("threads cannot be started: {error}")))?;
    let output = output.clone();
    let ends_itself = cli.ends_itself();
    let result = runtime.block_on(async move {
        // A task of its own, so that a command that does not yield cannot keep an interruption from being seen.
        let mut command = tokio::spawn(cli::dispatch(cli, output));
        tokio::select! {
            result = &mut command => result.unwrap_or_else(|error| Err(Failure::panicked(&error))),
            () = interrupt::requested(), if !ends_itself => {
                command.abort();
                // Dropped by now, or stuck; its files go with it, or at the next opening of the store.
                let _ = tokio::time::timeout(GRACE, command).await;
                Err(Failure::interrupted())
            }
        }
    });
    runtime.shutdown_timeout(GRACE);
    result
}
