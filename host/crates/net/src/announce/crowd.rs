//! Taking part in the gossip: hear, check, remember, and tell of oneself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use iroh_gossip::api::{Event, GossipReceiver, GossipSender, Message};
use iroh_gossip::net::Gossip;
use iroh_gossip::proto::TopicId;
use samebit_spec::{Hash, HostKey, SecretKey};
use thiserror::Error;
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;

use super::retell::Retell;
use super::table::Table;
use super::{ANNOUNCEMENT_BYTES_MAX, Announcement, Notice};
use crate::Node;
use crate::address::AddressError;
use crate::message::{HostInfo, Provider};

/// What gossip adds to a message, at most, in bytes.
const OVERHEAD_BYTES: usize = 1 << 10;
/// How long an announcement is good for. A host that is up announces itself several times in this.
const LIFETIME: Duration = Duration::from_secs(180);
/// How often expired announcements are looked for.
const EXPIRE_INTERVAL: Duration = Duration::from_secs(30);
/// How often some of the hosts that a new neighbor should know of are told again.
const RETELL_INTERVAL: Duration = Duration::from_millis(250);
/// Topics are named by a hash; this is of what the topic is about.
const TOPIC: &[u8] = b"samebit host announcements v1";

/// The gossip of an endpoint.
pub(crate) fn gossip(endpoint: &iroh::Endpoint) -> Gossip {
    Gossip::builder().max_message_size(ANNOUNCEMENT_BYTES_MAX + OVERHEAD_BYTES).spawn(endpoint.clone())
}

/// Why a node cannot take part.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CrowdError {
    /// The node was started without gossip.
    #[error("cannot take part in announcements: this node was started without them")]
    Off,
    /// A host that was named to begin with is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The gossip has ended.
    #[error("cannot take part in announcements: {0}")]
    Ended(String),
}

/// The hosts that are known from announcements. Dropping it is leaving.
#[derive(Debug)]
pub struct Crowd {
    sender: GossipSender,
    shared: Arc<Shared>,
    listening: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    node: Node,
    table: Mutex<Table>,
    own: Mutex<Option<Announcement>>,
    retell: Mutex<Retell>,
}

impl Node {
    /// Takes part in announcements. `first` are hosts that do so already, of which one that is up is enough.
    pub async fn join(&self, first: &[Provider]) -> Result<Crowd, CrowdError> {
        let gossip = self.gossip().ok_or(CrowdError::Off)?;
        let mut bootstrap = Vec::new();
        for provider in first {
            self.remember(provider)?;
            bootstrap.push(provider.endpoint()?.id);
        }
        let topic = TopicId::from_bytes(*Hash::of(TOPIC).as_bytes());
        let joined = gossip.subscribe(topic, bootstrap).await;
        let (sender, receiver) = joined.map_err(|error| CrowdError::Ended(error.to_string()))?.split();
        let (table, own, retell) = Default::default();
        let shared = Arc::new(Shared { node: self.clone(), table, own, retell });
        let listening = tokio::spawn(listen(shared.clone(), sender.clone(), receiver)).abort_handle();
        Ok(Crowd { sender, shared, listening })
    }
}

impl Crowd {
    /// Tells everybody of this host. Good for some minutes, so a host that is up repeats it every minute or so.
    pub async fn announce(&self, info: HostInfo, key: &SecretKey) -> Result<(), CrowdError> {
        let notice = Notice {
            info,
            provider: self.shared.node.provider(),
            announced_unix_ms: now_unix_ms(),
            lifetime_s: LIFETIME.as_secs() as u32,
        };
        let announcement = notice.sign(key);
        let bytes = announcement.encode();
        *lock(&self.shared.own) = Some(announcement);
        self.sender.broadcast(bytes.into()).await.map_err(|error| CrowdError::Ended(error.to_string()))
    }

    /// Reaches out to further hosts.
    pub async fn meet(&self, provider: &Provider) -> Result<(), CrowdError> {
        self.shared.node.remember(provider)?;
        let id = provider.endpoint()?.id;
        self.sender.join_peers(vec![id]).await.map_err(|error| CrowdError::Ended(error.to_string()))
    }

    /// The hosts whose announcements are good now, in the order of their keys.
    pub fn hosts(&self) -> Vec<Announcement> {
        lock(&self.shared.table).good(now_unix_ms()).cloned().collect()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(shared: Arc<Shared>, sender: GossipSender, mut receiver: GossipReceiver) {
    let mut expire = tokio::time::interval(EXPIRE_INTERVAL);
    let mut retell = tokio::time::interval(RETELL_INTERVAL);
    retell.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            event = receiver.next() => event,
            _ = expire.tick() => {
                shared.expire();
                continue;
            }
            // Otherwise a node that sits in a quiet crowd would be woken for nothing.
            _ = retell.tick(), if shared.owes() => {
                for announcement in shared.to_retell() {
                    // Neighbors that are gone again need to know nothing.
                    let _ = sender.broadcast_neighbors(announcement.encode().into()).await;
                }
                continue;
            }
        };
        match event {
            Some(Ok(Event::Received(message))) => shared.hear(&message),
            Some(Ok(Event::NeighborUp(_))) => shared.owe(),
            Some(Ok(Event::NeighborDown(_) | Event::Lagged)) => {}
            Some(Err(error)) => tracing::debug!("announcements were missed: {error}"),
            None => return,
        }
    }
}

impl Shared {
    /// Takes what a neighbor sent, if it is good.
    fn hear(&self, message: &Message) {
        let neighbor = HostKey::from_bytes(*message.delivered_from.as_bytes());
        let taken = Announcement::decode(&message.content).and_then(|announcement| {
            let provider = announcement.notice.provider.clone();
            if provider.host != self.node.key() {
                let now = now_unix_ms();
                let gone = lock(&self.table).make_room(&neighbor, now);
                gone.iter().for_each(|host| self.node.unhear(host));
                lock(&self.table).take(announcement, neighbor, now)?;
                // Addresses that iroh does not understand are as good as none.
                let _ = self.node.hear(&provider);
            }
            Ok(())
        });
        if let Err(error) = taken {
            tracing::debug!(%neighbor, "an announcement is not taken: {error}");
        }
    }

    fn expire(&self) {
        for host in lock(&self.table).expire(now_unix_ms()) {
            self.node.unhear(&host);
        }
    }

    /// A neighbor is there that should hear of everybody.
    fn owe(&self) {
        lock(&self.retell).owe(&lock(&self.table), now_unix_ms());
    }

    /// True if neighbors are to be told of something.
    fn owes(&self) -> bool {
        lock(&self.retell).owes()
    }

    /// What neighbors are told now.
    fn to_retell(&self) -> Vec<Announcement> {
        let mut retell = lock(&self.retell);
        let own = if retell.takes_own() { lock(&self.own).clone() } else { None };
        own.into_iter().chain(retell.next(&lock(&self.table), now_unix_ms())).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now_unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
