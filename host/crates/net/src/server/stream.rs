//! One stream: a request comes, responses go, and either side may leave.
//!
//! ```text
//! Waiting ── frame ──▶ Answering ── last response ──▶ Ended
//!    │ late, long, cut, malformed     │ the peer ends its half, or reads no more
//!    └──────────▶ Ended ◀─────────────┘
//! ```
//!
//! The client keeps its half open for as long as it wants the answer. Ending it is going away, and so is sending more.

use std::io;
use std::pin::pin;

use futures_util::StreamExt;
use samebit_spec::{DecodeError, JobId};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::crowded::Place;
use super::{Connection, ServerBounds, stopping};
use crate::frame::{self, FrameError};
use crate::message::{
    OnDisconnect, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX, Refusal, Request, Response, SUBMIT_BYTES_MAX, Submit, rule,
};
use crate::service::{Answers, CancelReason};

/// Why a stream ends before its last response.
enum Ended {
    /// The peer is told.
    Refused(Refusal),
    /// There is nobody to tell.
    Gone,
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Connection {
    /// Answers the request that comes on a stream.
    pub async fn serve(&self, mut incoming: impl AsyncRead + Unpin + Send, outgoing: impl AsyncWrite + Unpin + Send) {
        let mut out = Out { stream: outgoing, bounds: &self.server.shared.bounds };
        let ended = match self.receive(&mut incoming).await {
            Ok(request) => {
                let _busy = self.pass.busy();
                self.answer(request, incoming, &mut out).await
            }
            Err(ended) => Err(ended),
        };
        match ended {
            Ok(()) => {}
            Err(Ended::Refused(refusal)) => {
                tracing::debug!(peer = %self.peer, "refused: {refusal}");
                let _ = out.send(&Response::Refused(refusal)).await;
            }
            Err(Ended::Gone) => tracing::debug!(peer = %self.peer, "went away"),
        }
        out.finish().await;
    }

    /// Reads the request, which must be there in time.
    async fn receive(&self, incoming: &mut (impl AsyncRead + Unpin)) -> Result<Request, Ended> {
        let limit = self.server.shared.bounds.request_time;
        match timeout(limit, self.read_request(incoming)).await {
            Ok(received) => received,
            Err(_) => {
                let text = format!("no whole request within {} s: send it at once", limit.as_secs());
                Err(Refusal::new(rule::TOO_SLOW, text).into())
            }
        }
    }

    async fn read_request(&self, incoming: &mut (impl AsyncRead + Unpin)) -> Result<Request, Ended> {
        let bytes = frame::read_length(incoming).await.map_err(unread)?.ok_or(Ended::Gone)?;
        self.pass.request()?;
        let _long = self.room_for(bytes)?;
        let body = frame::read_body(incoming, bytes, SUBMIT_BYTES_MAX).await.map_err(unread)?;
        Request::decode(&body).map_err(|error| {
            let rule = match error {
                DecodeError::UnknownVersion => rule::VERSION,
                DecodeError::TooLong(_) => rule::TOO_LONG,
                _ => rule::MALFORMED,
            };
            Refusal::new(rule, format!("the request cannot be read: {error}")).into()
        })
    }

    /// Room for a request that is longer than most, if it is.
    fn room_for(&self, bytes: usize) -> Result<Option<Place<'_>>, Refusal> {
        if bytes <= REQUEST_BYTES_MAX {
            return Ok(None);
        }
        self.server.shared.long_requests.take(self.peer).map(Some).ok_or_else(|| {
            Refusal::new(rule::BUSY, "this host reads as many long requests as it may: try again in a moment")
        })
    }

    /// Answers until the last response, unless the peer leaves or the host stops.
    async fn answer(
        &self,
        request: Request,
        incoming: impl AsyncRead + Unpin,
        out: &mut Out<'_, impl AsyncWrite + Unpin>,
    ) -> Result<(), Ended> {
        let gone = pin!(gone(incoming));
        match request {
            Request::Submit(submit) => self.submit(*submit, gone, out).await,
            request => {
                tokio::select! {
                    biased;
                    answered = self.respond(request, out) => answered,
                    () = gone => Err(Ended::Gone),
                    () = self.server.stopped() => Err(stopping().into()),
                }
            }
        }
    }

