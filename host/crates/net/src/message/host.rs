//! What a host says of itself: asked directly, or announced.

use samebit_spec::{DecodeError, HostKey, Limits};
use serde::{Deserialize, Serialize};

use super::Text;
use super::provider::bounded;

/// The most devices that a host may tell of.
pub const DEVICES_MAX: usize = 16;
/// The most labels that a host may have.
pub const LABELS_MAX: usize = 32;

/// A host as it describes itself. Its word alone, except for its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostInfo {
    /// The host's key, which its receipts are signed with.
    pub host: HostKey,
    /// The program, such as `samebit 0.1.0`.
    pub program: Text<64>,
    /// What kernels run on here, the preferred one first.
    pub devices: Vec<DeviceOffer>,
    /// The most that a job may ask for.
    pub caps: Limits,
    /// How busy it is.
    pub load: Load,
    /// What it asks for its work, in words. Samebit moves no money.
    pub price: Option<Text<128>>,
    /// Free-form labels, such as `region=eu`.
    pub labels: Vec<Text<64>>,
    /// How many receipts its chain has.
    pub receipts: u64,
}

/// A device that a host offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceOffer {
    /// The device's name.
    pub name: Text<128>,
    /// The driver's name and version.
    pub driver: Text<128>,
    /// The interface to it, such as `vulkan`.
    pub backend: Text<32>,
    /// True if it runs jobs of the profile `exact`.
    pub exact: bool,
    /// True if it runs jobs of the profile `native`.
    pub native: bool,
}

/// How busy a host is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Jobs that run.
    pub running: u32,
    /// Jobs that may run at once.
    pub slots: u32,
    /// Jobs that wait.
    pub queued: u32,
    /// Jobs that may wait.
    pub queue_max: u32,
}

impl HostInfo {
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        bounded("devices", self.devices.len(), DEVICES_MAX)?;
        bounded("labels", self.labels.len(), LABELS_MAX)
    }
}
