//! `samebit devices`.

use samebit_gpu::Choice;
use samebit_gpu::worker::WorkerOptions;
use samebit_reference::ReferenceDevice;
use samebit_runner::engine::device::{Device, DeviceInfo};
use serde_json::{Value, json};

use crate::config::Config;
use crate::device::DeviceChoice;
use crate::error::{Exit, Failure};
use crate::output::{BAD, GOOD, Output, Text, UNSURE};

const AFTER: &str = "\
The device marked with * is used unless `--device` says otherwise: `reference`, this CPU, which
needs no driver and runs jobs of both profiles. So do GPUs: `exact` jobs to the same bits,
`native` ones as their driver likes. `--device gpu` takes the first suitable one. Jobs never see
which device they run on.

Before its first `exact` job, a GPU's arithmetic is tested, operation by operation, which takes
some seconds and is remembered in the store. `arithmetic` says what came out: an operation is
computed by the driver's instruction (native), by one whose result is put right (corrected), in
binary64 (double) or by integers alone (integer). A GPU that fails runs `native` jobs only.

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
pub(crate) fn run(_args: &Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
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
    let batteries = config.batteries();
    let rest = |(index, info): (usize, DeviceInfo)| {
        let choice = index.to_string();
        let info = DeviceInfo { battery: samebit_gpu::exact::remembered(&batteries, &info), ..info };
        Listed { choice, index: Some(index), is_default: false, info }
    };
    let devices: Vec<_> = reference.ok().map(first).into_iter().chain(gpus.into_iter().enumerate().map(rest)).collect();
    // Opening is what shows whether a listed device can be used at all; listing alone trusts its driver.
    if output.is_verbose()
        && devices.iter().any(|device| device.index.is_some())
        && let Err(error) = DeviceChoice::Gpu(Choice::Default).device(&batteries, WorkerOptions::default())
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
        let profiles: &[&str] = match (&info.unsuitable, self.failed()) {
            (Some(_), _) => &[],
            (None, Some(_)) => &["native"],
            // Whether a driver can be held to `exact` shows when it is first asked to.
            (None, None) => &["exact", "native"],
        };
        let arithmetic = info.battery.as_ref().map(|battery| {
            let entry = |(operation, method): &(String, String)| (operation.clone(), json!(method));
            Value::Object(battery.operations.iter().map(entry).collect())
        });
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
            "arithmetic": arithmetic,
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
        if index.is_some() && info.unsuitable.is_none() {
            text.field("   arithmetic", self.arithmetic());
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

impl Listed {
    /// The operation that the device gets wrong, if one is known.
    fn failed(&self) -> Option<&str> {
        let operations = &self.info.battery.as_ref()?.operations;
        operations.iter().find(|(_, method)| method == "failed").map(|(operation, _)| operation.as_str())
    }

    /// How the device's operations of floats are computed in `exact` jobs, in words.
    fn arithmetic(&self) -> String {
        let Some(battery) = &self.info.battery else {
            return "not tested yet: the first `exact` job on it does that".to_owned();
        };
        if let Some(operation) = self.failed() {
            return format!("its driver gets `{operation}` wrong: for `native` jobs only");
        }
        let named = battery.operations.iter().map(|(operation, method)| format!("{operation} {method}"));
        named.collect::<Vec<_>>().join(", ")
    }
}

/// The limits that matter to whoever chooses between devices.
const SHORT: [&str; 2] = ["maxBufferSize", "maxStorageBufferBindingSize"];
