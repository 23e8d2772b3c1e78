//! Which host does which job next. Pure: it is told what happens and what time it is, and says what to start.
//!
//! Hosts take jobs as they have room, so that a fast one does more. Promises: a job is never twice at one host, unless
//! that host was full; each job is started until it is done by as many hosts as are wanted, or was tried too often; a host
//! that fails several times in a row gets nothing more; and it all comes to an end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use samebit_runner::spec::{Hash, HostKey};

/// How often a job is tried in vain before it is given up.
const TRIES_MAX: u32 = 4;
/// How often in a row a host may fail at jobs before it is dropped. It may be the jobs.
const FAULTS_MAX: u32 = 12;
/// How often it counts if a host is gone, or does not keep to what was agreed.
const FAULTS_GONE: u32 = 4;
/// How often in a row a host may be full, with nothing of ours, before it is dropped.
const FULLS_MAX: u32 = 8;
/// How long a full host is left alone the first time. Doubled for each further one, up to the longest.
const REST: Duration = Duration::from_millis(500);
/// How often that is doubled.
const REST_DOUBLINGS: u32 = 5;
/// How many jobs are looked at for one whose input the host has.
const WINDOW: usize = 64;

/// A job at a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Task {
    /// Its number.
    pub(crate) job: usize,
    /// The host.
    pub(crate) host: HostKey,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Start this.
    Start(Task),
    /// Wait until something that goes on ends, or until this time, if one is given.
    Wait(Option<Duration>),
    /// Nothing goes on, and nothing can be started any more.
    Over,
}

/// Why a job did not come to an end at a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The host has no room now.
    Full,
    /// The host says that it could not do it.
    Failed,
    /// The host is not there, takes too long, or does not keep to what was agreed.
    Gone,
    /// The host will do no job of this array.
    Unable,
}

/// What came of trouble.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// The host gets nothing more.
    pub(crate) host_dropped: bool,
    /// The job is not tried any more.
    pub(crate) job_given_up: bool,
}

/// The jobs of an array over its hosts.
#[derive(Debug)]
pub(crate) struct Spread {
    jobs: Vec<Job>,
    /// Jobs that are to be started somewhere.
    waiting: BTreeSet<usize>,
    /// The best first.
    hosts: Vec<Host>,
    /// Which hosts were given which input of a single job.
    holders: BTreeMap<Hash, BTreeSet<HostKey>>,
    going: usize,
}

#[derive(Debug)]
struct Job {
    input: Option<Hash>,
    /// How many hosts more it is to be started at.
    lacks: usize,
    tries: u32,
    /// Where it is, was done, or failed.
    closed_to: Vec<HostKey>,
}

#[derive(Debug)]
struct Host {
    key: HostKey,
    room_max: usize,
    /// Jobs that it may have now.
    room: usize,
    going: usize,
    faults: u32,
    fulls: u32,
    rest_until: Duration,
    dropped: bool,
    /// Every waiting job before this one is closed to it.
    from: usize,
}

impl Spread {
    /// Jobs, each with an input of its own or none, over hosts with room for so many jobs each, the best first. Each job
    /// is to be done by `replicas` hosts.
    pub(crate) fn new(
        jobs: impl IntoIterator<Item = Option<Hash>>,
        hosts: impl IntoIterator<Item = (HostKey, usize)>,
        replicas: usize,
    ) -> Self {
        let job = |input| Job { input, lacks: replicas, tries: 0, closed_to: Vec::new() };
        let jobs = jobs.into_iter().map(job).collect::<Vec<_>>();
        let host = |(key, room): (HostKey, usize)| Host {
            key,
            room_max: room.max(1),
            room: room.max(1),
            going: 0,
            faults: 0,
            fulls: 0,
            rest_until: Duration::ZERO,
            dropped: false,
            from: 0,
        };
        let hosts = hosts.into_iter().map(host).collect();
        Self { waiting: (0..jobs.len()).collect(), jobs, hosts, holders: BTreeMap::new(), going: 0 }
    }

    /// Notes that a host has an input.
    pub(crate) fn holds(&mut self, host: HostKey, input: Hash) {
        self.holders.entry(input).or_default().insert(host);
    }

    /// Notes that a host has done a job already.
    pub(crate) fn was_done(&mut self, task: Task) {
        let Some(job) = self.jobs.get_mut(task.job) else { return };
        if job.closed_to.contains(&task.host) {
            return;
        }
        job.closed_to.push(task.host);
        job.lacks = job.lacks.saturating_sub(1);
        if job.lacks == 0 {
            self.waiting.remove(&task.job);
        }
        if let Some(input) = job.input {
            self.holds(task.host, input);
        }
    }

