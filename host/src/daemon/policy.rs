//! Who may have what run here, and how much of it: one decision for each request, from nothing but the request.
//!
//! A policy is asked before anything is fetched, written down or promised. Deny wins over allow, and every refusal
//! names the rule of the policy file that decided. Without a policy only programs on this machine may submit.
//!
//! What a peer has going at the moment is told to the policy as [`Going`]; it keeps no books itself and reads no clock.

mod file;
mod who;

use std::time::Duration;

use samebit_net::Peer;
use samebit_net::message::{Refusal, Submit};
use samebit_runner::spec::{HostKey, JobSpec, Limits, Publication};

pub(crate) use file::PolicyFile;
pub(crate) use who::{Hashes, Keys};

use super::spent::PeerSpent;

/// Names of rules, as they stand in the policy file.
pub(crate) mod rule {
    pub(crate) const SUBMITTERS_DENY: &str = "submitters.deny";
    pub(crate) const SUBMITTERS_ALLOW: &str = "submitters.allow";
    pub(crate) const AUTHORS_DENY: &str = "authors.deny";
    pub(crate) const AUTHORS_ALLOW: &str = "authors.allow";
    pub(crate) const MODULES_DENY: &str = "modules.deny";
    pub(crate) const MODULES_ALLOW: &str = "modules.allow";
    pub(crate) const PUBLICATION: &str = "authors.signature";
    pub(crate) const JOB_LIMITS: &str = "job.limits";
    pub(crate) const JOB_INPUT_BYTES: &str = "job.input-bytes";
    pub(crate) const PEER_QUEUED: &str = "peer.queued";
    pub(crate) const PEER_INPUT_BYTES: &str = "peer.input-bytes";
    pub(crate) const PEER_FUEL: &str = "peer.fuel";
    pub(crate) const PEER_GPU_TIME: &str = "peer.gpu-time-per-hour";
    pub(crate) const PEER_OUTPUT_BYTES: &str = "peer.output-bytes-per-hour";
    pub(crate) const HOST_QUEUED: &str = "host.queued";
    pub(crate) const HOST_MEMORY: &str = "host.memory";
    pub(crate) const HOST_DISK_QUOTA: &str = "host.disk-quota";
    pub(crate) const HOST_DISK_FREE: &str = "host.disk-free";
}

/// What this host grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Who may submit, besides programs on this machine.
    pub(crate) submitters: Lists<Keys>,
    /// Whose modules may run.
    pub(crate) authors: Lists<Keys>,
    /// Which modules may run.
    pub(crate) modules: Lists<Hashes>,
    /// The most that one job may ask for.
    pub(crate) job: JobCaps,
    /// The most that one peer may have.
    pub(crate) peer: PeerCaps,
}

/// Whom or what to take, and whom or what never to. Without an allow list everybody is taken that is not denied, except
/// among submitters, where nobody is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lists<T> {
    /// Only these, if there is a list.
    pub(crate) allow: Option<T>,
    /// Never these.
    pub(crate) deny: T,
}

/// The most that one job may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobCaps {
    /// What is part of the job.
    pub(crate) limits: Limits,
    /// Module and inputs together, in bytes.
    pub(crate) input_bytes: u64,
}

/// The most that one peer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerCaps {
    /// Jobs that wait or run.
    pub(crate) queued: u64,
    /// Jobs that run.
    pub(crate) running: usize,
    /// Bytes of modules and inputs of jobs that wait or run.
    pub(crate) input_bytes: u64,
    /// Fuel that jobs which wait or run may spend together.
    pub(crate) fuel: u64,
    /// How long its jobs may have run in the last hour, if that is bounded.
    pub(crate) gpu_time_per_hour: Option<Duration>,
    /// What it may have been sent of blobs in the last hour, in bytes, if that is bounded.
    pub(crate) output_bytes_per_hour: Option<u64>,
    /// Requests in a second.
    pub(crate) requests_per_s: u32,
    /// Connections at once.
    pub(crate) connections: usize,
}

