//! How much goes into one submission, by how long such work has taken.
//!
//! A submission is the least that a GPU tells the end of. Large ones cost less; but one that runs for long keeps other
//! programs from the GPU, looks to its driver like a hang, and to whoever waits like no progress. So a kernel that is
//! launched for the first time ends its submission, and more goes together as what went before proves quick.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use samebit_device::KernelId;

/// How long a submission should run at most.
const TARGET: Duration = Duration::from_millis(50);
/// Most operations in one submission: it costs tens of microseconds and an operation a few, so more would gain nothing.
const COMMANDS: u32 = 256;
/// How many times as much may go into a submission as went into one before, however quick that was.
const GROWTH: u32 = 8;

/// Measures submissions, and sizes the next ones.
pub(crate) struct Pace {
    commands: u32,
    /// Submissions not known to be done: their number, how much went into them, and when.
    running: VecDeque<(u64, u32, Instant)>,
    /// When one was done last.
    done: Option<Instant>,
    /// Kernels that have been launched before.
    known: BTreeSet<KernelId>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { commands: COMMANDS, running: VecDeque::new(), done: None, known: BTreeSet::new() }
    }
}

impl Pace {
    /// How many operations are enough for a submission.
    pub(crate) fn commands(&self) -> u32 {
        self.commands
    }

    /// A kernel is launched.
    pub(crate) fn launched(&mut self, kernel: KernelId) {
        if self.known.insert(kernel) {
            self.commands = 1;
        }
    }

    /// A kernel is gone.
    pub(crate) fn forget(&mut self, kernel: KernelId) {
        self.known.remove(&kernel);
    }

    /// So many operations were submitted.
    pub(crate) fn submitted(&mut self, number: u64, commands: u32, now: Instant) {
        self.running.push_back((number, commands, now));
    }

    /// All submissions up to this one were done at this time, or before: nobody looks all the time.
    pub(crate) fn finished(&mut self, number: u64, now: Instant) {
        let (mut begun, mut all, mut largest) = (None, 0, 0);
        while let Some((_, commands, submitted)) = self.running.pop_front_if(|(running, ..)| *running <= number) {
            begun = begun.or(Some(submitted));
            all += commands;
            largest = largest.max(commands);
        }
        // They began when the first was submitted, or when what came before was done.
        let Some(begun) = begun.max(self.done) else { return };
        self.done = Some(now);
        if all > 0 {
            let took = now.saturating_duration_since(begun).as_nanos().max(1);
            let fitting = TARGET.as_nanos() * u128::from(all) / took;
            let most = largest.saturating_mul(GROWTH).min(COMMANDS);
            self.commands = u32::try_from(fitting).unwrap_or(u32::MAX).clamp(1, most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Submits one after the other, each of as much as is enough, and each operation taking so long.
    fn sizes(pace: &mut Pace, each: Duration, count: u64) -> Vec<u32> {
        let mut now = Instant::now();
        let sizes = (1..=count).map(|number| {
            let commands = pace.commands();
            pace.submitted(number, commands, now);
            now += each * commands;
            pace.finished(number, now);
            commands
        });
        sizes.collect()
    }

    #[test]
    fn a_new_kernel_goes_alone_and_a_quick_one_soon_with_many() {
        let mut pace = Pace::default();
        assert_eq!(pace.commands(), COMMANDS, "writes and fills are quick");
        pace.launched(KernelId(1));
        assert_eq!(sizes(&mut pace, Duration::from_micros(10), 5), [1, 8, 64, 256, 256]);
        pace.launched(KernelId(1));
        assert_eq!(pace.commands(), 256);
        pace.launched(KernelId(2));
        assert_eq!(pace.commands(), 1);
    }

    #[test]
    fn slow_work_goes_in_submissions_of_a_bearable_length() {
        let mut pace = Pace::default();
        pace.launched(KernelId(1));
        assert_eq!(sizes(&mut pace, Duration::from_millis(10), 4), [1, 5, 5, 5]);
        assert_eq!(sizes(&mut pace, Duration::from_secs(1), 3), [5, 1, 1]);
    }

    #[test]
    fn what_is_seen_together_is_measured_together() {
        let mut pace = Pace::default();
        pace.launched(KernelId(1));
        let now = Instant::now();
        for number in 1..=5 {
            pace.submitted(number, 1, now);
        }
        pace.finished(5, now + Duration::from_millis(50));
        assert_eq!(pace.commands(), 5);
        pace.finished(5, now + Duration::from_secs(9));
        assert_eq!(pace.commands(), 5, "there was nothing new");
    }
}
