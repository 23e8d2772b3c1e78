//! What client and host say to each other: the messages of `samebit/1`, as `docs/PROTOCOL.md` specifies them.
//!
//! A message is canonical bytes in the sense of `samebit-spec`: one version enum, decoded strictly. Everything in it is
//! bounded when it is decoded: texts by [`Text`], lists by [`check`](Request::decode), bytes by the frame they came in.

mod event;
mod host;
mod job;
mod local;
mod provider;
mod refusal;
mod request;
mod response;
mod text;

pub use event::{EventKind, JobEvent, LOG_LINE_BYTES_MAX, LogLevel};
pub use host::{DEVICES_MAX, DeviceOffer, HostInfo, LABELS_MAX, Load};
pub use job::{Accepted, ChainItem, JobState, JobStatus, OnDisconnect, Submit};
pub use local::{FetchWish, LocalRequest, LocalResponse};
pub use provider::{ADDRESSES_MAX, PROVIDERS_MAX, Provider};
pub use refusal::{Refusal, rule};
pub use request::Request;
pub use response::Response;
pub use text::{Text, TextError};

/// The longest request but one that submits a job, in bytes.
pub const REQUEST_BYTES_MAX: usize = 64 << 10;
/// The longest request of all, in bytes: a job with as many inputs and arguments as one may have.
pub const SUBMIT_BYTES_MAX: usize = 1 << 20;
/// The longest response, in bytes: a receipt is inside.
pub const RESPONSE_BYTES_MAX: usize = samebit_spec::ENCODED_BYTES_MAX;
