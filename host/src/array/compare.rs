//! Outcomes of one job from several hosts: are they the same, and if not, whose is the odd one?
//!
//! Outcomes are compared bit for bit, by their ids. In the profile exact honest hosts agree, so that whoever differs has
//! signed something that is not so. In the profile native honest hosts of different classes of device may differ too;
//! telling that apart takes the tolerances and the bytes, which is for `samebit verify`.

use std::collections::BTreeMap;

use samebit_runner::spec::{HostKey, OutcomeId};

/// What outcomes have to do with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// All are this one.
    Same(OutcomeId),
    /// More than half are this one, and these hosts have others.
    Odd(OutcomeId, Vec<HostKey>),
    /// No outcome is that of more than half. All hosts.
    Tie(Vec<HostKey>),
}

impl Agreement {
    /// Compares outcomes, each of another host. `None` if there are none.
    pub(crate) fn of(outcomes: &[(HostKey, OutcomeId)]) -> Option<Self> {
        let mut counts = BTreeMap::<OutcomeId, usize>::new();
        for (_, outcome) in outcomes {
            *counts.entry(*outcome).or_default() += 1;
        }
        let (most, count) = counts.iter().max_by_key(|(_, count)| **count)?;
        let others = outcomes.iter().filter(|(_, outcome)| outcome != most).map(|(host, _)| *host).collect::<Vec<_>>();
        Some(if others.is_empty() {
            Self::Same(*most)
        } else if count * 2 > outcomes.len() {
            Self::Odd(*most, others)
        } else {
            Self::Tie(outcomes.iter().map(|(host, _)| *host).collect())
        })
    }

    /// The outcome to go by, if there is one.
    pub(crate) fn outcome(&self) -> Option<OutcomeId> {
        match self {
            Self::Same(outcome) | Self::Odd(outcome, _) => Some(*outcome),
            Self::Tie(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use samebit_runner::spec::{BlobRef, Outcome, Status};

    use super::*;

    fn host(number: u8) -> HostKey {
        HostKey::from_bytes([number; 32])
    }

    fn outcome(fuel: u64) -> OutcomeId {
        Outcome { status: Status::Ok, outputs: BTreeMap::new(), log: BlobRef::of(b""), fuel }.id()
    }

    /// What hosts 0, 1, 2… came to.
    fn of(fuels: &[u64]) -> Option<Agreement> {
        let outcomes = fuels.iter().enumerate().map(|(at, fuel)| (host(at as u8), outcome(*fuel))).collect::<Vec<_>>();
        Agreement::of(&outcomes)
    }

    #[test]
    fn the_same_is_the_same() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some(Agreement::Same(outcome(7))));
        assert_eq!(of(&[7, 7, 7]), Some(Agreement::Same(outcome(7))));
    }

    #[test]
    fn whoever_is_against_more_than_half_is_odd() {
        assert_eq!(of(&[7, 8, 7]), Some(Agreement::Odd(outcome(7), vec![host(1)])));
        assert_eq!(of(&[1, 7, 7, 7, 2]), Some(Agreement::Odd(outcome(7), vec![host(0), host(4)])));
    }

    #[test]
    fn two_against_two_name_all_four() {
        assert_eq!(of(&[7, 8]), Some(Agreement::Tie(vec![host(0), host(1)])));
        assert_eq!(of(&[7, 7, 8, 8]), Some(Agreement::Tie((0..4).map(host).collect())));
        assert_eq!(of(&[7, 7, 8, 9]), Some(Agreement::Tie((0..4).map(host).collect())), "half is not more than half");
        assert_eq!(of(&[1, 2, 3]).expect("some").outcome(), None);
    }
}