    /// What to do now, `now` after the beginning.
    pub(crate) fn next(&mut self, now: Duration) -> Step {
        let mut free = (0..self.hosts.len()).filter(|at| self.hosts[*at].has_room()).collect::<Vec<_>>();
        // The emptiest first, so that few jobs are spread as well; the sort keeps the better ones before others.
        free.sort_by_key(|at| self.hosts[*at].filling());
        let mut wake = None;
        for at in free {
            let rest_until = self.hosts[at].rest_until;
            let Some(job) = self.pick(at) else { continue };
            if rest_until > now {
                wake = Some(wake.map_or(rest_until, |wake: Duration| wake.min(rest_until)));
                continue;
            }
            return Step::Start(self.start(job, at));
        }
        if self.going == 0 && wake.is_none() { Step::Over } else { Step::Wait(wake) }
    }

    /// A task came to its end, and there is a receipt.
    pub(crate) fn done(&mut self, task: Task) {
        self.going -= 1;
        if let Some(host) = self.hosts.iter_mut().find(|host| host.key == task.host) {
            host.going -= 1;
            host.faults = 0;
            host.fulls = 0;
            host.room = host.room_max.min(host.room + 1);
        }
        if let Some(input) = self.jobs[task.job].input {
            self.holds(task.host, input);
        }
    }

    /// A task came to nothing.
    pub(crate) fn failed(&mut self, task: Task, trouble: Trouble, now: Duration) -> Effect {
        self.going -= 1;
        let mut effect = Effect::default();
        if let Some(host) = self.hosts.iter_mut().find(|host| host.key == task.host) {
            host.going -= 1;
            effect.host_dropped = host.suffer(trouble, now);
        }
        let job = &mut self.jobs[task.job];
        job.lacks += 1;
        match trouble {
            Trouble::Full => job.closed_to.retain(|host| *host != task.host),
            Trouble::Failed | Trouble::Gone => job.tries += 1,
            Trouble::Unable => {}
        }
        if job.tries >= TRIES_MAX {
            self.waiting.remove(&task.job);
            effect.job_given_up = trouble.is_failure() && job.tries == TRIES_MAX;
        } else {
            self.waiting.insert(task.job);
            self.hosts.iter_mut().for_each(|host| host.from = host.from.min(task.job));
        }
        effect
    }

    /// How many jobs a host has now.
    pub(crate) fn going_at(&self, key: &HostKey) -> usize {
        self.hosts.iter().find(|host| host.key == *key).map_or(0, |host| host.going)
    }

    fn start(&mut self, number: usize, at: usize) -> Task {
        let host = &mut self.hosts[at];
        let job = &mut self.jobs[number];
        host.going += 1;
        self.going += 1;
        job.closed_to.push(host.key);
        job.lacks -= 1;
        if job.lacks == 0 {
            self.waiting.remove(&number);
        }
        Task { job: number, host: host.key }
    }

    /// The job for a host: among the next ones that are open to it one whose input it has, else one whose input nobody
    /// has, else the first.
    fn pick(&mut self, at: usize) -> Option<usize> {
        let host = &mut self.hosts[at];
        let open = |number: &&usize| !self.jobs[**number].closed_to.contains(&host.key);
        let mut next = self.waiting.range(host.from..).filter(open).copied().take(WINDOW).peekable();
        let first = next.peek().copied();
        let mut best = None;
        for number in next {
            let holders = self.jobs[number].input.and_then(|input| self.holders.get(&input));
            match holders {
                Some(holders) if holders.contains(&host.key) => {
                    best = Some(number);
                    break;
                }
                Some(_) => {}
                None => best = best.or(Some(number)),
            }
            if self.holders.is_empty() {
                break;
            }
        }
        host.from = first.unwrap_or(self.jobs.len());
        best.or(first)
    }
}

impl Trouble {
    /// True if the job was tried in vain.
    pub(crate) fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Gone)
    }
}

impl Host {
    fn has_room(&self) -> bool {
        !self.dropped && self.going < self.room
    }

    /// How full it is, in thousandths.
    fn filling(&self) -> usize {
        self.going * 1000 / self.room_max
    }

    /// Takes trouble, and says whether it is too much now.
    fn suffer(&mut self, trouble: Trouble, now: Duration) -> bool {
        let was_dropped = self.dropped;
        match trouble {
            Trouble::Full => {
                self.room = self.going.max(1);
                if self.going == 0 {
                    self.rest_until = now + REST * (1 << self.fulls.min(REST_DOUBLINGS));
                    self.fulls += 1;
                    self.dropped |= self.fulls >= FULLS_MAX;
                }
            }
            Trouble::Failed => self.faults += 1,
            Trouble::Gone => self.faults += FAULTS_GONE,
            Trouble::Unable => self.dropped = true,
        }
        self.dropped |= self.faults >= FAULTS_MAX;
        self.dropped && !was_dropped
    }
}

#[cfg(test)]
mod tests;
