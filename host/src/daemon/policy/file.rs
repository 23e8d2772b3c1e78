//! The policy file: TOML, every field optional, none unknown.

use std::path::{Path, PathBuf};
use std::time::Duration;

use samebit_runner::spec::Limits;
use serde::Deserialize;
use thiserror::Error;

use super::{Hashes, JobCaps, Keys, Lists, PeerCaps, Policy};
use crate::cli::limits::{LimitArgs, bytes_value, count_value, duration_value};

/// More than any policy has: about 10,000 keys.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why there is no policy.
#[derive(Debug, Error)]
pub(crate) enum PolicyError {
    /// The file cannot be read.
    #[error("the policy file {} cannot be read: {why}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// The cause.
        why: String,
    },
    /// The file says something that is no policy.
    #[error("the policy file {} is not valid: {source}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
    /// Authors are denied, and nobody has to show one.
    #[error(
        "the policy file {} denies authors and allows none by name: a submitter need not show who signed a module, so \
         that keeps nobody out; list authors.allow, or use modules.deny", path.display()
    )]
    AuthorsDeny {
        /// Which file.
        path: PathBuf,
    },
}

/// A policy as it is written down.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PolicyFile {
    submitters: ListsFile<Keys>,
    authors: ListsFile<Keys>,
    modules: ListsFile<Hashes>,
    job: JobFile,
    peer: PeerFile,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[serde(bound = "T: Default + Deserialize<'de>")]
struct ListsFile<T> {
    allow: Option<T>,
    deny: T,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct JobFile {
    limits: LimitArgs,
    #[serde(deserialize_with = "bytes_value")]
    input_bytes: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct PeerFile {
    queued: Option<u64>,
    running: Option<usize>,
    #[serde(deserialize_with = "bytes_value")]
    input_bytes: Option<u64>,
    #[serde(deserialize_with = "count_value")]
    fuel: Option<u64>,
    #[serde(deserialize_with = "duration_value")]
    gpu_time_per_hour: Option<Duration>,
    #[serde(deserialize_with = "bytes_value")]
    output_bytes_per_hour: Option<u64>,
    requests_per_s: Option<u32>,
    connections: Option<usize>,
}

impl PolicyFile {
    /// Reads a policy file.
    pub(crate) fn read(path: &Path) -> Result<Self, PolicyError> {
        let failed = |why: String| PolicyError::Read { path: path.to_owned(), why };
        let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
        if size > FILE_BYTES_MAX {
            return Err(failed(format!("it has {size} bytes, at most {FILE_BYTES_MAX} are allowed")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let file: Self =
            toml::from_str(&text).map_err(|source| PolicyError::Invalid { path: path.to_owned(), source })?;
        if file.authors.allow.is_none() && file.authors.deny != Keys::default() {
            return Err(PolicyError::AuthorsDeny { path: path.to_owned() });
        }
        Ok(file)
    }

    /// The policy, with defaults for what the file leaves out and these submitters allowed too.
    pub(crate) fn resolve(self, allowed: Option<Keys>) -> Policy {
        let Self { submitters, authors, modules, job, peer } = self;
        let mut policy = Policy {
            submitters: submitters.into(),
            authors: authors.into(),
            modules: modules.into(),
            job: JobCaps {
                limits: job.limits.over(default_limits()),
                input_bytes: job.input_bytes.unwrap_or(16 << 30),
            },
            peer: PeerCaps {
                queued: peer.queued.unwrap_or(1_024),
                running: peer.running.unwrap_or(usize::MAX),
                input_bytes: peer.input_bytes.unwrap_or(64 << 30),
                fuel: peer.fuel.unwrap_or(u64::MAX),
                gpu_time_per_hour: peer.gpu_time_per_hour,
                output_bytes_per_hour: peer.output_bytes_per_hour,
                requests_per_s: peer.requests_per_s.unwrap_or(1_000),
                connections: peer.connections.unwrap_or(16),
            },
        };
        if let Some(allowed) = allowed {
            policy.submitters.allow.get_or_insert_default().join(allowed);
        }
        policy
    }
}

impl<T> From<ListsFile<T>> for Lists<T> {
    fn from(file: ListsFile<T>) -> Self {
        Self { allow: file.allow, deny: file.deny }
    }
}

/// What a stranger's job may ask for where the operator has not said: ten times the default of each limit.
fn default_limits() -> Limits {
    let job = Limits::default();
    Limits {
        fuel: job.fuel.saturating_mul(10),
        memory_bytes: 4 << 30,
        gpu_memory_bytes: 4 << 30,
        dispatches: job.dispatches.saturating_mul(10),
        loop_iterations: samebit_runner::spec::LOOP_ITERATIONS_MAX,
        output_bytes: 4 << 30,
        log_bytes: 16 << 20,
        ..crate::config::caps()
    }
}
