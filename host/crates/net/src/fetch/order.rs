//! Whom to ask first: a provider that is gone must not keep the others waiting.
//!
//! Connecting to somebody who does not answer takes as long as anybody may take. So the next provider is connected to
//! after a moment, and whoever is there first is asked first. Those who were not come last, should the others lack the blob.

use std::sync::PoisonError;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use samebit_spec::HostKey;
use tokio::time::timeout;

use super::Fetcher;
use crate::message::Provider;

/// How long a provider may take to be there before the next is tried beside it.
const HEAD_START: Duration = Duration::from_millis(500);

impl Fetcher<'_> {
    /// The providers in the order in which to ask them, beginning with number `first`.
    pub(super) async fn order(&self, first: usize) -> Vec<&Provider> {
        let count = self.providers.len();
        let mut order: Vec<_> = (0..count).map(|offset| &self.providers[(first + offset) % count]).collect();
        // Stable: otherwise the order stays.
        order.sort_by_key(|provider| self.is_late(&provider.host));
        if count > 1 {
            self.reach_one(&order).await;
            order.sort_by_key(|provider| self.is_late(&provider.host));
        }
        order
    }

    /// Connects to providers one after another, until one is there.
    async fn reach_one(&self, order: &[&Provider]) {
        let is_hopeful =
            |provider: &&&Provider| self.why_given_up(&provider.host).is_none() && !self.is_late(&provider.host);
        let mut left = order.iter().filter(is_hopeful).collect::<Vec<_>>().into_iter();
        let mut tried: Vec<HostKey> = Vec::new();
        let mut tries = FuturesUnordered::new();
        let winner = loop {
            match left.next() {
                Some(provider) => {
                    tried.push(provider.host);
                    tries.push(async { (provider.host, self.connection(provider).await) });
                }
                None if tries.is_empty() => break None,
                None => {}
            }
            let head_start = if left.len() == 0 { self.node.connect_time() } else { HEAD_START };
            match timeout(head_start, tries.next()).await {
                Ok(Some((host, Ok(_)))) => break Some(host),
                Ok(Some((host, Err(fault)))) => self.give_up(host, fault),
                // The next one.
                Ok(None) | Err(_) => {}
            }
        };
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.extend(tried.into_iter().filter(|host| Some(*host) != winner));
    }

    fn is_late(&self, host: &HostKey) -> bool {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).contains(host)
    }
}
