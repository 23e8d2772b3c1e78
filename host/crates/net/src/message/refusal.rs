//! A host says no, and by which rule.

use core::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Text;

/// Why a host does not do what it was asked.
///
/// `rule` is for programs: the name of what in the host's policy, limits or protocol decided, such as
/// `submitter.allow` or `limit.fuel`. `text` is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
pub struct Refusal {
    /// What decided.
    pub rule: Text<64>,
    /// What happened: why; what to do.
    pub text: Text<512>,
}

/// Rules of the protocol itself. A host's policy has rules of its own.
pub mod rule {
    /// The request could not be decoded.
    pub const MALFORMED: &str = "protocol.malformed";
    /// The request is of a version that this host does not speak.
    pub const VERSION: &str = "protocol.version";
    /// The request is longer than any may be.
    pub const TOO_LONG: &str = "protocol.too-long";
    /// The request took too long to arrive.
    pub const TOO_SLOW: &str = "protocol.too-slow";
    /// The request is for programs on the host's own machine.
    pub const LOCAL_ONLY: &str = "protocol.local-only";
    /// Too many requests in too short a time.
    pub const RATE: &str = "peer.requests-per-second";
    /// Too many connections at once.
    pub const CONNECTIONS: &str = "peer.connections";
    /// The host is at its limit with everybody together.
    pub const BUSY: &str = "host.busy";
    /// The host stops.
    pub const STOPPING: &str = "host.stopping";
    /// There is no such job here, or not for this peer.
    pub const UNKNOWN_JOB: &str = "job.unknown";
    /// The host failed at something that is not the peer's business.
    pub const INTERNAL: &str = "host.internal";
}

impl Refusal {
    /// A refusal by a rule.
    pub fn new(rule: &str, text: impl fmt::Display) -> Self {
        Self { rule: Text::fit(rule), text: Text::fit(&text.to_string()) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (rule {})", self.text, self.rule)
    }
}
