//! `samebit devices`.

use samebit_gpu::{Adapters, Choice, GpuDevice, SelectError};
use samebit_runner::engine::device::DeviceInfo;
use serde_json::{Value, json};

use crate::error::{Exit, Failure};
use crate::output::{BAD, GOOD, Output, Text, UNSURE};

const AFTER: &str = "\
The device marked with * is used unless `--device` says otherwise. Jobs never see which device they run on.

Exit codes:
  0    devices are listed; with --json also if there are none
  3    this machine has no GPU driver

Examples:
  samebit devices
  samebit devices -v            with limits and features
  samebit run job.wasm --device 1
  samebit run job.wasm --device llvmpipe";

/// Arguments of `samebit devices`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(_args: &Args, output: &Output) -> Result<Exit, Failure> {
    let devices = Adapters::enumerate().list();
    if devices.is_empty() && !output.is_json() {
        return Err(Failure::host("device", SelectError::NoAdapter.to_string()));
    }
    let default = devices.iter().position(|device| device.unsuitable.is_none());
    // Opening is what shows whether a listed device can be used at all; listing alone trusts its driver.
    if output.is_verbose()
        && let Err(error) = GpuDevice::select(&Choice::Default)
    {
        output.note(&format!("the default device cannot be used: {error}"));
    }
    output.answer(
        || devices.iter().enumerate().map(|(index, device)| to_json(index, device, default)).collect(),
        |text| {
            for (index, device) in devices.iter().enumerate() {
                show(index, device, default, output.is_verbose(), text);
            }
        },
    );
    Ok(Exit::Ok)
}

fn to_json(index: usize, device: &DeviceInfo, default: Option<usize>) -> Value {
    json!({
        "index": index,
        "name": device.name,
        "kind": device.kind.to_string(),
        "driver": device.driver,
        "backend": device.backend,
        "default": default == Some(index),
        "unsuitable": device.unsuitable,
        "limits": device.limits,
        "features": device.features,
    })
}

fn show(index: usize, device: &DeviceInfo, default: Option<usize>, is_verbose: bool, text: &mut Text) {
    let mark = if default == Some(index) { "*" } else { " " };
    let style = match (&device.unsuitable, default == Some(index)) {
        (Some(_), _) => BAD,
        (None, true) => GOOD,
        (None, false) => UNSURE,
    };
    text.headline(style, &format!("{mark}{index}"), &format!(" {} ({})", device.name, device.kind));
    text.field("   driver", format_args!("{}, {}", device.backend, device.driver));
    if let Some(reason) = &device.unsuitable {
        text.field("   unsuitable", reason);
    }
    let shown = |name: &str| is_verbose || SHORT.contains(&name);
    for (name, value) in device.limits.iter().filter(|(name, _)| shown(name)) {
        text.field("   limit", format_args!("{name} {value}"));
    }
    if is_verbose {
        text.field("   features", device.features.join(", "));
    }
}

/// The limits that matter to whoever chooses between devices.
const SHORT: [&str; 2] = ["maxBufferSize", "maxStorageBufferBindingSize"];