/// The most that this host has with everybody together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostCaps {
    /// Jobs that wait or run.
    pub(crate) queued: u64,
    /// Memory of all jobs that run, in bytes.
    pub(crate) memory_bytes: u64,
}

/// What a peer, or everybody together, has waiting or running.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Going {
    /// Jobs.
    pub(crate) jobs: u64,
    /// Bytes of their modules and inputs.
    pub(crate) input_bytes: u64,
    /// Fuel that they may spend.
    pub(crate) fuel: u64,
}

/// What is to be decided about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Submission<'a> {
    /// Who submits.
    pub(crate) peer: Peer,
    /// What.
    pub(crate) job: &'a JobSpec,
    /// What is said of the module's authors.
    pub(crate) publications: &'a [Publication],
    /// What the peer has going.
    pub(crate) peer_going: Going,
    /// What everybody has going.
    pub(crate) all_going: Going,
    /// What the peer had lately.
    pub(crate) peer_spent: PeerSpent,
}

impl<'a> Submission<'a> {
    /// What a peer asks for, with what it and everybody have going on, and what it had lately.
    pub(crate) fn new(peer: Peer, submit: &'a Submit, going: (Going, Going), peer_spent: PeerSpent) -> Self {
        let (peer_going, all_going) = going;
        Self { peer, job: &submit.job, publications: submit.publication.as_slice(), peer_going, all_going, peer_spent }
    }
}

impl Policy {
    /// Whether this peer may speak to this host at all.
    pub(crate) fn admit(&self, peer: Peer) -> Result<(), Refusal> {
        match peer {
            Peer::Remote(key) if self.submitters.deny.has(&key) => Err(denied(rule::SUBMITTERS_DENY, "this key")),
            _ => Ok(()),
        }
    }

    /// Whether a job is taken on.
    pub(crate) fn decide(&self, submission: &Submission<'_>, host: &HostCaps) -> Result<(), Refusal> {
        self.admit(submission.peer)?;
        self.check_submitter(submission.peer)?;
        self.check_module(submission.job)?;
        self.check_authors(submission)?;
        self.check_job(submission.job, host)?;
        self.check_going(submission, host)
    }

    /// Whether a peer may have part in a job that is here already, or its result: it costs nothing more.
    pub(crate) fn decide_known(&self, submission: &Submission<'_>) -> Result<(), Refusal> {
        self.admit(submission.peer)?;
        self.check_submitter(submission.peer)
    }

    fn check_submitter(&self, peer: Peer) -> Result<(), Refusal> {
        let Peer::Remote(key) = peer else { return Ok(()) };
        if self.submitters.allow.as_ref().is_some_and(|allow| allow.has(&key)) {
            return Ok(());
        }
        let text = format!("this host takes no jobs of key {key}: ask its operator to allow it");
        Err(Refusal::new(rule::SUBMITTERS_ALLOW, text))
    }

    fn check_module(&self, job: &JobSpec) -> Result<(), Refusal> {
        let hash = job.module.hash;
        if self.modules.deny.has(&hash) {
            return Err(denied(rule::MODULES_DENY, "this module"));
        }
        match &self.modules.allow {
            Some(allow) if !allow.has(&hash) => Err(Refusal::new(
                rule::MODULES_ALLOW,
                format!("this host runs chosen modules only, and {hash} is none"),
            )),
            _ => Ok(()),
        }
    }

    /// An author is who signed a publication of the module. A module without one has no author, and a module with
    /// several is denied if one of them is.
    fn check_authors(&self, submission: &Submission<'_>) -> Result<(), Refusal> {
        if self.authors == Lists::default() {
            return Ok(());
        }
        let authors = authors(submission)?;
        if authors.iter().any(|author| self.authors.deny.has(author)) {
            return Err(denied(rule::AUTHORS_DENY, "the module's author"));
        }
        match &self.authors.allow {
            Some(allow) if !authors.iter().any(|author| allow.has(author)) => Err(Refusal::new(
                rule::AUTHORS_ALLOW,
                "this host runs modules of chosen authors only, and none of them has signed this one",
            )),
            _ => Ok(()),
        }
    }

