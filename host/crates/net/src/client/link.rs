//! The way to a host: a QUIC connection, or its local socket.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use iroh::endpoint::{Connection, ConnectionError};
use samebit_spec::HostKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::ClientError;
use crate::frame::{self, FrameError};
use crate::message::{RESPONSE_BYTES_MAX, Refusal, Response};

/// How long the first answer, or the next one where the host need not wait for anything, may take.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// The code that a host closes a connection with when it lets a peer not in. The reason is the refusal's bytes.
pub(crate) const CLOSED_REFUSED: u32 = 1;
/// The code that either side closes a connection with when it is done.
pub(crate) const CLOSED_DONE: u32 = 0;

/// A way to a host.
#[derive(Clone)]
pub(crate) enum Link {
    /// Another machine.
    Quic(Connection),
    /// This machine's daemon.
    Socket(Arc<Path>),
}

/// A question that was asked.
pub(crate) struct Exchange {
    connection: Option<Connection>,
    incoming: Box<dyn AsyncRead + Send + Unpin>,
    /// Kept open: ending it is going away.
    _outgoing: Box<dyn AsyncWrite + Send + Unpin>,
}

impl Link {
    pub(crate) fn host(&self) -> Option<HostKey> {
        match self {
            Self::Quic(connection) => Some(HostKey::from_bytes(*connection.remote_id().as_bytes())),
            Self::Socket(_) => None,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Quic(connection) if connection.close_reason().is_some())
    }

    /// Opens a stream and asks. A host that gives no room for either is as good as one that does not answer.
    pub(crate) async fn open(&self, request: &[u8]) -> Result<Exchange, ClientError> {
        let opened = timeout(ANSWER_TIME, self.open_slowly(request)).await;
        opened.map_err(|_| ClientError::TimedOut(ANSWER_TIME.as_secs()))?
    }

    async fn open_slowly(&self, request: &[u8]) -> Result<Exchange, ClientError> {
        let (connection, incoming, mut outgoing) = self.streams().await?;
        let sent = frame::write(&mut outgoing, request).await;
        let exchange = Exchange { connection, incoming, _outgoing: outgoing };
        // A host that refuses a request while it is sent says why before it stops reading.
        if let Err(error) = sent
            && !matches!(error.kind(), std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::ConnectionReset)
        {
            return Err(exchange.lost(error.to_string()));
        }
        Ok(exchange)
    }

    async fn streams(
        &self,
    ) -> Result<(Option<Connection>, Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>), ClientError>
    {
        match self {
            Self::Quic(connection) => {
                let (outgoing, incoming) = connection.open_bi().await.map_err(|error| closed(&error))?;
                Ok((Some(connection.clone()), Box::new(incoming), Box::new(outgoing)))
            }
            Self::Socket(path) => {
                let stream = crate::local::open(path).await.map_err(|error| ClientError::Unreachable {
                    host: path.display().to_string(),
                    reason: error.to_string(),
                })?;
                let (incoming, outgoing) = tokio::io::split(stream);
                Ok((None, Box::new(incoming), Box::new(outgoing)))
            }
        }
    }
}

impl Exchange {
    /// The next response, which must come soon.
    pub(crate) async fn answer(&mut self) -> Result<Response, ClientError> {
        timeout(ANSWER_TIME, self.next()).await.map_err(|_| ClientError::TimedOut(ANSWER_TIME.as_secs()))?
    }

    /// The next response, however long it takes. A refusal is an error.
    pub(crate) async fn next(&mut self) -> Result<Response, ClientError> {
        let body = match frame::read(&mut self.incoming, RESPONSE_BYTES_MAX).await {
            Ok(Some(body)) => body,
            Ok(None) => return Err(self.lost("it ended without a last answer".to_owned())),
            Err(FrameError::TooLong { .. }) => return Err(ClientError::Broken("its answer is too long".to_owned())),
            Err(error) => return Err(self.lost(error.to_string())),
        };
        match Response::decode(&body) {
            Ok(Response::Refused(refusal)) => Err(ClientError::Refused(refusal)),
            Ok(response) => Ok(response),
            Err(error) => Err(ClientError::Broken(format!("its answer cannot be read: {error}"))),
        }
    }

    fn lost(&self, reason: String) -> ClientError {
        match self.connection.as_ref().and_then(Connection::close_reason) {
            Some(error) => closed(&error),
            None => ClientError::Lost(reason),
        }
    }
}

/// What the end of a connection means: the host may have said why.
pub(crate) fn closed(error: &ConnectionError) -> ClientError {
    if let ConnectionError::ApplicationClosed(close) = error
        && close.error_code == CLOSED_REFUSED.into()
        && let Ok(refusal) = samebit_spec::decode::<Refusal>(&close.reason)
    {
        return ClientError::Refused(refusal);
    }
    ClientError::Lost(error.to_string())
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quic(connection) => write!(f, "Quic({})", connection.remote_id()),
            Self::Socket(path) => write!(f, "Socket({})", path.display()),
        }
    }
}
