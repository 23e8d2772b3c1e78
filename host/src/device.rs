//! Which device runs kernels: this machine's CPU, unless somebody asks for a GPU.

use std::sync::Arc;

use samebit_gpu::{Choice, GpuDevice};
use samebit_reference::ReferenceDevice;
use samebit_runner::engine::device::{Device, DeviceError};

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

    /// The device. Blocks: drivers take their time.
    pub(crate) fn device(&self) -> Result<Arc<dyn Device>, DeviceError> {
        Ok(match self {
            Self::Reference => Arc::new(ReferenceDevice::new()?),
            Self::Gpu(choice) => {
                let device = GpuDevice::select(choice);
                Arc::new(device.map_err(|error| DeviceError::Unavailable(error.to_string()))?)
            }
        })
    }
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
