//! A service that plays jobs by a script.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use samebit_net::message::{
    Accepted, ChainItem, EventKind, HostInfo, JobEvent, JobState, JobStatus, Load, LocalRequest, LocalResponse,
    Refusal, Submit, Text, rule,
};
use samebit_net::{Answer, Answers, CancelReason, Peer, PeerBounds, Service};
use samebit_spec::{BlobRef, HostKey, JobId, JobSpec, Limits, Measured, Outcome, Receipt, SecretKey, Status};
use tokio::sync::watch;

/// A service that plays each job: it is queued, runs, and ends when it is told to.
pub(crate) struct Script {
    key: SecretKey,
    jobs: Mutex<BTreeMap<JobId, Played>>,
    pub(crate) bounds: Mutex<PeerBounds>,
    pub(crate) denied: Mutex<Vec<HostKey>>,
}

struct Played {
    spec: JobSpec,
    story: watch::Sender<Vec<EventKind>>,
    cancelled: Option<CancelReason>,
}

impl Script {
    pub(crate) fn new(key: SecretKey) -> Self {
        Self { key, jobs: Mutex::default(), bounds: Mutex::default(), denied: Mutex::default() }
    }

    pub(crate) fn happen(&self, job: JobId, kind: EventKind) {
        let jobs = self.jobs.lock().expect("jobs");
        jobs.get(&job).expect("known").story.send_modify(|story| story.push(kind));
    }

    pub(crate) fn receipt(&self, job: JobId) -> Receipt {
        let spec = self.jobs.lock().expect("jobs").get(&job).expect("known").spec.clone();
        receipt(spec, &self.key)
    }

    pub(crate) fn finish(&self, job: JobId) {
        let receipt = self.receipt(job).encode();
        self.happen(job, EventKind::Done { receipt });
    }

    pub(crate) fn cancelled(&self, job: JobId) -> Option<CancelReason> {
        self.jobs.lock().expect("jobs").get(&job).and_then(|played| played.cancelled)
    }

    pub(crate) fn is_known(&self, job: JobId) -> bool {
        self.jobs.lock().expect("jobs").contains_key(&job)
    }
}

pub(crate) fn receipt(job: JobSpec, key: &SecretKey) -> Receipt {
    let outcome = Outcome { status: Status::Ok, outputs: BTreeMap::new(), log: BlobRef::of(b""), fuel: 1 };
    let measured = Measured {
        program: "samebit test".to_owned(),
        started_unix_ms: 0,
        run_time_us: 0,
        memory_peak_bytes: 0,
        gpu_memory_peak_bytes: 0,
        dispatches: 0,
        device: None,
        energy_mj: None,
    };
    Receipt::sign(job, outcome, measured, key)
}

fn unknown() -> Refusal {
    Refusal::new(rule::UNKNOWN_JOB, "no such job")
}

impl Service for Script {
    fn admit(&self, peer: Peer) -> Result<PeerBounds, Refusal> {
        match peer {
            Peer::Remote(key) if self.denied.lock().expect("denied").contains(&key) => {
                Err(Refusal::new("submitter.deny", "not you"))
            }
            _ => Ok(self.bounds.lock().expect("bounds").clone()),
        }
    }

    fn info(&self, _peer: Peer) -> Answer<'_, HostInfo> {
        let info = HostInfo {
            host: self.key.public(),
            program: Text::fit("samebit test"),
            devices: Vec::new(),
            caps: Limits::default(),
            load: Load::default(),
            price: None,
            labels: Vec::new(),
            receipts: 0,
        };
        Box::pin(async { Ok(info) })
    }

    fn submit(&self, _peer: Peer, submit: Submit) -> Answer<'_, Accepted> {
        let job = submit.job.id();
        let mut jobs = self.jobs.lock().expect("jobs");
        let known = jobs.contains_key(&job);
        jobs.entry(job).or_insert_with(|| Played {
            spec: submit.job,
            story: watch::Sender::new(vec![EventKind::Queued { position: 0 }, EventKind::Running]),
            cancelled: None,
        });
        Box::pin(async move { Ok(Accepted { job, known }) })
    }

    fn events(&self, _peer: Peer, job: JobId, from_seq: u64) -> Answer<'_, Answers<JobEvent>> {
        let story = self.jobs.lock().expect("jobs").get(&job).map(|played| played.story.subscribe());
        Box::pin(async move {
            let story = story.ok_or_else(unknown)?;
            let events = stream::unfold((story, from_seq as usize), |(mut story, next)| async move {
                let kind = story.wait_for(|story| story.len() > next).await.ok()?[next].clone();
                Some((Ok(JobEvent { seq: next as u64, kind }), (story, next + 1)))
            });
            Ok(events.boxed())
        })
    }

    fn cancel(&self, _peer: Peer, job: JobId, reason: CancelReason) -> Answer<'_, ()> {
        let cancelled = match self.jobs.lock().expect("jobs").get_mut(&job) {
            Some(played) => {
                played.cancelled = Some(reason);
                played.story.send_modify(|story| story.push(EventKind::Cancelled));
                Ok(())
            }
            None => Err(unknown()),
        };
        Box::pin(async { cancelled })
    }

    fn status(&self, _peer: Peer, job: Option<JobId>) -> Answer<'_, Vec<JobStatus>> {
        let jobs = self.jobs.lock().expect("jobs");
        let wanted = jobs.iter().filter(|(id, _)| job.is_none_or(|job| job == **id));
        let found = wanted.map(|(id, played)| JobStatus {
            job: *id,
            state: JobState::Running,
            accepted_unix_ms: 0,
            last_seq: played.story.borrow().len() as u64 - 1,
            receipt: None,
        });
        let found = found.collect();
        Box::pin(async { Ok(found) })
    }

    fn receipts(&self, _peer: Peer, from_seq: u64, count_max: u32) -> Answer<'_, Answers<ChainItem>> {
        let items = (from_seq..10).take(count_max as usize);
        let items = items.map(|seq| Ok(ChainItem { entry: vec![seq as u8], receipt: vec![seq as u8] }));
        Box::pin(async { Ok(stream::iter(items).boxed()) })
    }

    fn local(&self, request: LocalRequest) -> Answer<'_, Answers<LocalResponse>> {
        let answer: BoxFuture<'_, _> = match request {
            LocalRequest::Publish { path } => Box::pin(async move {
                let blob = BlobRef::of(path.as_bytes());
                let published =
                    LocalResponse::Published { blob, ticket: Text::fit("a ticket"), list_ticket: Text::fit("a list") };
                Ok(stream::iter([Ok(published)]).boxed())
            }),
            _ => Box::pin(async { Ok(stream::empty().boxed()) }),
        };
        answer
    }
}