    fn check_job(&self, job: &JobSpec, host: &HostCaps) -> Result<(), Refusal> {
        job.limits
            .check_within(&self.job.limits)
            .map_err(|error| Refusal::new(&format!("{}.{}", rule::JOB_LIMITS, error.limit), &error))?;
        over(rule::JOB_INPUT_BYTES, "bytes of module and inputs", input_bytes(job), self.job.input_bytes)?;
        over(rule::HOST_MEMORY, "bytes of memory", memory_bytes(job), host.memory_bytes)
    }

    fn check_going(&self, submission: &Submission<'_>, host: &HostCaps) -> Result<(), Refusal> {
        let (job, peer, all) = (submission.job, submission.peer_going, submission.all_going);
        over(rule::HOST_QUEUED, "jobs of everybody", all.jobs.saturating_add(1), host.queued)?;
        if submission.peer == Peer::Local {
            return Ok(());
        }
        over(rule::PEER_QUEUED, "jobs of yours", peer.jobs.saturating_add(1), self.peer.queued)?;
        let bytes = peer.input_bytes.saturating_add(input_bytes(job));
        over(rule::PEER_INPUT_BYTES, "bytes of inputs of your jobs", bytes, self.peer.input_bytes)?;
        let fuel = peer.fuel.saturating_add(job.limits.fuel);
        over(rule::PEER_FUEL, "fuel of your jobs together", fuel, self.peer.fuel)?;
        self.check_spent(submission.peer_spent)
    }

    /// Who had its share of the hour waits for a part of it to pass.
    fn check_spent(&self, spent: PeerSpent) -> Result<(), Refusal> {
        let time = self.peer.gpu_time_per_hour.filter(|cap| spent.gpu_time >= *cap);
        if let Some(cap) = time {
            let (had, cap) = (spent.gpu_time.as_secs(), cap.as_secs());
            let text =
                format!("your jobs ran for {had} s in the last hour, at most {cap} s are allowed: come back later");
            return Err(Refusal::new(rule::PEER_GPU_TIME, text));
        }
        let bytes = self.peer.output_bytes_per_hour.filter(|cap| spent.output_bytes >= *cap);
        bytes.map_or(Ok(()), |cap| {
            let had = spent.output_bytes;
            let text =
                format!("you were sent {had} bytes in the last hour, at most {cap} are allowed: come back later");
            Err(Refusal::new(rule::PEER_OUTPUT_BYTES, text))
        })
    }
}

fn authors(submission: &Submission<'_>) -> Result<Vec<HostKey>, Refusal> {
    let author = |publication: &Publication| {
        publication.check().map_err(|error| Refusal::new(rule::PUBLICATION, error))?;
        if publication.module != submission.job.module {
            return Err(Refusal::new(rule::PUBLICATION, "a publication is of another module: leave it out"));
        }
        Ok(publication.author)
    };
    submission.publications.iter().map(author).collect()
}

fn denied(rule: &str, what: &str) -> Refusal {
    Refusal::new(rule, format!("this host has nothing to do with {what}"))
}

fn over(rule: &str, what: &str, wanted: u64, cap: u64) -> Result<(), Refusal> {
    if wanted <= cap {
        return Ok(());
    }
    Err(Refusal::new(rule, format!("too many {what}: {wanted}, at most {cap} are allowed here")))
}

/// What has to be fetched for a job, if nothing is here yet.
pub(crate) fn input_bytes(job: &JobSpec) -> u64 {
    job.blobs().fold(0, |sum, blob| sum.saturating_add(blob.size_bytes))
}

/// What a job may take of this machine's memory. Buffers are counted as memory: on the reference device they are.
pub(crate) fn memory_bytes(job: &JobSpec) -> u64 {
    job.limits.memory_bytes.saturating_add(job.limits.gpu_memory_bytes)
}

#[cfg(test)]
mod tests;
