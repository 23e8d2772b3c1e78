//! The client's side of the protocol: ask a host, on a stream for each question.
//!
//! A client trusts a host no further than it must. Every answer is bounded and decoded strictly, and a receipt is handed
//! on only if it is signed by the host that was asked and is of the job that was asked for. What a receipt claims is for
//! a verifier to check.

mod error;
mod link;
mod story;

use samebit_spec::{HostKey, JobId, Limits, Receipt};

pub use error::ClientError;
pub(crate) use link::{CLOSED_DONE, CLOSED_REFUSED, Link};
pub use story::{Ending, Story};

use self::link::Exchange;
use crate::message::{
    Accepted, ChainItem, HostInfo, JobStatus, LocalRequest, LocalResponse, Request, Response, Submit,
};

/// A connection to a host. Clones share it.
#[derive(Debug, Clone)]
pub struct Client {
    link: Link,
}

impl Client {
    pub(crate) fn new(link: Link) -> Self {
        Self { link }
    }

    /// The host at the other end, if the transport proves it: the local socket does not.
    pub fn host(&self) -> Option<HostKey> {
        self.link.host()
    }

    /// True once the connection is gone, so that asking on it is of no use. The local socket has none to lose.
    pub fn is_closed(&self) -> bool {
        self.link.is_closed()
    }

    /// What the host says of itself.
    pub async fn info(&self) -> Result<HostInfo, ClientError> {
        let mut exchange = self.ask(&Request::Info).await?;
        match exchange.answer().await? {
            Response::Info(info) if self.host().is_none_or(|host| host == info.host) => Ok(*info),
            Response::Info(_) => Err(ClientError::Broken("it gives another key than its own".to_owned())),
            other => Err(ClientError::unexpected(&other)),
        }
    }

    /// Submits a job. The story that comes back is the submitter's hold on it: dropping it is going away.
    pub async fn submit(&self, submit: Submit) -> Result<(Accepted, Story), ClientError> {
        let job = submit.job.id();
        let mut exchange = self.ask(&Request::Submit(Box::new(submit))).await?;
        match exchange.answer().await? {
            Response::Accepted(accepted) if accepted.job == job => {
                Ok((accepted, Story::new(exchange, job, self.host(), 0)))
            }
            Response::Accepted(_) => Err(ClientError::Broken("it accepted another job than it was given".to_owned())),
            other => Err(ClientError::unexpected(&other)),
        }
    }

    /// What happened to a job from event `from_seq` on, and what will.
    pub async fn events(&self, job: JobId, from_seq: u64) -> Result<Story, ClientError> {
        let exchange = self.ask(&Request::Events { job, from_seq }).await?;
        Ok(Story::new(exchange, job, self.host(), from_seq))
    }

    /// Ends a job.
    pub async fn cancel(&self, job: JobId) -> Result<(), ClientError> {
        let mut exchange = self.ask(&Request::Cancel { job }).await?;
        match exchange.answer().await? {
            Response::Done => Ok(()),
            other => Err(ClientError::unexpected(&other)),
        }
    }

    /// One job, or all of this client's at the host, the latest first.
    pub async fn status(&self, job: Option<JobId>) -> Result<Vec<JobStatus>, ClientError> {
        let mut exchange = self.ask(&Request::Status { job }).await?;
        let mut jobs = Vec::new();
        loop {
            match exchange.answer().await? {
                Response::Status(_) if jobs.len() == ANSWERS_MAX => return Err(ClientError::endless()),
                Response::Status(status) => jobs.push(status),
                Response::Done => return Ok(jobs),
                other => return Err(ClientError::unexpected(&other)),
            }
        }
    }

    /// At most `count_max` entries of the host's chain of receipts, from entry `from_seq` on. They are bytes that
    /// were not looked at yet.
    pub async fn receipts(&self, from_seq: u64, count_max: u32) -> Result<Vec<ChainItem>, ClientError> {
        let mut exchange = self.ask(&Request::Receipts { from_seq, count_max }).await?;
        let mut items = Vec::new();
        loop {
            match exchange.answer().await? {
                Response::Receipt(_) if items.len() >= count_max as usize => return Err(ClientError::endless()),
                Response::Receipt(item) => items.push(item),
                Response::Done => return Ok(items),
                other => return Err(ClientError::unexpected(&other)),
            }
        }
    }

    /// Asks this machine's own daemon for something, and hands each answer to `each`.
    pub async fn local(&self, request: LocalRequest, mut each: impl FnMut(LocalResponse)) -> Result<(), ClientError> {
        let mut exchange = self.ask(&Request::Local(request)).await?;
        loop {
            match exchange.next().await? {
                Response::Local(answer) => each(answer),
                Response::Done => return Ok(()),
                other => return Err(ClientError::unexpected(&other)),
            }
        }
    }

    async fn ask(&self, request: &Request) -> Result<Exchange, ClientError> {
        self.link.open(&request.encode()).await
    }
}

/// More answers to one question than any honest host gives.
const ANSWERS_MAX: usize = 65_536;

/// Reads a receipt that a host hands out for a job: well signed, by that host, of that job, and within the job's limits,
/// since whoever reads it goes on to fetch what it names.
pub(crate) fn read_receipt(bytes: &[u8], job: JobId, host: Option<HostKey>) -> Result<Receipt, ClientError> {
    let receipt =
        Receipt::decode(bytes).map_err(|error| ClientError::Broken(format!("its receipt is none: {error}")))?;
    if receipt.job.id() != job {
        return Err(ClientError::Broken(format!("its receipt is of job {}, not of this one", receipt.job.id())));
    }
    let Limits { output_bytes, log_bytes, .. } = receipt.job.limits;
    let outputs = receipt.outcome.outputs.values().map(|blob| blob.size_bytes).fold(0, u64::saturating_add);
    if outputs > output_bytes || receipt.outcome.log.size_bytes > log_bytes {
        return Err(ClientError::Broken("its receipt names more output than the job's limits allow".to_owned()));
    }
    match host {
        Some(host) if host != receipt.host => {
            Err(ClientError::Broken(format!("its receipt is signed by {}, not by itself", receipt.host)))
        }
        _ => Ok(receipt),
    }
}
