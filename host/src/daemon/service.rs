//! The protocol's questions, answered from this host's jobs.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use samebit_net::collection::{name_in_list, pack};
use samebit_net::message::{
    Accepted, ChainItem, DeviceOffer, FetchWish, HostInfo, JobEvent, JobStatus, LocalRequest, LocalResponse, Refusal,
    Submit, Text, rule,
};
use samebit_net::{Answer, Answers, BlobAddress, CancelReason, Crowd, Fetcher, Peer, PeerBounds, Service, Wish};
use samebit_runner::spec::{Hash, JobId};
use samebit_runner::store::ImportBy;
use tokio::sync::mpsc;

use super::jobs::Jobs;
use super::node::LateNode;
use super::open::OpenBlobs;
use super::policy::rule as rule_of;

/// The most entries of the chain in one answer.
const CHAIN_ITEMS_MAX: u32 = 1_024;
/// How often this host is announced.
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(60);
/// How many of them are read at once.
const CHAIN_BATCH: usize = 32;

/// What a host says of itself, apart from what changes.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// What kernels run on.
    pub(crate) devices: Vec<DeviceOffer>,
    /// What it asks for its work.
    pub(crate) price: Option<Text<128>>,
    /// Free-form labels.
    pub(crate) labels: Vec<Text<64>>,
}

/// A host's side of the protocol. Clones are handles to the same.
#[derive(Clone)]
pub(crate) struct HostService {
    /// The jobs.
    pub(crate) jobs: Jobs,
    /// The network, once it is up.
    pub(crate) node: LateNode,
    /// Blobs that anybody may have.
    pub(crate) open: Arc<OpenBlobs>,
    /// What this host is.
    pub(crate) about: About,
    /// The hosts that are known from announcements, if this one takes part.
    pub(crate) crowd: Arc<OnceLock<Arc<Crowd>>>,
}

impl HostService {
    /// Listens to announcements, and if wanted tells others of this host, again and again.
    pub(crate) fn take_part(&self, crowd: Arc<Crowd>, announce: bool) {
        if self.crowd.set(crowd.clone()).is_err() || !announce {
            return;
        }
        let service = self.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(ANNOUNCE_INTERVAL);
            loop {
                interval.tick().await;
                let key = &service.jobs.means().machine.key;
                if let Err(error) = crowd.announce(service.describe(), key).await {
                    tracing::warn!("this host could not be announced: {error}");
                }
            }
        });
    }

    /// The hosts that are known from announcements.
    fn peers(&self) -> Answers<LocalResponse> {
        let hosts = self.crowd.get().map(|crowd| crowd.hosts()).unwrap_or_default();
        let peer = |host: samebit_net::Announcement| {
            let samebit_net::Notice { info, provider, announced_unix_ms, .. } = host.notice;
            Ok(LocalResponse::Peer { info: Box::new(info), provider, announced_unix_ms })
        };
        stream::iter(hosts.into_iter().map(peer).collect::<Vec<_>>()).boxed()
    }

    fn describe(&self) -> HostInfo {
        let machine = &self.jobs.means().machine;
        HostInfo {
            host: machine.key.public(),
            program: Text::fit(&machine.host.program),
            devices: self.about.devices.clone(),
            caps: self.jobs.means().policy.job.limits.clone(),
            load: self.jobs.load(),
            price: self.about.price.clone(),
            labels: self.about.labels.clone(),
            receipts: self.jobs.receipts(),
        }
    }

    /// The chain in batches, as far as it is read.
    fn chain(&self, from_seq: u64, count_max: u32) -> Answers<ChainItem> {
        let end = from_seq.saturating_add(count_max.min(CHAIN_ITEMS_MAX).into());
        let state = self.jobs.means().state.clone();
        let batches = stream::unfold(Some(from_seq), move |from| {
            let state = state.clone();
            async move {
                let from = from.filter(|from| *from < end)?;
                let count = usize::try_from(end - from).unwrap_or(usize::MAX).min(CHAIN_BATCH);
                let links = match state.links(from, count) {
                    Ok(links) if links.is_empty() => return None,
                    Ok(links) => links,
                    Err(error) => return Some((vec![Err(Refusal::new(rule::INTERNAL, error))], None)),
                };
                let next = from.saturating_add(links.len() as u64);
                let item =
                    |link: super::state::Link| Ok(ChainItem { entry: link.entry.encode(), receipt: link.receipt });
                Some((links.into_iter().map(item).collect(), Some(next)))
            }
        });
        batches.flat_map(stream::iter).boxed()
    }

    async fn publish(&self, path: String) -> Result<LocalResponse, Refusal> {
        let store = &self.jobs.means().machine.host.store;
        let path = PathBuf::from(path);
        let (blob, pin) = store.import_file(&path, ImportBy::Auto).await.map_err(|error| refused(&error))?;
        let packed = pack(store, &[(name_in_list(&path), blob.hash)]).await.map_err(|error| refused(&error))?;
        let hashes = [blob.hash, packed.list.hash, packed.names.hash];
        for hash in &hashes {
            store.publish(hash).await.map_err(|error| refused(&error))?;
        }
        drop((pin, packed.pins));
        self.open.add(hashes);
        let provider = self.node.get().await.provider();
        let ticket = |hash, is_collection| {
            let address = BlobAddress { hash, is_collection, provider: None };
            address.ticket(&provider).map(|ticket| Text::fit(&ticket)).map_err(|error| refused(&error))
        };
        let (ticket, list_ticket) = (ticket(blob.hash, false)?, ticket(packed.list.hash, true)?);
        drop(self.jobs.means().room.make(0).await);
        Ok(LocalResponse::Published { blob, ticket, list_ticket })
    }

    /// How much room blobs take.
    fn room(&self) -> LocalResponse {
        let (usage, quota_bytes) = self.jobs.means().room.usage();
        LocalResponse::Room { used_bytes: usage.used_bytes, kept_bytes: usage.kept_bytes, quota_bytes }
    }

    /// Fetches, and tells how far that is. It goes on only while somebody listens.
    fn fetch(&self, wish: FetchWish) -> Answers<LocalResponse> {
        let (sender, receiver) = mpsc::channel(16);
        let service = self.clone();
        tokio::spawn(async move {
            let told = sender.clone();
            let fetched = tokio::select! {
                fetched = service.fetch_one(&wish, &told) => fetched,
                () = sender.closed() => return,
            };
            // Whoever asked may be gone.
            let _ = sender.send(fetched).await;
        });
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) }).boxed()
    }

    async fn fetch_one(
        &self,
        wish: &FetchWish,
        told: &mpsc::Sender<Result<LocalResponse, Refusal>>,
    ) -> Result<LocalResponse, Refusal> {
        let node = self.node.get().await;
        let fetcher = Fetcher::new(&node, &wish.providers, u64::MAX);
        let wanted = Wish { hash: wish.hash, size_bytes: wish.size_bytes };
        let progress = |progress: samebit_net::FetchProgress| {
            let (done_bytes, total_bytes) = (progress.done_bytes, progress.blob.size_bytes);
            // A reader that is slow misses some, and that is all.
            let _ = told.try_send(Ok(LocalResponse::Fetching { done_bytes, total_bytes }));
        };
        let (blob, pin) = fetcher.fetch(wanted, &progress).await.map_err(|error| refused(&error))?;
        let store = &self.jobs.means().machine.host.store;
        match &wish.out {
            Some(out) => store.export(&blob.hash, &PathBuf::from(out)).await.map_err(|error| refused(&error))?,
            // It is to stay, and whoever fetches a blob to keep it provides it, as without a host: its author may be gone.
            None => {
                store.publish(&blob.hash).await.map_err(|error| refused(&error))?;
                self.open.add([blob.hash]);
            }
        }
        drop(pin);
        drop(self.jobs.means().room.make(0).await);
        Ok(LocalResponse::Fetched { blob })
    }
}

