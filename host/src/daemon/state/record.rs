//! What is written down of a job, of its story and of a link of the chain. Postcard in a version enum.

use postcard::Error;
use samebit_net::Peer;
use samebit_net::message::{JobEvent, OnDisconnect, Provider, Refusal, rule};
use samebit_runner::spec::{ChainEntry, HostKey, JobId, JobSpec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::StateError;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobRecord {
    /// What is to be done.
    pub(crate) job: JobSpec,
    /// Whose lane it waits in, and who is charged: whom it was first taken on for, also once that one wants it no more,
    /// since the others were not asked. `None` for this machine.
    pub(crate) owner: Option<HostKey>,
    /// Who wants it.
    pub(crate) submitters: Vec<Submitter>,
    /// Who may have its blobs.
    pub(crate) providers: Vec<Provider>,
    /// When it was taken on, in milliseconds since 1970-01-01 UTC.
    pub(crate) accepted_unix_ms: u64,
    /// Its place among all jobs.
    pub(crate) order: u64,
    /// True once its blobs came from its providers, or were proven to be there.
    pub(crate) fetched: bool,
    /// How often it was begun, but for those times when the host was told to stop meanwhile.
    pub(crate) starts: u32,
    /// The number of the first event of this attempt.
    pub(crate) first_seq: u64,
    /// The number of the last event, once it has ended.
    pub(crate) last_seq: u64,
    /// How it ended, if it has.
    pub(crate) end: Option<End>,
}

/// Somebody who wants a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Submitter {
    /// The peer's key; `None` for this machine.
    pub(crate) key: Option<HostKey>,
    /// What is to become of the job without it.
    pub(crate) on_disconnect: OnDisconnect,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    /// With the receipt at this place of the chain.
    Done {
        /// The place.
        sequence: u64,
    },
    /// This host could not do it.
    Failed {
        /// Why.
        reason: String,
    },
    /// Those who wanted it do not any more.
    Cancelled,
}

/// A receipt in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    /// The job.
    pub(crate) job: JobId,
    /// The signed entry.
    pub(crate) entry: ChainEntry,
    /// The receipt's file.
    pub(crate) receipt: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
enum Versioned<T> {
    V1(T),
}

impl Submitter {
    /// Who it is.
    pub(crate) fn peer(&self) -> Peer {
        self.key.map_or(Peer::Local, Peer::Remote)
    }

    /// A peer that wants a job.
    pub(crate) fn new(peer: Peer, on_disconnect: OnDisconnect) -> Self {
        let key = match peer {
            Peer::Local => None,
            Peer::Remote(key) => Some(key),
        };
        Self { key, on_disconnect }
    }
}

/// The most peers that may want one job: keys are free, and each is written down with the job.
const SUBMITTERS_MAX: usize = 64;

impl JobRecord {
    /// Whether one more may want it, while it has not ended.
    pub(crate) fn check_room(&self, submitter: &Submitter) -> Result<(), Refusal> {
        let known = self.submitters.iter().any(|known| known.key == submitter.key);
        if known || self.submitters.len() < SUBMITTERS_MAX {
            return Ok(());
        }
        let text = format!("{SUBMITTERS_MAX} peers want this very job already: ask one of them, or submit elsewhere");
        Err(Refusal::new(rule::BUSY, text))
    }

    /// The job's id.
    pub(crate) fn id(&self) -> JobId {
        self.job.id()
    }

    /// Notes somebody who wants it too, or who wants it differently now. Where there is no room, the first one is
    /// forgotten: of a job that is done, all that it loses is to hear of it without submitting it again.
    pub(crate) fn add(&mut self, submitter: Submitter) {
        if let Some(known) = self.submitters.iter_mut().find(|known| known.key == submitter.key) {
            *known = submitter;
            return;
        }
        if self.submitters.len() >= SUBMITTERS_MAX {
            self.submitters.remove(0);
        }
        self.submitters.push(submitter);
    }

    /// In whose lane it waits, and who is charged.
    pub(crate) fn owner(&self) -> Peer {
        self.owner.map_or(Peer::Local, Peer::Remote)
    }

    /// True if this peer may know of the job: whoever wants it, and programs on this machine.
    pub(crate) fn is_seen_by(&self, peer: Peer) -> bool {
        peer == Peer::Local || self.submitters.iter().any(|submitter| submitter.peer() == peer)
    }

    /// True if a program on this machine wants it, which may read the store anyway.
    pub(crate) fn is_of_this_machine(&self) -> bool {
        self.submitters.iter().any(|submitter| submitter.key.is_none())
    }

    /// The bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads the bytes.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        decode(bytes)
    }
}

impl Link {
    /// The bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads the bytes.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        decode(bytes)
    }
}

/// The bytes of a story.
pub(super) fn encode_story(story: &[JobEvent]) -> Vec<u8> {
    encode(&story)
}

/// Reads the bytes of a story.
pub(super) fn decode_story(bytes: &[u8]) -> Result<Vec<JobEvent>, StateError> {
    decode(bytes)
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Fails only for types without a known length, and ours all have one.
    postcard::to_allocvec(&Versioned::V1(value)).expect("plain data always encodes")
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StateError> {
    let Versioned::V1(value) =
        postcard::from_bytes(bytes).map_err(|error: Error| StateError::Read(format!("a damaged record: {error}")))?;
    Ok(value)
}
