//! Hosts that are known from their announcements. Bounded; time is a value passed in.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use samebit_spec::HostKey;

use super::{Announcement, AnnouncementError};

/// The most hosts that are remembered.
pub const HOSTS_MAX: usize = 4096;
/// The share of them that may have come from one neighbor, which bounds what a liar can push out.
const HOSTS_OF_NEIGHBOR_MAX: usize = HOSTS_MAX / 4;

/// How long to wait before looking for expired announcements again, in milliseconds: every host is looked at.
const EXPIRE_AGAIN_MS: u64 = 1000;

/// Announcements by host.
#[derive(Debug, Default)]
pub(crate) struct Table {
    hosts: BTreeMap<HostKey, Known>,
    by_neighbor: BTreeMap<HostKey, usize>,
    expired_unix_ms: u64,
}

#[derive(Debug)]
struct Known {
    announcement: Announcement,
    /// Who told of the host first.
    neighbor: HostKey,
}

impl Table {
    /// Takes an announcement that was decoded, if it is good now and newer than what is known of the host.
    pub(crate) fn take(
        &mut self,
        announcement: Announcement,
        neighbor: HostKey,
        now_unix_ms: u64,
    ) -> Result<(), AnnouncementError> {
        announcement.notice.check_time(now_unix_ms)?;
        let host = announcement.notice.info.host;
        if let Some(known) = self.hosts.get_mut(&host) {
            if known.announcement.notice.announced_unix_ms >= announcement.notice.announced_unix_ms {
                return Err(AnnouncementError::Older);
            }
            known.announcement = announcement;
            return Ok(());
        }
        if !self.has_room(&neighbor) {
            return Err(AnnouncementError::Full);
        }
        *self.by_neighbor.entry(neighbor).or_default() += 1;
        self.hosts.insert(host, Known { announcement, neighbor });
        Ok(())
    }

    /// If there is no room for more of this neighbor's, forgets what is not good any more, and says which hosts those were.
    pub(crate) fn make_room(&mut self, neighbor: &HostKey, now_unix_ms: u64) -> Vec<HostKey> {
        let is_due = now_unix_ms >= self.expired_unix_ms.saturating_add(EXPIRE_AGAIN_MS);
        if !self.has_room(neighbor) && is_due { self.expire(now_unix_ms) } else { Vec::new() }
    }

    /// Forgets what is not good any more, and says which hosts those were.
    pub(crate) fn expire(&mut self, now_unix_ms: u64) -> Vec<HostKey> {
        self.expired_unix_ms = now_unix_ms;
        let expired = |known: &Known| known.announcement.notice.check_time(now_unix_ms).is_err();
        let gone: Vec<_> = self.hosts.iter().filter(|(_, known)| expired(known)).map(|(host, _)| *host).collect();
        for host in &gone {
            let Some(known) = self.hosts.remove(host) else { continue };
            if let Some(count) = self.by_neighbor.get_mut(&known.neighbor) {
                *count -= 1;
                if *count == 0 {
                    self.by_neighbor.remove(&known.neighbor);
                }
            }
        }
        gone
    }

    /// What is good now, in the order of keys.
    pub(crate) fn good(&self, now_unix_ms: u64) -> impl Iterator<Item = &Announcement> {
        self.good_after(None, now_unix_ms)
    }

    /// What is good now, in the order of keys, beginning after one of them and going around.
    pub(crate) fn good_after(&self, last: Option<HostKey>, now_unix_ms: u64) -> impl Iterator<Item = &Announcement> {
        let (rest, start) = match last {
            Some(last) => (self.hosts.range((Excluded(last), Unbounded)), Some(self.hosts.range(..=last))),
            None => (self.hosts.range(..), None),
        };
        let announcements = rest.chain(start.into_iter().flatten()).map(|(_, known)| &known.announcement);
        announcements.filter(move |announcement| announcement.notice.check_time(now_unix_ms).is_ok())
    }

    fn has_room(&self, neighbor: &HostKey) -> bool {
        let from_neighbor = self.by_neighbor.get(neighbor).copied().unwrap_or(0);
        self.hosts.len() < HOSTS_MAX && from_neighbor < HOSTS_OF_NEIGHBOR_MAX
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use samebit_spec::{SecretKey, Signature};

    use super::super::tests::notice;
    use super::*;

    /// An announcement whose signature nobody looks at any more: the table is handed what was decoded.
    pub(crate) fn announcement(number: u32, announced_unix_ms: u64) -> Announcement {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        let mut notice = notice(&SecretKey::from_bytes(&[1; 32]), announced_unix_ms);
        notice.info.host = HostKey::from_bytes(key);
        Announcement { notice, signature: Signature([0; 64]) }
    }

    pub(crate) fn neighbor(number: u8) -> HostKey {
        HostKey::from_bytes([number; 32])
    }

    #[test]
    fn only_newer_announcements_replace() {
        let mut table = Table::default();
        table.take(announcement(1, 1000), neighbor(1), 1000).expect("new");
        assert_eq!(table.take(announcement(1, 1000), neighbor(2), 1000), Err(AnnouncementError::Older), "replayed");
        assert_eq!(table.take(announcement(1, 999), neighbor(2), 1000), Err(AnnouncementError::Older));
        table.take(announcement(1, 1001), neighbor(2), 1001).expect("newer");
        assert_eq!(table.good(1001).count(), 1);
    }

    #[test]
    fn what_expired_is_neither_taken_nor_told() {
        let mut table = Table::default();
        table.take(announcement(1, 1000), neighbor(1), 1000).expect("new");
        assert_eq!(table.good(61_000).count(), 0);
        assert_eq!(table.take(announcement(2, 1000), neighbor(1), 61_000), Err(AnnouncementError::Expired));
        assert_eq!(table.expire(61_000).len(), 1);
        assert!(table.hosts.is_empty() && table.by_neighbor.is_empty());
    }

    #[test]
    fn one_neighbor_cannot_fill_the_table() {
        let mut table = Table::default();
        let from = |table: &mut Table, neighbor, hosts: std::ops::Range<u32>| {
            hosts.filter(|number| table.take(announcement(*number, 1000), neighbor, 1000).is_ok()).count()
        };
        assert_eq!(from(&mut table, neighbor(1), 0..10_000), HOSTS_OF_NEIGHBOR_MAX);
        assert_eq!(from(&mut table, neighbor(2), 20_000..20_010), 10);
        for number in 3..10 {
            from(&mut table, neighbor(number), u32::from(number) * 100_000..u32::from(number) * 100_000 + 5000);
        }
        assert_eq!(table.good(1000).count(), HOSTS_MAX);
        let late = announcement(9_999_999, 61_000);
        assert_eq!(
            table.make_room(&neighbor(1), 61_000).len(),
            HOSTS_MAX,
            "whoever keeps their addresses hears of all"
        );
        table.take(late, neighbor(1), 61_000).expect("room once others expired");
    }
}
