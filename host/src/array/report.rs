//! What an array came to, for people and for programs.

use std::collections::BTreeMap;
use std::path::Path;

use samebit_runner::spec::{HostKey, Outcome, Profile};
use serde_json::{Value, json};

use super::compare::Agreement;
use super::drive::Record;
use super::plan::Plan;
use super::results::{JobResult, Results, Standing};
use crate::cli::report::outcome_json;
use crate::output::{BAD, GOOD, Text, UNSURE, counted};

/// The most jobs that are listed for people.
const LISTED_MAX: usize = 20;

/// Everything that there is to tell.
pub(crate) struct Report<'a> {
    /// The jobs.
    pub(crate) plan: &'a Plan,
    /// What they came to.
    pub(crate) results: &'a Results,
    /// How each host did.
    pub(crate) records: &'a BTreeMap<HostKey, Record>,
    /// Hosts that were given nothing.
    pub(crate) left_out: &'a [(HostKey, String)],
    /// Where outputs went.
    pub(crate) out: Option<&'a Path>,
}

impl Report<'_> {
    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        let tally = self.results.tally();
        let jobs = (0..self.plan.len()).map(|job| self.job_json(job)).collect::<Vec<_>>();
        let left_out = self.left_out.iter().map(|(host, why)| json!({ "host": host.to_string(), "why": why }));
        json!({
            "array": self.plan.id().to_string(),
            "ok": tally.done,
            "failed": tally.negative,
            "differing": tally.differing,
            "missing": tally.missing,
            "jobs": jobs,
            "hosts": self.records.iter().map(host_json).collect::<Vec<_>>(),
            "left_out": left_out.collect::<Vec<_>>(),
        })
    }

    fn job_json(&self, number: usize) -> Value {
        let job = &self.results.jobs()[number];
        let receipts = job.replicas.iter().map(|replica| {
            json!({
                "id": replica.receipt.to_string(),
                "host": replica.host.to_string(),
                "outcome": replica.outcome.id().to_string(),
            })
        });
        let odd = match job.agreement() {
            Some(Agreement::Odd(_, hosts) | Agreement::Tie(hosts)) => hosts,
            _ => Vec::new(),
        };
        let standing = self.results.standing(number);
        let outcome = agreed(job).map_or(Value::Null, |outcome| self.outcome_json(number, outcome, standing));
        json!({
            "label": self.plan.entry(number).label,
            "job": self.plan.job_id(number).to_string(),
            "standing": word(standing),
            "outcome": outcome,
            "receipts": receipts.collect::<Vec<_>>(),
            "differing_hosts": odd.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "why": job.why.as_ref().filter(|_| standing == Standing::Missing),
        })
    }

    fn outcome_json(&self, number: usize, outcome: &Outcome, standing: Standing) -> Value {
        let folder = self.out.filter(|_| standing != Standing::Missing);
        let folder = folder.map(|out| out.join(&self.plan.entry(number).label));
        let path = |folder: &std::path::PathBuf| {
            let names = outcome.outputs.keys();
            names.map(|name| (name.clone(), folder.join(name.as_str()))).collect::<BTreeMap<_, _>>()
        };
        outcome_json(outcome, &folder.as_ref().map(path).unwrap_or_default())
    }

    /// For people.
    pub(crate) fn show(&self, text: &mut Text) {
        let tally = self.results.tally();
        let all = self.plan.len();
        let jobs = counted(all, "job");
        let right = tally.done + tally.negative;
        match (tally.differing, tally.missing) {
            (0, 0) if tally.negative == 0 => text.headline(GOOD, "done", &format!(": {jobs}")),
            (0, 0) => text.headline(BAD, "done", &format!(": {jobs}, {} of which failed", tally.negative)),
            (0, missing) => text.headline(UNSURE, "unfinished", &format!(": {right} of {jobs}, {missing} missing")),
            (differing, _) => {
                text.headline(BAD, "differs", &format!(": hosts do not agree on {differing} of {jobs}"));
            }
        }
        for (standing, style) in [(Standing::Differs, BAD), (Standing::Missing, UNSURE), (Standing::Negative, BAD)] {
            let jobs = (0..all).filter(|job| self.results.standing(*job) == standing).collect::<Vec<_>>();
            for job in jobs.iter().take(LISTED_MAX) {
                text.headline(style, word(standing), &format!(" {}", self.sentence(*job, standing)));
            }
            if let more @ 1.. = jobs.len().saturating_sub(LISTED_MAX) {
                text.line(&format!("and {more} more; --json lists all"));
            }
        }
        for (host, record) in self.records {
            let dropped = record.dropped.as_ref().map(|why| format!(", then dropped: {why}")).unwrap_or_default();
            text.field("host", format_args!("{host} did {}, failed at {}{dropped}", record.done, record.failed));
        }
        for (host, why) in self.left_out {
            text.field("left out", format_args!("{host}: {why}"));
        }
    }

    fn sentence(&self, number: usize, standing: Standing) -> String {
        let label = &self.plan.entry(number).label;
        let job = &self.results.jobs()[number];
        match standing {
            Standing::Differs => format!("job {label}: {}", self.odd_ones(job)),
            Standing::Missing => {
                let why = job.why.as_deref().unwrap_or("no host was left for it");
                format!("job {label}, {}: {why}", counted(job.replicas.len(), "receipt"))
            }
            _ => {
                let status = agreed(job).map(|outcome| outcome.status.to_string()).unwrap_or_default();
                format!("job {label}: {status}")
            }
        }
    }

    fn odd_ones(&self, job: &JobResult) -> String {
        let list = |hosts: &[HostKey]| {
            let of = |host: &HostKey| job.replicas.iter().find(|replica| replica.host == *host);
            let outcome = |host| of(host).map(|replica| replica.outcome.id().short()).unwrap_or_default();
            hosts.iter().map(|host| format!("{host} ({})", outcome(host))).collect::<Vec<_>>().join(", ")
        };
        let note = match self.plan.common().profile {
            Profile::Exact => "",
            Profile::Native => {
                "; native outcomes may differ honestly between classes of device: `samebit verify` can tell"
            }
        };
        match job.agreement() {
            Some(Agreement::Odd(outcome, hosts)) => {
                format!(
                    "the odd one out of {} is {}; the others have {}{note}",
                    job.replicas.len(),
                    list(&hosts),
                    outcome.short()
                )
            }
            Some(Agreement::Tie(hosts)) => format!("no outcome has a majority: {}{note}", list(&hosts)),
            _ => String::new(),
        }
    }
}

/// The outcome that most hosts agree on.
fn agreed(job: &JobResult) -> Option<&Outcome> {
    job.agreement().and_then(|agreement| agreement.outcome()).and_then(|id| job.outcome(&id))
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Done => "ok",
        Standing::Negative => "failed",
        Standing::Differs => "differs",
        Standing::Missing => "missing",
    }
}

fn host_json((host, record): (&HostKey, &Record)) -> Value {
    json!({ "host": host.to_string(), "done": record.done, "failed": record.failed, "dropped": record.dropped })
}