impl Service for HostService {
    fn admit(&self, peer: Peer) -> Result<PeerBounds, Refusal> {
        let policy = &self.jobs.means().policy;
        policy.admit(peer)?;
        let caps = match peer {
            Peer::Local => {
                return Ok(PeerBounds {
                    connections: 256,
                    requests_per_second: 100_000,
                    requests_burst: 100_000,
                    ..PeerBounds::default()
                });
            }
            Peer::Remote(_) => policy.peer,
        };
        Ok(PeerBounds {
            connections: caps.connections,
            requests_per_second: caps.requests_per_s,
            requests_burst: caps.requests_per_s.saturating_mul(2),
            ..PeerBounds::default()
        })
    }

    fn info(&self, _peer: Peer) -> Answer<'_, HostInfo> {
        Box::pin(async { Ok(self.describe()) })
    }

    fn submit(&self, peer: Peer, submit: Submit) -> Answer<'_, Accepted> {
        Box::pin(self.jobs.submit(peer, submit))
    }

    fn events(&self, peer: Peer, job: JobId, from_seq: u64) -> Answer<'_, Answers<JobEvent>> {
        Box::pin(async move { self.jobs.events(peer, &job, from_seq) })
    }

    fn cancel(&self, peer: Peer, job: JobId, reason: CancelReason) -> Answer<'_, ()> {
        Box::pin(async move { self.jobs.cancel(peer, &job, reason).await })
    }

    fn status(&self, peer: Peer, job: Option<JobId>) -> Answer<'_, Vec<JobStatus>> {
        Box::pin(async move { self.jobs.status(peer, job) })
    }

    fn receipts(&self, _peer: Peer, from_seq: u64, count_max: u32) -> Answer<'_, Answers<ChainItem>> {
        Box::pin(async move { Ok(self.chain(from_seq, count_max)) })
    }

    fn local(&self, request: LocalRequest) -> Answer<'_, Answers<LocalResponse>> {
        Box::pin(async move {
            Ok(match request {
                LocalRequest::Publish { path } => {
                    let published = self.publish(path).await?;
                    stream::once(async { Ok(published) }).boxed()
                }
                LocalRequest::Fetch(wish) => self.fetch(wish),
                LocalRequest::Peers => self.peers(),
                LocalRequest::Room => {
                    let room = self.room();
                    stream::once(async { Ok(room) }).boxed()
                }
            })
        })
    }
}

fn refused(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(rule::INTERNAL, error)
}

/// Whether a peer may have a blob.
pub(crate) fn may_serve(open: Arc<OpenBlobs>, jobs: Jobs) -> samebit_net::MayServe {
    Arc::new(move |peer, hash: Hash| {
        let allowed = jobs.means().policy.admit(Peer::Remote(peer)).is_ok() && open.has(&hash);
        Box::pin(async move { allowed })
    })
}

/// How much of blobs may go to a peer, if the policy bounds that. Asked piece by piece: where a blob is cut off, the peer goes
/// on once it may have more.
pub(crate) fn may_send(jobs: &Jobs) -> Option<samebit_net::MaySend> {
    let cap = jobs.means().policy.peer.output_bytes_per_hour?;
    let spent = jobs.means().spent.clone();
    Some(Arc::new(move |peer, bytes| {
        let now = Instant::now();
        let may = spent.output_bytes.level(&peer, now) < cap;
        if may {
            spent.output_bytes.spend(peer, bytes, now);
        } else {
            tracing::debug!(%peer, "refused blobs by {}", rule_of::PEER_OUTPUT_BYTES);
        }
        may
    }))
}
