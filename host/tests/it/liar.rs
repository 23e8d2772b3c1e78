//! A host that takes every job, runs none, and signs an outcome of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use samebit_net::message::{
    Accepted, ChainItem, DeviceOffer, EventKind, HostInfo, JobEvent, JobStatus, Load, LocalRequest, LocalResponse,
    Refusal, Submit, Text, rule,
};
use samebit_net::store::Store;
use samebit_net::{
    Answer, Answers, CancelReason, Node, NodeConfig, Peer, PeerBounds, Reach, Server, ServerBounds, Service,
};
use samebit_runner::spec::{BlobRef, JobId, JobSpec, Limits, Measured, Name, Outcome, Receipt, SecretKey, Status};
use tokio::runtime::Runtime;

use crate::support::Desk;

/// A host of this process. Gone when this is dropped.
pub(crate) struct Liar {
    ticket: String,
    _node: Node,
    _runtime: Runtime,
}

/// What it says that a job came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Success, without an output.
    Nothing,
    /// An output that it then hands out to nobody.
    Withheld,
}

struct Lies {
    key: SecretKey,
    lie: Lie,
    jobs: Mutex<BTreeMap<JobId, JobSpec>>,
}

impl Liar {
    /// Starts it on a store of this name.
    pub(crate) fn start(desk: &Desk, store: &str, lie: Lie) -> Self {
        let runtime = Runtime::new().expect("threads");
        let key = SecretKey::from_bytes(&[99; 32]);
        let folder = desk.path(store);
        let node = runtime.block_on(async {
            let store = Store::open(&folder, Duration::from_secs(10)).await.expect("a store");
            let lies = Lies { key: key.clone(), lie, jobs: Mutex::default() };
            let config = NodeConfig {
                key: key.clone(),
                bind: Vec::new(),
                reach: Reach::Offline,
                connect_time: Duration::from_secs(10),
                server: Some(Server::new(Arc::new(lies), ServerBounds::default())),
                may_serve: None,
                may_send: None,
                gossip: false,
            };
            Node::start(config, &store).await.expect("a node")
        });
        Self { ticket: node.provider().ticket().expect("a ticket"), _node: node, _runtime: runtime }
    }

    /// How to reach it.
    pub(crate) fn ticket(&self) -> &str {
        &self.ticket
    }

    /// Its key.
    pub(crate) fn key() -> String {
        SecretKey::from_bytes(&[99; 32]).public().to_string()
    }
}

impl Lies {
    fn receipt(&self, job: JobSpec) -> Receipt {
        let outputs = match self.lie {
            Lie::Nothing => BTreeMap::new(),
            Lie::Withheld => BTreeMap::from([(Name::new("stdout").expect("a name"), BlobRef::of(b"what nobody has"))]),
        };
        let outcome = Outcome { status: Status::Ok, outputs, log: BlobRef::of(b""), fuel: 1 };
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
        Receipt::sign(job, outcome, measured, &self.key)
    }
}

fn unknown<T>() -> Result<T, Refusal> {
    Err(Refusal::new(rule::UNKNOWN_JOB, "no such job"))
}

impl Service for Lies {
    fn admit(&self, _peer: Peer) -> Result<PeerBounds, Refusal> {
        Ok(PeerBounds::default())
    }

    fn info(&self, _peer: Peer) -> Answer<'_, HostInfo> {
        let device = DeviceOffer {
            name: Text::fit("a fine device"),
            driver: Text::fit("1"),
            backend: Text::fit("cpu"),
            exact: true,
            native: true,
        };
        let info = HostInfo {
            host: self.key.public(),
            program: Text::fit("samebit test"),
            devices: vec![device],
            caps: Limits::default(),
            load: Load { slots: 4, queue_max: 100, ..Load::default() },
            price: None,
            labels: Vec::new(),
            receipts: 0,
        };
        async { Ok(info) }.boxed()
    }

    fn submit(&self, _peer: Peer, submit: Submit) -> Answer<'_, Accepted> {
        let job = submit.job.id();
        let known = self.jobs.lock().expect("jobs").insert(job, submit.job).is_some();
        async move { Ok(Accepted { job, known }) }.boxed()
    }

    fn events(&self, _peer: Peer, job: JobId, from_seq: u64) -> Answer<'_, Answers<JobEvent>> {
        let spec = self.jobs.lock().expect("jobs").get(&job).cloned();
        async move {
            let Some(spec) = spec else { return unknown() };
            let kinds = [EventKind::Running, EventKind::Done { receipt: self.receipt(spec).encode() }];
            let events = (0..).zip(kinds).map(|(seq, kind)| Ok(JobEvent { seq, kind })).skip(from_seq as usize);
            Ok(stream::iter(events.collect::<Vec<_>>()).boxed())
        }
        .boxed()
    }

    fn cancel(&self, _peer: Peer, _job: JobId, _reason: CancelReason) -> Answer<'_, ()> {
        async { unknown() }.boxed()
    }

    fn status(&self, _peer: Peer, _job: Option<JobId>) -> Answer<'_, Vec<JobStatus>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn receipts(&self, _peer: Peer, _from_seq: u64, _count_max: u32) -> Answer<'_, Answers<ChainItem>> {
        async { Ok(stream::empty().boxed()) }.boxed()
    }

    fn local(&self, _request: LocalRequest) -> Answer<'_, Answers<LocalResponse>> {
        async { unknown() }.boxed()
    }
}
