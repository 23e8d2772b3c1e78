//! `samebit devices`.

use samebit_gpu::Choice;
use samebit_gpu::worker::WorkerOptions;
use samebit_reference::ReferenceDevice;
use samebit_runner::engine::device::{Device, DeviceInfo};
use serde_json::{Value, json};

use crate::device::DeviceChoice;
use crate::error::{Exit, Failure};
use crate::output::{BAD, GOOD, Output, Text, UNSURE};

const AFTER: &str = "\
The device marked with * is used unless `--device` says otherwise: `reference`, this CPU, which needs no driver and runs
jobs of both profiles. So do GPUs: `exact` jobs to the same bits, `native` ones as their driver likes. `--device gpu` takes
the first suitable one. Jobs never see which device they run on.

Exit codes:
  0    devices are listed
  3    this machine cannot run the reference device, and has no GPU driver

Examples:
  samebit devices
  samebit devices -v            with limits and features
  samebit run job.wasm --device gpu
  samebit run job.wasm --device llvmpipe --profile native";

/// Arguments of `samebit devices`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {}

/// A device of the list.
struct Listed {
    /// What `--device` takes for it.
    choice: String,
    index: Option<usize>,
    is_default: bool,
    info: DeviceInfo,
}

/// Runs the command.
pub(crate) fn run(_args: &Args, output: &Output) -> Result<Exit, Failure> {
    let reference = ReferenceDevice::new().map(|device| device.info().clone());
    // A driver that crashes while it is asked takes a worker along; the reference device is there all the same.
    let gpus = crate::device::gpus().unwrap_or_else(|error| {
        output.note(&format!("this machine's GPUs could not be listed: {error}"));
        Vec::new()
    });
    if let Err(error) = &reference {
        if gpus.is_empty() {
            return Err(Failure::host("device", error.to_string()));
        }
        output.note(&format!("the reference device cannot be used: {error}"));
    }
    let first = |info| Listed { choice: "reference".to_owned(), index: None, is_default: true, info };
    let rest = |(index, info): (usize, DeviceInfo)| {
        let choice = index.to_string();
        Listed { choice, index: Some(index), is_default: false, info }
    };
    let devices: Vec<_> = reference.ok().map(first).into_iter().chain(gpus.into_iter().enumerate().map(rest)).collect();
    // Opening is what shows whether a listed device can be used at all; listing alone trusts its driver.
    if output.is_verbose()
        && devices.iter().any(|device| device.index.is_some())
        && let Err(error) = DeviceChoice::Gpu(Choice::Default).device(WorkerOptions::default())
    {
        output.note(&format!("`--device gpu` cannot be used: {error}"));
    }
    output.answer(
        || devices.iter().map(Listed::json).collect(),
        |text| devices.iter().for_each(|device| device.show(output.is_verbose(), text)),
    );
    Ok(Exit::Ok)
}

impl Listed {
    fn json(&self) -> Value {
        let Self { choice, index, is_default, info } = self;
        // Whether a driver can be held to `exact` shows when it is first asked to.
        let profiles: &[&str] = if info.unsuitable.is_none() { &["exact", "native"] } else { &[] };
        json!({
            "device": choice,
            "index": index,
            "name": info.name,
            "kind": info.kind.to_string(),
            "driver": info.driver,
            "backend": info.backend,
            "profiles": profiles,
            "default": is_default,
            "unsuitable": info.unsuitable,
            "limits": info.limits,
            "features": info.features,
        })
    }

    fn show(&self, is_verbose: bool, text: &mut Text) {
        let Self { choice, index, is_default, info } = self;
        let mark = if *is_default { "*" } else { " " };
        let style = match (&info.unsuitable, is_default) {
            (Some(_), _) => BAD,
            (None, true) => GOOD,
            (None, false) => UNSURE,
        };
        let rest = match index {
            Some(_) => format!(" {} ({})", info.name, info.kind),
            None => " this CPU, exact".to_owned(),
        };
        text.headline(style, &format!("{mark}{choice}"), &rest);
        text.field("   driver", format_args!("{}, {}", info.backend, info.driver));
        if let Some(reason) = &info.unsuitable {
            text.field("   unsuitable", reason);
        }
        let shown = |name: &str| is_verbose || SHORT.contains(&name);
        for (name, value) in info.limits.iter().filter(|(name, _)| shown(name)) {
            text.field("   limit", format_args!("{name} {value}"));
        }
        if is_verbose && !info.features.is_empty() {
            text.field("   features", info.features.join(", "));
        }
    }
}

/// The limits that matter to whoever chooses between devices.
const SHORT: [&str; 2] = ["maxBufferSize", "maxStorageBufferBindingSize"];
