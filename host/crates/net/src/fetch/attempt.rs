//! One provider is asked for one blob.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use iroh::endpoint::Connection;
use iroh_blobs::HashAndFormat;
use iroh_blobs::api::remote::GetProgressItem;
use iroh_blobs::get::fsm::{AtBlobHeaderNextError, DecodeError};
use iroh_blobs::get::{GetError, GetResult, request};
use iroh_blobs::protocol::{ChunkRangesSeq, ERR_INTERNAL, ERR_PERMISSION, GetRequest};
use samebit_spec::BlobRef;
use tokio::time::{Instant, timeout, timeout_at};

use super::parts::parts;
use super::{FetchError, FetchProgress, Fetcher, ProviderFault, Wish};
use crate::message::Provider;

/// How long a provider may send nothing.
const STALL_TIME: Duration = Duration::from_secs(20);
/// What a provider must send in that time to go on, or all that is left. One that drips is left for the next, but this is what
/// the poorest honest line brings, so it bounds how slow a fetch is and not how long: at this pace, a GiB takes 23 hours.
const PACE_BYTES: u64 = 256 << 10;

impl Fetcher<'_> {
    /// Asks a provider to prove that it has a blob, and if somebody is to be told of progress, for what is missing of it. The
    /// outer error is this machine's, the inner one the provider's.
    pub(super) async fn attempt(
        &self,
        provider: &Provider,
        wish: Wish,
        progress: Option<&(dyn Fn(FetchProgress) + Send + Sync)>,
    ) -> Result<Result<BlobRef, ProviderFault>, FetchError> {
        let connection = match self.connection(provider).await {
            Ok(connection) => connection,
            Err(fault) => return Ok(Err(fault)),
        };
        // Of small ones too: whoever declares a size may have lied, and a blob is received whole or not at all.
        let size_bytes = match proven_size(&connection, wish).await? {
            Ok(size_bytes) => size_bytes,
            Err(fault) => return Ok(Err(fault)),
        };
        self.check_found(wish, size_bytes)?;
        let blob = BlobRef { hash: wish.hash, size_bytes };
        let Some(progress) = progress else { return Ok(Ok(blob)) };
        Ok(self.receive(&connection, blob, progress).await?.map(|()| blob))
    }

    /// Receives what is missing.
    async fn receive(
        &self,
        connection: &Connection,
        blob: BlobRef,
        progress: &(dyn Fn(FetchProgress) + Send + Sync),
    ) -> Result<Result<(), ProviderFault>, FetchError> {
        let remote = self.node.store().index().remote();
        let content = HashAndFormat::raw((*blob.hash.as_bytes()).into());
        let local = remote.local(content).await.map_err(|error| local_failure(blob, format!("{error:#}")))?;
        let here = local.local_bytes();
        progress(FetchProgress { blob, done_bytes: here });
        if local.is_complete() {
            return Ok(Ok(()));
        }
        let missing = local.missing().ranges.iter().next().cloned().unwrap_or_default();
        let parts = parts(&missing, blob.size_bytes).into_iter().enumerate().map(|(part, ranges)| {
            let request = GetRequest::new(content.hash, ChunkRangesSeq::from_ranges([ranges]));
            let items = remote.execute_get(connection.clone(), request).stream();
            Box::pin(items.map(move |item| (part, item)))
        });
        let mut items = stream::select_all(parts);
        let (mut left, mut received) = (items.len(), vec![0; items.len()]);
        let (mut due, mut paced) = (Instant::now() + STALL_TIME, 0);
        while left > 0 {
            match timeout_at(due, items.next()).await {
                Ok(Some((part, GetProgressItem::Progress(bytes)))) => {
                    received[part] = bytes;
                    let bytes = received.iter().sum::<u64>();
                    if bytes.saturating_sub(paced) >= PACE_BYTES {
                        (due, paced) = (Instant::now() + STALL_TIME, bytes);
                    }
                    progress(FetchProgress { blob, done_bytes: (here + bytes).min(blob.size_bytes) });
                }
                Ok(Some((_, GetProgressItem::Done(_)))) => left -= 1,
                Ok(Some((_, GetProgressItem::Error(error)))) => return blame(blob, &error).map(Err),
                Ok(None) => return Ok(Err(ProviderFault::Lost("it ended early".to_owned()))),
                Err(_) => return Ok(Err(ProviderFault::Stalled(STALL_TIME.as_secs()))),
            }
        }
        Ok(Ok(()))
    }
}

/// The blob's size, proven by its last chunk.
async fn proven_size(connection: &Connection, wish: Wish) -> Result<Result<u64, ProviderFault>, FetchError> {
    let asked: Result<GetResult<_>, _> = timeout(STALL_TIME, request::get_verified_size(connection, &hash(wish))).await;
    match asked {
        Ok(Ok((size_bytes, _))) => Ok(Ok(size_bytes)),
        Ok(Err(error)) => blame(BlobRef { hash: wish.hash, size_bytes: 0 }, &error).map(Err),
        Err(_) => Ok(Err(ProviderFault::Stalled(STALL_TIME.as_secs()))),
    }
}

fn hash(wish: Wish) -> iroh_blobs::Hash {
    (*wish.hash.as_bytes()).into()
}

/// Whose fault an error is.
fn blame(blob: BlobRef, error: &GetError) -> Result<ProviderFault, FetchError> {
    match error.iroh_error_code() {
        Some(code) if code == ERR_PERMISSION => return Ok(ProviderFault::Refused),
        // So does iroh-blobs say that it has not all of a blob, or finds it damaged.
        Some(code) if code == ERR_INTERNAL => return Ok(ProviderFault::Lacks),
        _ => {}
    }
    Ok(match error {
        GetError::AtBlobHeaderNext { source: AtBlobHeaderNextError::NotFound { .. }, .. }
        | GetError::Decode {
            source:
                DecodeError::ChunkNotFound { .. } | DecodeError::ParentNotFound { .. } | DecodeError::LeafNotFound { .. },
            ..
        } => ProviderFault::Lacks,
        GetError::Decode {
            source: source @ (DecodeError::ParentHashMismatch { .. } | DecodeError::LeafHashMismatch { .. }),
            ..
        } => ProviderFault::Lied(source.to_string()),
        GetError::LocalFailure { .. }
        | GetError::IrpcSend { .. }
        | GetError::Decode { source: DecodeError::Write { .. }, .. } => {
            return Err(local_failure(blob, format!("{error:#}")));
        }
        _ => ProviderFault::Lost(format!("{error:#}")),
    })
}

fn local_failure(blob: BlobRef, reason: String) -> FetchError {
    FetchError::Local { hash: blob.hash, reason }
}
