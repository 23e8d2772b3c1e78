//! What can go wrong with a host.

use thiserror::Error;

use crate::message::{Refusal, Response};

/// Why a host gave no answer, or none that can be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The host cannot be reached.
    #[error("cannot reach {host}: {reason}; check its ticket or address, and that it is up")]
    Unreachable {
        /// Who.
        host: String,
        /// Why not.
        reason: String,
    },
    /// The host says no.
    #[error("refused by the host: {0}")]
    Refused(Refusal),
    /// The connection broke. What the host accepted goes on as it was agreed.
    #[error("the connection to the host broke: {0}; connect again and go on from the last event")]
    Lost(String),
    /// The host takes too long to answer.
    #[error("the host does not answer within {0} s; it may be overloaded, try again later")]
    TimedOut(u64),
    /// The host does not keep to the protocol.
    #[error("the host breaks the protocol: {0}; do not rely on it")]
    Broken(String),
}

impl ClientError {
    pub(crate) fn unexpected(response: &Response) -> Self {
        let what = match response {
            Response::Info(_) => "a description of itself",
            Response::Accepted(_) => "that it takes a job",
            Response::Event(_) => "an event",
            Response::Status(_) => "where a job is",
            Response::Receipt(_) => "a receipt",
            Response::Local(_) => "something for its own machine",
            Response::Done => "the end",
            Response::Refused(_) => "a refusal",
        };
        Self::Broken(format!("it answered {what}, which was not the question"))
    }

    pub(crate) fn endless() -> Self {
        Self::Broken("it answers more than was asked for".to_owned())
    }

    /// True if asking again later, with a new connection, may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost(_) | Self::TimedOut(_) => true,
            Self::Refused(refusal) => {
                use crate::message::rule;
                [rule::BUSY, rule::STOPPING, rule::RATE, rule::CONNECTIONS].contains(&refusal.rule.as_str())
            }
            Self::Broken(_) => false,
        }
    }
}
