//! What an array came to so far, job by job. Pure.

use samebit_runner::spec::{HostKey, Outcome, OutcomeId, Receipt, ReceiptId, Status};

use super::compare::Agreement;
use crate::error::Exit;

/// What one host signed for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replica {
    /// The host.
    pub(crate) host: HostKey,
    /// Its receipt.
    pub(crate) receipt: ReceiptId,
    /// What it says that the job came to.
    pub(crate) outcome: Outcome,
}

/// What a job came to.
#[derive(Debug, Default)]
pub(crate) struct JobResult {
    /// By host, in the order in which they came.
    pub(crate) replicas: Vec<Replica>,
    /// Why it was not done at the last host that failed.
    pub(crate) why: Option<String>,
    /// The receipts, until they were written.
    receipts: Vec<Receipt>,
    settled: bool,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Done as often as wanted, everybody agrees, and the guest returned success.
    Done,
    /// The same, but the job failed, trapped or reached a limit.
    Negative,
    /// Hosts do not agree.
    Differs,
    /// Too few hosts have done it, or it could not be written.
    Missing,
}

/// How many jobs stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// [`Standing::Done`].
    pub(crate) done: usize,
    /// [`Standing::Negative`].
    pub(crate) negative: usize,
    /// [`Standing::Differs`].
    pub(crate) differing: usize,
    /// [`Standing::Missing`].
    pub(crate) missing: usize,
}

/// What all jobs came to.
#[derive(Debug)]
pub(crate) struct Results {
    wanted: usize,
    jobs: Vec<JobResult>,
}

impl Results {
    /// Nothing yet of so many jobs, each wanted from so many hosts.
    pub(crate) fn new(jobs: usize, wanted: usize) -> Self {
        Self { wanted, jobs: std::iter::repeat_with(JobResult::default).take(jobs).collect() }
    }

    /// Adds a receipt, unless that host's is there.
    pub(crate) fn add(&mut self, number: usize, receipt: Receipt) {
        let job = &mut self.jobs[number];
        if job.replicas.iter().any(|replica| replica.host == receipt.host) {
            return;
        }
        let (host, outcome) = (receipt.host, receipt.outcome.clone());
        job.replicas.push(Replica { host, receipt: receipt.id(), outcome });
        job.receipts.push(receipt);
    }

    /// Notes that there is nothing more to write of a job, unless more hosts are wanted now than when it was written.
    pub(crate) fn settle(&mut self, number: usize) {
        let job = &mut self.jobs[number];
        if job.replicas.len() < self.wanted {
            return;
        }
        job.settled = true;
        job.receipts = Vec::new();
    }

    /// Notes why a job came to nothing somewhere.
    pub(crate) fn failed(&mut self, number: usize, why: String) {
        self.jobs[number].why = Some(why);
    }

    /// All jobs by number.
    pub(crate) fn jobs(&self) -> &[JobResult] {
        &self.jobs
    }

    /// The receipts of a job, if it has as many as wanted and they are yet to be written.
    pub(crate) fn unsettled(&self, number: usize) -> Option<&[Receipt]> {
        let job = &self.jobs[number];
        (job.replicas.len() >= self.wanted && !job.settled).then_some(&job.receipts)
    }

    /// How many jobs there is something to do for.
    pub(crate) fn unfinished(&self) -> usize {
        self.jobs.iter().filter(|job| !job.settled).count()
    }

    /// Where a job stands.
    pub(crate) fn standing(&self, number: usize) -> Standing {
        let job = &self.jobs[number];
        match job.agreement() {
            Some(Agreement::Odd(..) | Agreement::Tie(_)) => Standing::Differs,
            Some(Agreement::Same(_)) if job.settled => match job.replicas.first() {
                Some(replica) if replica.outcome.status == Status::Ok => Standing::Done,
                _ => Standing::Negative,
            },
            _ => Standing::Missing,
        }
    }

    /// How many jobs stand where.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for number in 0..self.jobs.len() {
            match self.standing(number) {
                Standing::Done => tally.done += 1,
                Standing::Negative => tally.negative += 1,
                Standing::Differs => tally.differing += 1,
                Standing::Missing => tally.missing += 1,
            }
        }
        tally
    }
}

impl JobResult {
    /// What its outcomes have to do with each other.
    pub(crate) fn agreement(&self) -> Option<Agreement> {
        let outcomes = self.replicas.iter().map(|replica| (replica.host, replica.outcome.id())).collect::<Vec<_>>();
        Agreement::of(&outcomes)
    }

    /// The outcome of that id.
    pub(crate) fn outcome(&self, id: &OutcomeId) -> Option<&Outcome> {
        self.replicas.iter().map(|replica| &replica.outcome).find(|outcome| outcome.id() == *id)
    }
}

impl Tally {
    /// How the program ends: hosts that do not agree weigh most, then jobs that nobody has done.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self { differing: 1.., .. } => Exit::Negative,
            Self { missing: 1.., .. } => Exit::Host,
            Self { negative: 1.., .. } => Exit::Negative,
            _ => Exit::Ok,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::plan::tests::numbers;
    use crate::array::state::tests::receipt;

    #[test]
    fn a_job_is_done_once_enough_hosts_agree_and_it_is_written() {
        let plan = numbers("0..1");
        let mut results = Results::new(1, 2);
        results.add(0, receipt(&plan, 0, 1, 7));
        assert_eq!((results.standing(0), results.unsettled(0).is_some()), (Standing::Missing, false));
        results.add(0, receipt(&plan, 0, 1, 7));
        assert!(results.unsettled(0).is_none(), "one host counts once");
        results.add(0, receipt(&plan, 0, 2, 7));
        assert_eq!(results.unsettled(0).map(<[_]>::len), Some(2));
        assert_eq!(results.standing(0), Standing::Missing, "not yet written");
        results.settle(0);
        assert_eq!((results.standing(0), results.unsettled(0).is_some()), (Standing::Done, false));
        assert_eq!(results.tally().exit(), Exit::Ok);
    }

    #[test]
    fn what_was_written_for_fewer_hosts_is_not_finished() {
        let plan = numbers("0..1");
        let mut results = Results::new(1, 2);
        results.add(0, receipt(&plan, 0, 1, 7));
        results.settle(0);
        assert_eq!((results.standing(0), results.unfinished()), (Standing::Missing, 1));
        // Hosts that differ are known to differ before the last one has answered.
        let mut results = Results::new(1, 3);
        results.add(0, receipt(&plan, 0, 1, 7));
        results.add(0, receipt(&plan, 0, 2, 8));
        assert_eq!((results.standing(0), results.unfinished()), (Standing::Differs, 1));
    }

    #[test]
    fn a_forged_outcome_is_named_and_weighs_more_than_what_is_missing() {
        let plan = numbers("0..2");
        let mut results = Results::new(2, 3);
        for (key, fuel) in [(1, 7), (2, 8), (3, 7)] {
            results.add(0, receipt(&plan, 0, key, fuel));
        }
        results.settle(0);
        let odd = receipt(&plan, 0, 2, 8).host;
        let Some(Agreement::Odd(outcome, hosts)) = results.jobs()[0].agreement() else { panic!("two agree") };
        assert_eq!((hosts, outcome), (vec![odd], receipt(&plan, 0, 1, 7).outcome.id()));
        assert_eq!(results.tally(), Tally { differing: 1, missing: 1, ..Tally::default() });
        assert_eq!(results.tally().exit(), Exit::Negative);
        assert_eq!(Tally { missing: 1, negative: 1, ..Tally::default() }.exit(), Exit::Host);
    }
}
