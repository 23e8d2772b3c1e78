//! `samebit run`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use samebit_gpu::worker::WorkerOptions;
use samebit_runner::spec::{Name, Receipt, Status};
use samebit_runner::{Fetched, Host};
use serde_json::json;

use crate::cli::files;
use crate::cli::job::{Draft, JobArgs};
use crate::cli::report::{blob_text, measured_json, outcome_json, status_word};
use crate::config::Config;
use crate::device::DeviceChoice;
use crate::error::{Exit, Failure};
use crate::machine::Machine;
use crate::output::{BAD, GOOD, Output, Text};
use crate::progress::Progress;

const AFTER: &str = "\
Inputs, outputs, log and receipt are kept in the store. The receipt is written last: where there
is one, the outputs are whole.

A job.toml holds a job; flags override it, paths are relative to it:
  module = \"filter.wasm\"
  args = [\"blur\"]
  profile = \"exact\"
  [inputs]
  image = \"photo.png\"
  [tolerances]                  # native only: between two classes of device
  \"image.f32\" = \"ulp:4\"
  [limits]
  fuel = \"10G\"
  gpu-memory = \"256MiB\"

Exit codes:
  0    the job returned success
  1    the job failed, trapped or reached a limit; there is a receipt, which verifies like any other
  2    bad usage or input: a missing file, a module that is refused, a limit over this host's cap
  3    this machine could not finish the job: no device, out of time, memory or disk; there is no
       receipt
  130  interrupted; nothing half-written is left

Examples:
  samebit run hello.wasm
  samebit run filter.wasm --input image=photo.png --arg blur --out out --receipt photo.receipt
  samebit run job.toml --limit-fuel 1G --json";

/// Arguments of `samebit run`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Write the outputs to this folder, each under its name
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the receipt to this file
    #[arg(short, long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    host: HostArgs,
}

/// What concerns this machine and not the job.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "This machine")]
pub(crate) struct HostArgs {
    /// What runs kernels: `reference` is this CPU, `gpu` the first suitable GPU; or a GPU's index or name as `samebit
    /// devices` lists them [default: reference]
    #[arg(long, value_name = "DEVICE", value_parser = DeviceChoice::parse)]
    pub(crate) device: Option<DeviceChoice>,
    /// Give up after this many seconds on the clock, without a receipt
    #[arg(long = "limit-wall-s", value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    wall_s: u64,
    /// Give a GPU up as hanging when for this many seconds it has finished nothing of what it was given
    #[arg(long = "limit-dispatch-s", value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    dispatch_s: u64,
}

impl HostArgs {
    /// Opens this machine.
    pub(crate) async fn open(self, config: &Config, output: &Output) -> Result<Machine, Failure> {
        let (wall_time, options) = (self.wall_time(), self.worker_options());
        Machine::open(config, self.device.unwrap_or_default().source(config.batteries(), options), wall_time, output)
            .await
    }

    /// How to treat a GPU.
    pub(crate) fn worker_options(&self) -> WorkerOptions {
        WorkerOptions { limit: Duration::from_secs(self.dispatch_s), ..WorkerOptions::default() }
    }

    /// How long to go on.
    pub(crate) fn wall_time(&self) -> Duration {
        Duration::from_secs(self.wall_s)
    }
}

/// Runs the command.
pub(crate) async fn run(args: Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let draft = args.job.draft()?;
    let machine = args.host.open(config, output).await?;
    let result = sign(draft, &machine, output).await;
    let written = match result {
        Ok(receipt) => write(&machine.host, receipt, args.out.as_deref(), args.receipt.as_deref()).await,
        Err(failure) => Err(failure),
    };
    machine.close().await?;
    let written = written?;
    show(&written, output);
    Ok(if written.receipt.outcome.status == Status::Ok { Exit::Ok } else { Exit::Negative })
}

/// The way of the job.
async fn sign(draft: Draft, machine: &Machine, output: &Output) -> Result<Receipt, Failure> {
    let Machine { host, key } = machine;
    let imported = draft.import(&host.store).await?;
    let compiled = Fetched::fetch(host, imported.job).await?.compile(host).await?;
    let progress = Progress::new(output);
    let ran = compiled.run(host, progress.clone()).await;
    progress.finish();
    let receipt = ran?.commit(host).await?.sign(host, key).await?;
    drop(imported.pins);
    Ok(receipt)
}

/// A receipt, and what was written of it.
pub(crate) struct Written {
    /// The receipt.
    pub(crate) receipt: Receipt,
    /// Where outputs went.
    pub(crate) paths: BTreeMap<Name, PathBuf>,
    /// Where the receipt went.
    pub(crate) receipt_path: Option<PathBuf>,
}

async fn write(
    host: &Host,
    receipt: Receipt,
    out: Option<&Path>,
    receipt_path: Option<&Path>,
) -> Result<Written, Failure> {
    let mut paths = BTreeMap::new();
    if let Some(out) = out {
        files::make_folder(out)?;
        for (name, blob) in &receipt.outcome.outputs {
            let path = out.join(name.as_str());
            host.store.export(&blob.hash, &path).await?;
            paths.insert(name.clone(), path);
        }
    }
    if let Some(path) = receipt_path {
        files::write_whole(path, &receipt.encode())?;
    }
    Ok(Written { receipt, paths, receipt_path: receipt_path.map(Path::to_owned) })
}

/// Tells what came of a job.
pub(crate) fn show(written: &Written, output: &Output) {
    let Written { receipt, paths, receipt_path } = written;
    let json = || {
        json!({
            "job": receipt.job.id().to_string(),
            "outcome": outcome_json(&receipt.outcome, paths),
            "receipt": {
                "id": receipt.id().to_string(),
                "host": receipt.host.to_string(),
                "path": receipt_path.as_ref().map(|path| path.display().to_string()),
            },
            "measured": measured_json(&receipt.measured),
        })
    };
    output.answer(json, |text| show_text(written, output, text));
}

fn show_text(written: &Written, output: &Output, text: &mut Text) {
    let Written { receipt, paths, receipt_path } = written;
    let outcome = &receipt.outcome;
    let word = status_word(&outcome.status);
    let rest = outcome.status.to_string();
    let style = if outcome.status == Status::Ok { GOOD } else { BAD };
    text.headline(style, word, rest.strip_prefix(word).unwrap_or(&format!(": {rest}")));
    for (name, blob) in &outcome.outputs {
        match paths.get(name) {
            Some(path) => text.field("output", format_args!("{name} {} -> {}", blob_text(blob), path.display())),
            None => text.field("output", format_args!("{name} {}", blob_text(blob))),
        }
    }
    if output.is_verbose() {
        text.field("job", receipt.job.id());
        text.field("outcome", outcome.id());
        crate::cli::report::measured_text(&receipt.measured, text);
    }
    text.field("fuel", outcome.fuel);
    text.field("run time", format_args!("{:.3} ms", receipt.measured.run_time_us as f64 / 1e3));
    match receipt_path {
        Some(path) => text.field("receipt", format_args!("{} -> {}", receipt.id(), path.display())),
        None => text.field("receipt", receipt.id()),
    }
}
