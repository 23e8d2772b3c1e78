//! Telling new neighbors of the hosts that are known, some at a time.
//!
//! A neighbor that comes up is owed all of them. Gossip sends to all neighbors or to none, so whoever comes and goes could
//! have this node repeat itself without end: what is told in one go is bounded, goes on where it ended, and begins anew
//! only with what is still owed. So the rate does not depend on what neighbors do, and no host is left out for its key.

use samebit_spec::HostKey;

use super::Announcement;
use super::table::Table;

/// How many announcements go out at a time.
pub(crate) const BATCH: usize = 16;

/// What is still to be told, and where to go on.
#[derive(Debug, Default)]
pub(crate) struct Retell {
    owed: usize,
    owes_own: bool,
    last: Option<HostKey>,
}

impl Retell {
    /// A neighbor has come up, and knows nothing yet.
    pub(crate) fn owe(&mut self, table: &Table, now_unix_ms: u64) {
        self.owed = table.good(now_unix_ms).count();
        self.owes_own = true;
    }

    /// True if anything is owed.
    pub(crate) fn owes(&self) -> bool {
        self.owed > 0 || self.owes_own
    }

    /// True if this host's own announcement is owed. From then on it is not.
    pub(crate) fn takes_own(&mut self) -> bool {
        std::mem::take(&mut self.owes_own)
    }

    /// The next few that are owed.
    pub(crate) fn next(&mut self, table: &Table, now_unix_ms: u64) -> Vec<Announcement> {
        let wanted = self.owed.min(BATCH);
        let told: Vec<_> = table.good_after(self.last, now_unix_ms).take(wanted).cloned().collect();
        // Fewer than wanted are all that are still good.
        self.owed = if told.len() < wanted { 0 } else { self.owed - wanted };
        self.last = told.last().map_or(self.last, |announcement| Some(announcement.notice.info.host));
        told
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::table::tests::{announcement, neighbor};
    use super::*;

    fn table(hosts: u32) -> Table {
        let mut table = Table::default();
        for number in 0..hosts {
            table.take(announcement(number, 1000), neighbor(1), 1000).expect("room");
        }
        table
    }

    fn told(retell: &mut Retell, table: &Table) -> Vec<HostKey> {
        retell.next(table, 1000).iter().map(|announcement| announcement.notice.info.host).collect()
    }

    #[test]
    fn every_host_is_told_of_once_whatever_its_key() {
        let table = table(100);
        let mut retell = Retell::default();
        assert_eq!(told(&mut retell, &table), [], "nobody is owed anything");
        assert!(!retell.owes());
        retell.owe(&table, 1000);
        let batches: Vec<_> = (0..8).map(|_| told(&mut retell, &table)).collect();
        assert!(batches.iter().all(|batch| batch.len() <= BATCH));
        let all = batches.concat();
        assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (100, 100));
        assert!(retell.takes_own() && !retell.takes_own(), "and of this host once");
        assert!(!retell.owes());
    }

    #[test]
    fn neighbors_that_come_and_go_change_no_rate_and_leave_no_host_out() {
        let table = table(100);
        let mut retell = Retell::default();
        let mut heard = BTreeSet::new();
        for _ in 0..100_usize.div_ceil(BATCH) {
            retell.owe(&table, 1000);
            retell.owe(&table, 1000);
            let batch = told(&mut retell, &table);
            assert_eq!(batch.len(), BATCH);
            heard.extend(batch);
        }
        assert_eq!(heard.len(), 100, "it goes on where it was, and does not begin with the lowest keys again");
    }

    #[test]
    fn what_has_expired_or_gone_is_neither_told_nor_owed() {
        let mut table = table(20);
        let mut retell = Retell::default();
        retell.owe(&table, 1000);
        assert_eq!(told(&mut retell, &table).len(), BATCH);
        assert!(retell.takes_own() && retell.owes());
        assert_eq!(retell.next(&table, 61_000), []);
        assert!(!retell.owes(), "the rest has expired");
        retell.owe(&table, 61_000);
        assert!(retell.takes_own() && !retell.owes());
        table.expire(61_000);
        assert_eq!(retell.next(&table, 61_000), []);
    }
}
