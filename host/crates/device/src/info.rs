//! How a device describes itself: to the person choosing one, and in a receipt's measured part. Guests never see it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What sort of thing runs the kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the machine's memory.
    Integrated,
    /// A GPU handed through by a virtual machine.
    Virtual,
    /// A driver that computes on the CPU.
    Software,
    /// None of these, as far as the driver tells.
    Other,
}

impl std::fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Software => "software",
            Self::Other => "other",
        })
    }
}

/// What a device says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// The adapter's name.
    pub name: String,
    /// The driver's name and version.
    pub driver: String,
    /// The interface to it, such as `vulkan`.
    pub backend: String,
    /// What sort of thing it is.
    pub kind: DeviceKind,
    /// Its limits by WebGPU's names. Larger ones than the fixed limits of `wit/gpu.wit` are never used.
    pub limits: BTreeMap<String, u64>,
    /// Its features by WebGPU's names.
    pub features: Vec<String>,
    /// Why it cannot serve as a device, if it cannot: the first fixed limit that it does not reach.
    pub unsuitable: Option<String>,
    /// What the whole battery of arithmetic came to on it, once it was put to that.
    pub battery: Option<Battery>,
}

/// What the battery of arithmetic came to on a device. Its text, a line for each operation, is what receipts have a hash of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Battery {
    /// The battery's version.
    pub version: u32,
    /// How many random operands each of its tests had, beside boundaries and hard cases.
    pub random: u32,
    /// Each operation, in the battery's order, and how it is computed; or the one that failed alone.
    pub operations: Vec<(String, String)>,
}

impl std::fmt::Display for Battery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "battery {} {}", self.version, self.random)?;
        self.operations.iter().try_for_each(|(operation, method)| writeln!(f, "{operation} {method}"))
    }
}
