//! Which device runs kernels: this machine's CPU, unless somebody asks for a GPU.
//!
//! A GPU's driver never runs in the process that was asked: it runs in a worker, which is this program with
//! [`WORKER`] as its first argument, and the folder of what devices came to in the battery of arithmetic as its second.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use samebit_gpu::Choice;
use samebit_gpu::worker::{self, Program, WorkerDevice, WorkerOptions};
use samebit_reference::ReferenceDevice;
use samebit_runner::engine::DeviceSource;
use samebit_runner::engine::device::{Device, DeviceError, DeviceInfo};

/// The argument that makes a worker of this program. Not a command: nobody is to type it.
const WORKER: &str = "__gpu-worker";

/// A device as `--device` names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum DeviceChoice {
    /// The CPU, exactly.
    #[default]
    Reference,
    /// A GPU.
    Gpu(Choice),
}

impl DeviceChoice {
    /// Reads a choice: `reference`, `gpu`, an index, or any part of a GPU's name.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "" => return Err("expected `reference`, `gpu`, an index or a name; see `samebit devices`".to_owned()),
            "reference" => Self::Reference,
            "gpu" => Self::Gpu(Choice::Default),
            _ => Self::Gpu(text.parse().map_or_else(|_| Choice::Name(text.to_owned()), Choice::Index)),
        })
    }

    /// The device. Blocks: drivers take their time. A GPU's arithmetic is remembered in the folder `batteries`.
    pub(crate) fn device(&self, batteries: &Path, options: WorkerOptions) -> Result<Arc<dyn Device>, DeviceError> {
        Ok(match self {
            Self::Reference => Arc::new(ReferenceDevice::new()?),
            Self::Gpu(choice) => Arc::new(WorkerDevice::select(program(Some(batteries))?, choice, options)?),
        })
    }

    /// Opens the device when it is first asked for, and hands out the same one from then on. One that could not be opened
    /// is tried again.
    pub(crate) fn source(self, batteries: PathBuf, options: WorkerOptions) -> DeviceSource {
        let opened = Mutex::new(None);
        Arc::new(move || {
            let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
            match &*opened {
                Some(device) => Ok(Arc::clone(device)),
                None => Ok(Arc::clone(opened.insert(self.device(&batteries, options)?))),
            }
        })
    }
}

/// This machine's GPUs. Blocks.
pub(crate) fn gpus() -> Result<Vec<DeviceInfo>, DeviceError> {
    worker::adapters(&program(None)?, WorkerOptions::default())
}

/// Whether this process was started to be a worker.
pub(crate) fn is_worker() -> bool {
    std::env::args_os().nth(1).as_deref() == Some(OsStr::new(WORKER))
}

/// The folder that a worker was given.
pub(crate) fn batteries() -> Option<PathBuf> {
    std::env::args_os().nth(2).map(PathBuf::from)
}

fn program(batteries: Option<&Path>) -> Result<Program, DeviceError> {
    let args = std::iter::once(OsString::from(WORKER)).chain(batteries.map(|folder| folder.as_os_str().to_owned()));
    Program::this(args).map_err(|error| {
        DeviceError::Unavailable(format!("this program does not know where it is, to run a driver apart: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_word_an_index_or_a_name() {
        for (text, choice) in [
            ("reference", DeviceChoice::Reference),
            ("gpu", DeviceChoice::Gpu(Choice::Default)),
            ("0", DeviceChoice::Gpu(Choice::Index(0))),
            ("llvmpipe", DeviceChoice::Gpu(Choice::Name("llvmpipe".to_owned()))),
        ] {
            assert_eq!(DeviceChoice::parse(text), Ok(choice), "{text}");
        }
        DeviceChoice::parse("").expect_err("nothing is no choice");
    }
}