    /// Takes a job on and tells its story. If the peer leaves before the end, the job ends or goes on as it asked.
    async fn submit(
        &self,
        submit: Submit,
        gone: impl Future<Output = ()>,
        out: &mut Out<'_, impl AsyncWrite + Unpin>,
    ) -> Result<(), Ended> {
        let on_disconnect = submit.on_disconnect;
        // Not given up when the peer leaves: nobody would know whether the job was taken.
        let accepted = self.server.shared.service.submit(self.peer, submit).await?;
        let told = async {
            out.send(&Response::Accepted(accepted)).await?;
            self.tell(accepted.job, 0, out).await
        };
        let ended = tokio::select! {
            biased;
            told = told => told,
            () = gone => Err(Ended::Gone),
            () = self.server.stopped() => return Err(stopping().into()),
        };
        if let (Err(Ended::Gone), OnDisconnect::Cancel) = (&ended, on_disconnect)
            && let Err(refusal) =
                self.server.shared.service.cancel(self.peer, accepted.job, CancelReason::Disconnected).await
        {
            tracing::debug!(peer = %self.peer, job = %accepted.job, "not cancelled: {refusal}");
        }
        ended
    }

    async fn respond(&self, request: Request, out: &mut Out<'_, impl AsyncWrite + Unpin>) -> Result<(), Ended> {
        let (service, peer) = (&self.server.shared.service, self.peer);
        match request {
            Request::Info => {
                let info = service.info(peer).await?;
                return out.send(&Response::Info(Box::new(info))).await;
            }
            Request::Submit(_) => unreachable!("submitting is told apart before"),
            Request::Events { job, from_seq } => return self.tell(job, from_seq, out).await,
            Request::Cancel { job } => service.cancel(peer, job, CancelReason::Asked).await?,
            Request::Status { job } => {
                for status in service.status(peer, job).await? {
                    out.send(&Response::Status(status)).await?;
                }
            }
            Request::Receipts { from_seq, count_max } => {
                let items = service.receipts(peer, from_seq, count_max).await?;
                out.send_all(items, Response::Receipt).await?;
            }
            Request::Local(request) => {
                if peer != crate::Peer::Local {
                    let text = "this request is for programs on the host's own machine, over its local socket";
                    return Err(Refusal::new(rule::LOCAL_ONLY, text).into());
                }
                out.send_all(service.local(request).await?, Response::Local).await?;
            }
        }
        out.send(&Response::Done).await
    }

    /// Tells a job's events from a number on, to the last.
    async fn tell(&self, job: JobId, from_seq: u64, out: &mut Out<'_, impl AsyncWrite + Unpin>) -> Result<(), Ended> {
        let mut events = self.server.shared.service.events(self.peer, job, from_seq).await?;
        while let Some(event) = events.next().await {
            let event = event?;
            let is_last = event.kind.is_last();
            out.send(&Response::Event(event)).await?;
            if is_last {
                return Ok(());
            }
        }
        Err(Refusal::new(rule::INTERNAL, "this host lost the end of the job's story: ask for the job's status").into())
    }
}

/// Waits until the peer ends its half, or breaks the rule that nothing follows a request.
async fn gone(mut incoming: impl AsyncRead + Unpin) {
    let _ = incoming.read(&mut [0]).await;
}

/// What a request that cannot be read means.
fn unread(error: FrameError) -> Ended {
    match error {
        FrameError::TooLong { .. } => Refusal::new(rule::TOO_LONG, error).into(),
        FrameError::Truncated | FrameError::Io(_) => Ended::Gone,
    }
}

/// The way to the peer.
struct Out<'a, W> {
    stream: W,
    bounds: &'a ServerBounds,
}

impl<W: AsyncWrite + Unpin> Out<'_, W> {
    async fn send(&mut self, response: &Response) -> Result<(), Ended> {
        let bytes = response.encode();
        if bytes.len() > RESPONSE_BYTES_MAX {
            return Err(Refusal::new(rule::INTERNAL, "the answer is longer than any may be").into());
        }
        match timeout(self.bounds.response_time, frame::write(&mut self.stream, &bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ended::Gone),
        }
    }

    async fn send_all<T>(&mut self, mut items: Answers<T>, wrap: impl Fn(T) -> Response) -> Result<(), Ended> {
        while let Some(item) = items.next().await {
            self.send(&wrap(item?)).await?;
        }
        Ok(())
    }

    async fn finish(mut self) {
        let _: Result<io::Result<()>, _> = timeout(self.bounds.response_time, self.stream.shutdown()).await;
    }
}
