//! Nodes on loopback, a service that plays jobs by a script, and bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use samebit_net::message::{
    Accepted, ChainItem, EventKind, HostInfo, JobEvent, JobState, JobStatus, Load, LocalRequest, LocalResponse,
    OnDisconnect, Provider, Refusal, Submit, Text, rule,
};
use samebit_net::store::Store;
use samebit_net::{
    Answer, Answers, CancelReason, MayServe, Node, NodeConfig, Peer, PeerBounds, Reach, Server, ServerBounds, Service,
};
use samebit_spec::{BlobRef, HostKey, JobId, JobSpec, Limits, Measured, Outcome, Profile, Receipt, SecretKey, Status};
use tempfile::TempDir;
use tokio::sync::watch;

/// Nothing here may take longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that must happen soon.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("in time")
}

/// Folders for one test.
pub(crate) struct Lab {
    folder: PathBuf,
    bounds: ServerBounds,
    /// Removed with the lab, unless the folder is another's.
    _temporary: Option<TempDir>,
}

/// A node with what is behind it.
pub(crate) struct Machine {
    pub(crate) node: Node,
    pub(crate) store: Store,
    pub(crate) script: Arc<Script>,
    pub(crate) server: Server,
}

pub(crate) fn key(number: u8) -> SecretKey {
    SecretKey::from_bytes(&[number; 32])
}

impl Lab {
    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().expect("folder");
        let lab = Self::at(temporary.path());
        Self { _temporary: Some(temporary), ..lab }
    }

    /// In a folder of another lab's.
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), bounds: ServerBounds::default(), _temporary: None }
    }

    pub(crate) fn with_bounds(bounds: ServerBounds) -> Self {
        Self { bounds, ..Self::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) async fn store(&self, number: u8) -> Store {
        Store::open(&self.path(&format!("store-{number}")), PATIENCE).await.expect("store")
    }

    /// A machine that serves every blob to everybody.
    pub(crate) async fn machine(&self, number: u8) -> Machine {
        self.machine_that(number, everything()).await
    }

    pub(crate) async fn machine_that(&self, number: u8, may_serve: MayServe) -> Machine {
        let store = self.store(number).await;
        let script = Arc::new(Script::new(key(number)));
        let server = Server::new(script.clone(), self.bounds.clone());
        let config = NodeConfig {
            key: key(number),
            bind: Vec::new(),
            reach: Reach::Offline,
            connect_time: Duration::from_secs(2),
            server: Some(server.clone()),
            may_serve: Some(may_serve),
            gossip: true,
        };
        let node = Node::start(config, &store).await.expect("node");
        Machine { node, store, script, server }
    }
}

impl Machine {
    pub(crate) fn provider(&self) -> Provider {
        self.node.provider()
    }

    pub(crate) async fn add(&self, bytes: &[u8]) -> BlobRef {
        let (blob, pin) = self.store.import_bytes(bytes.to_vec().into()).await.expect("imported");
        drop(pin);
        blob
    }

    /// A connection for blobs that goes around everything of ours on the asking side.
    pub(crate) async fn raw_connection(&self, to: &Provider) -> iroh::endpoint::Connection {
        use iroh::endpoint::{Endpoint, presets};
        let id = iroh::EndpointId::from_bytes(to.host.as_bytes()).expect("key");
        let address = to.addresses.iter().fold(iroh::EndpointAddr::new(id), |address, ip| address.with_ip_addr(*ip));
        let endpoint = Endpoint::builder(presets::Minimal).relay_mode(iroh::RelayMode::Disabled);
        let endpoint = soon(endpoint.bind()).await.expect("bound");
        let connection = soon(endpoint.connect(address, iroh_blobs::ALPN)).await.expect("connected");
        // Closed by the end of the test.
        std::mem::forget(endpoint);
        connection
    }

    pub(crate) async fn stop(self) {
        self.node.stop().await;
        self.store.close().await.expect("closed");
    }
}

pub(crate) fn everything() -> MayServe {
    Arc::new(|_, _| Box::pin(async { true }))
}

/// Bytes that look random and depend on the seed alone.
pub(crate) fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(size).collect()
}

pub(crate) fn job(name: &str) -> JobSpec {
    JobSpec {
        module: BlobRef::of(b"a module"),
        args: vec![name.to_owned()],
        inputs: BTreeMap::new(),
        limits: Limits::default(),
        profile: Profile::Exact,
        tolerances: BTreeMap::new(),
    }
}

pub(crate) fn submit(name: &str, on_disconnect: OnDisconnect) -> Submit {
    Submit { job: job(name), publication: None, providers: Vec::new(), on_disconnect }
}

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
    fn new(key: SecretKey) -> Self {
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
                let published = LocalResponse::Published { blob, ticket: Text::fit("a ticket") };
                Ok(stream::iter([Ok(published)]).boxed())
            }),
            _ => Box::pin(async { Ok(stream::empty().boxed()) }),
        };
        answer
    }
}
