//! A job's events as they come.

use samebit_spec::{HostKey, JobId, Receipt};

use super::link::Exchange;
use super::{ClientError, read_receipt};
use crate::message::{EventKind, JobEvent, Response};

/// What happens to a job, event by event.
pub struct Story {
    exchange: Exchange,
    job: JobId,
    host: Option<HostKey>,
    next_seq: u64,
    ended: bool,
}

impl Story {
    pub(crate) fn new(exchange: Exchange, job: JobId, host: Option<HostKey>, next_seq: u64) -> Self {
        Self { exchange, job, host, next_seq, ended: false }
    }

    /// The job.
    pub fn job(&self) -> JobId {
        self.job
    }

    /// Where to go on after the connection broke: the number after the last event that came.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The next event, however long it takes; `None` after the last. A receipt in it was checked to be this host's,
    /// of this job.
    pub async fn next(&mut self) -> Result<Option<JobEvent>, ClientError> {
        if self.ended {
            return Ok(None);
        }
        let event = match self.exchange.next().await? {
            Response::Event(event) => event,
            other => return Err(ClientError::unexpected(&other)),
        };
        if event.seq < self.next_seq {
            return Err(ClientError::Broken(format!("event {} came after event {}", event.seq, self.next_seq - 1)));
        }
        if let EventKind::Done { receipt } = &event.kind {
            read_receipt(receipt, self.job, self.host)?;
        }
        self.next_seq = event.seq.saturating_add(1);
        self.ended = event.kind.is_last();
        Ok(Some(event))
    }

    /// Waits for the job's end, and hands every event before it to `each`.
    pub async fn finish(&mut self, mut each: impl FnMut(JobEvent)) -> Result<Ending, ClientError> {
        loop {
            let Some(event) = self.next().await? else {
                return Err(ClientError::Broken("its story has no end".to_owned()));
            };
            match event.kind {
                EventKind::Done { receipt } => {
                    return Ok(Ending::Done(Box::new(read_receipt(&receipt, self.job, self.host)?)));
                }
                EventKind::Failed { reason } => return Ok(Ending::Failed(reason.to_string())),
                EventKind::Cancelled => return Ok(Ending::Cancelled),
                _ => each(event),
            }
        }
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With a receipt.
    Done(Box<Receipt>),
    /// The host could not run it.
    Failed(String),
    /// Somebody asked for its end.
    Cancelled,
}
