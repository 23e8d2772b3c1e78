//! A host's signature over a job and its outcome.
//!
//! A receipt holds the whole job, so that whoever has the blobs it names can re-run it without asking anyone. The
//! measured part is signed too, but it is the host's word: nobody can re-measure it. Verification looks at one thing in
//! it, the [`DeviceClass`], and only to choose how a native job's outcome is compared.

use core::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::encoding::{decode, encode};
use crate::{DecodeError, Hash, HostKey, JobId, JobSpec, Outcome, ReceiptId, SecretKey, Signature};

/// The first bytes of a receipt file.
pub const RECEIPT_MAGIC: &[u8; 8] = b"SBRCPT\x0d\x0a";
/// The longest text in [`Measured`], in bytes. Signing cuts longer ones at a character boundary.
pub const MEASURED_TEXT_BYTES_MAX: usize = 256;

/// A signed receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The job that was run.
    pub job: JobSpec,
    /// What it came to.
    pub outcome: Outcome,
    /// What the host measured while running it.
    pub measured: Measured,
    /// Who signs.
    pub host: HostKey,
    /// The host's signature over the [`ReceiptId`].
    pub signature: Signature,
}

/// What a host measured. Its word alone; never compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The program that ran the job, such as `samebit 0.1.0`.
    pub program: String,
    /// When the run began, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// How long it ran, in microseconds of wall time.
    pub run_time_us: u64,
    /// The most linear memory in use at once, in bytes.
    pub memory_peak_bytes: u64,
    /// The most buffer memory in use at once, in bytes.
    pub gpu_memory_peak_bytes: u64,
    /// Dispatches made.
    pub dispatches: u64,
    /// The device that ran kernels, if any ran.
    pub device: Option<DeviceUsed>,
    /// Energy spent, in millijoules, where the host can tell.
    pub energy_mj: Option<u64>,
}

/// The device that ran a job's kernels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceUsed {
    /// The adapter's name.
    pub name: String,
    /// The driver's name and version.
    pub driver: String,
    /// The interface to it, such as `vulkan`.
    pub backend: String,
    /// What the device's battery of arithmetic came to, if it was put to one: a digest over the verdict on each operation.
    pub battery: Option<Hash>,
}

/// What devices that give the same bits in the profile native have in common: the adapter's name, the driver with its
/// version, and the interface between, as a receipt holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceClass<'a> {
    name: &'a str,
    driver: &'a str,
    backend: &'a str,
}

/// What is signed: the receipt without its signature, the job by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement<'a> {
    /// The job's id.
    pub job: JobId,
    /// The outcome.
    pub outcome: &'a Outcome,
    /// What was measured.
    pub measured: &'a Measured,
    /// Who signs.
    pub host: HostKey,
}

/// Why bytes are not a valid receipt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The file does not begin like a receipt.
    #[error("not a receipt: the file does not begin with the receipt marker")]
    NotAReceipt,
    /// The file begins like a receipt, but its bytes are not one.
    #[error("not a receipt: {0}")]
    Decode(#[from] DecodeError),
    /// The signature is not the named host's over these contents.
    #[error("bad signature: it is not host {0}'s over these contents; the receipt was changed or forged")]
    BadSignature(HostKey),
}

impl Receipt {
    /// Signs a job's outcome. Texts in `measured` are cut to [`MEASURED_TEXT_BYTES_MAX`].
    pub fn sign(job: JobSpec, outcome: Outcome, mut measured: Measured, key: &SecretKey) -> Self {
        for text in measured.texts_mut() {
            text.truncate(cut(text).len());
        }
        let host = key.public();
        let id = Statement { job: job.id(), outcome: &outcome, measured: &measured, host }.id();
        let signature = key.sign(id.as_bytes());
        Self { job, outcome, measured, host, signature }
    }

    /// The id that the signature covers.
    pub fn id(&self) -> ReceiptId {
        Statement { job: self.job.id(), outcome: &self.outcome, measured: &self.measured, host: self.host }.id()
    }

    /// The bytes of a receipt file.
    pub fn encode(&self) -> Vec<u8> {
        [RECEIPT_MAGIC.as_slice(), &encode(self)].concat()
    }

    /// Reads a receipt file and checks its signature. No part of a receipt that fails is released.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let body = bytes.strip_prefix(RECEIPT_MAGIC).ok_or(ReceiptError::NotAReceipt)?;
        let receipt: Self = decode(body)?;
        receipt.job.check().map_err(|error| DecodeError::Invalid(error.to_string()))?;
        receipt.outcome.check()?;
        receipt.measured.check()?;
        if receipt.host.verifies(receipt.id().as_bytes(), &receipt.signature) {
            Ok(receipt)
        } else {
            Err(ReceiptError::BadSignature(receipt.host))
        }
    }
}

impl DeviceUsed {
    /// The class of the device. It is the same before a receipt's texts are cut and after.
    pub fn class(&self) -> DeviceClass<'_> {
        DeviceClass { name: cut(&self.name), driver: cut(&self.driver), backend: cut(&self.backend) }
    }
}

impl fmt::Display for DeviceClass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.name, self.backend, self.driver)
    }
}

/// As much of a text as a receipt holds.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MEASURED_TEXT_BYTES_MAX)]
}

impl Measured {
    fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let device =
            self.device.iter_mut().flat_map(|device| [&mut device.name, &mut device.driver, &mut device.backend]);
        [&mut self.program].into_iter().chain(device)
    }

    fn check(&self) -> Result<(), DecodeError> {
        let device = self.device.iter().flat_map(|device| [&device.name, &device.driver, &device.backend]);
        match [&self.program].into_iter().chain(device).find(|text| text.len() > MEASURED_TEXT_BYTES_MAX) {
            Some(text) => Err(DecodeError::Invalid(format!(
                "a measured text is too long: {} bytes, at most {MEASURED_TEXT_BYTES_MAX} are allowed",
                text.len()
            ))),
            None => Ok(()),
        }
    }
}

impl Statement<'_> {
    /// The hash that is signed.
    pub fn id(&self) -> ReceiptId {
        ReceiptId::of_canonical(&encode(self))
    }
}
