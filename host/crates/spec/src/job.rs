//! What is to be computed: module, arguments, inputs, limits, profile, and how its outputs may be compared.

use core::fmt;
use std::collections::BTreeMap;

use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::encoding::{decode, encode};
use crate::{BlobRef, DecodeError, JobId, LOOP_ITERATIONS_MAX, Limits, Name, OUTPUTS_MAX, Tolerance, ToleranceError};

/// The most arguments a job may have.
pub const ARGS_MAX: usize = 1024;
/// The most bytes that all arguments of a job may have together.
pub const ARGS_BYTES_MAX: usize = 1 << 16;
/// The most inputs a job may have.
pub const INPUTS_MAX: usize = 4096;

/// Which bits a kernel's floats have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// The bits that `docs/EXACT.md` defines, on any device.
    Exact,
    /// Whatever the device and its driver give.
    Native,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Native => "native",
        })
    }
}

/// A job. Its id is the hash of its canonical bytes, so two equal jobs are one job everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSpec {
    /// The module to run.
    pub module: BlobRef,
    /// Arguments handed to the guest, in order.
    #[serde(deserialize_with = "deserialize_args")]
    pub args: Vec<String>,
    /// Inputs by name.
    pub inputs: BTreeMap<Name, BlobRef>,
    /// What the job may spend.
    pub limits: Limits,
    /// Which bits its kernels' floats have.
    pub profile: Profile,
    /// How far outputs may be from those of another class of device. None in the profile exact, where bits are bits.
    pub tolerances: BTreeMap<Name, Tolerance>,
}

/// Why a job cannot be named or run by anyone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JobSpecError {
    /// Over [`ARGS_MAX`].
    #[error("too many arguments: {0}, at most {ARGS_MAX} are allowed")]
    ArgsMany(usize),
    /// Over [`ARGS_BYTES_MAX`].
    #[error("arguments too long: {0} bytes together, at most {ARGS_BYTES_MAX} are allowed")]
    ArgsLong(usize),
    /// An argument that no program can be given.
    #[error("argument {0} contains a NUL byte")]
    ArgNul(usize),
    /// Over [`INPUTS_MAX`].
    #[error("too many inputs: {0}, at most {INPUTS_MAX} are allowed")]
    InputsMany(usize),
    /// Over [`LOOP_ITERATIONS_MAX`].
    #[error("limit on loop-iterations too large: {0}, at most {LOOP_ITERATIONS_MAX} is allowed")]
    LoopIterations(u64),
    /// A tolerance where every bit is defined.
    #[error("output {0} has a tolerance, but the profile is exact: leave it out, or choose the profile native")]
    ToleranceExact(Name),
    /// More tolerances than a job can have outputs.
    #[error("too many tolerances: {0}, at most {OUTPUTS_MAX} are allowed")]
    TolerancesMany(usize),
    /// A tolerance out of its bounds.
    #[error("the tolerance of output {name} is out of bounds: {source}")]
    Tolerance {
        /// Which output.
        name: Name,
        /// The bound.
        source: ToleranceError,
    },
}

impl JobSpec {
    /// The module and the inputs. What has two names comes twice.
    pub fn blobs(&self) -> impl Iterator<Item = &BlobRef> {
        std::iter::once(&self.module).chain(self.inputs.values())
    }

    /// Checks the rules that the types alone do not express.
    pub fn check(&self) -> Result<(), JobSpecError> {
        if self.args.len() > ARGS_MAX {
            return Err(JobSpecError::ArgsMany(self.args.len()));
        }
        let args_bytes = self.args.iter().map(String::len).sum();
        if args_bytes > ARGS_BYTES_MAX {
            return Err(JobSpecError::ArgsLong(args_bytes));
        }
        if let Some(index) = self.args.iter().position(|arg| arg.contains('\0')) {
            return Err(JobSpecError::ArgNul(index));
        }
        if self.inputs.len() > INPUTS_MAX {
            return Err(JobSpecError::InputsMany(self.inputs.len()));
        }
        if self.limits.loop_iterations > LOOP_ITERATIONS_MAX {
            return Err(JobSpecError::LoopIterations(self.limits.loop_iterations));
        }
        self.check_tolerances()
    }

    fn check_tolerances(&self) -> Result<(), JobSpecError> {
        if let (Profile::Exact, Some(name)) = (self.profile, self.tolerances.keys().next()) {
            return Err(JobSpecError::ToleranceExact(name.clone()));
        }
        if self.tolerances.len() > OUTPUTS_MAX {
            return Err(JobSpecError::TolerancesMany(self.tolerances.len()));
        }
        for (name, tolerance) in &self.tolerances {
            tolerance.check().map_err(|source| JobSpecError::Tolerance { name: name.clone(), source })?;
        }
        Ok(())
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads a job from its canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let job: Self = decode(bytes)?;
        job.check().map_err(|error| DecodeError::Invalid(error.to_string()))?;
        Ok(job)
    }

    /// The job's id.
    pub fn id(&self) -> JobId {
        JobId::of_canonical(&self.encode())
    }
}

/// Reads arguments, and stops at one more than [`ARGS_MAX`]: an empty argument takes one byte on the wire but a whole
/// string in memory, so that a list of nothing else would cost many times its length.
fn deserialize_args<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Args;

    impl<'de> Visitor<'de> for Args {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {ARGS_MAX} arguments")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut args = Vec::new();
            while let Some(arg) = seq.next_element()? {
                if args.len() == ARGS_MAX {
                    return Err(A::Error::invalid_length(ARGS_MAX + 1, &self));
                }
                args.push(arg);
            }
            Ok(args)
        }
    }

    deserializer.deserialize_seq(Args)
}
