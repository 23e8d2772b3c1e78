//! A host in one process: what it takes on is done once, whatever happens in between.

mod keeping;
mod sharing;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Instant, SystemTime};

use futures_util::future::BoxFuture;
use samebit_net::message::{Accepted, OnDisconnect, Provider, Submit};
use samebit_reference::ReferenceDevice;
use samebit_runner::Host;
use samebit_runner::engine::Engine;
use samebit_runner::spec::{BlobRef, HostKey, JobSpec, Limits, Profile, Receipt, SecretKey};
use samebit_runner::store::Store;

use super::*;
use crate::daemon::disk::Bounds;
use crate::daemon::policy::PolicyFile;

/// Ends at once.
const EMPTY: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
/// Never ends by itself.
const SPIN: &str = r#"(module (memory (export "memory") 1) (func (export "_start") (loop $l br $l)))"#;

/// Gets blobs out of the air: their bytes were told before.
#[derive(Clone, Default)]
struct Air {
    store: Arc<Mutex<Option<Store>>>,
    blobs: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Fetch for Air {
    fn fetch(
        &self,
        _job: JobId,
        blobs: Vec<BlobRef>,
        _providers: Vec<Provider>,
        told: Told,
    ) -> BoxFuture<'static, Result<(), String>> {
        let air = self.clone();
        Box::pin(async move {
            let store = air.store.lock().expect("no panic").clone().expect("set");
            for blob in blobs {
                let bytes =
                    air.blobs.lock().expect("no panic").iter().find(|bytes| BlobRef::of(bytes) == blob).cloned();
                let bytes = bytes.ok_or("nobody has it")?;
                told(blob, blob.size_bytes);
                let (_, pin) = store.import_bytes(bytes.into()).await.map_err(|error| error.to_string())?;
                drop(pin);
            }
            Ok(())
        })
    }
}

struct Desk {
    jobs: Jobs,
    air: Air,
}

const KEY: [u8; 32] = [7; 32];

impl Desk {
    async fn open(folder: &Path, slots: usize) -> Self {
        Self::open_within(folder, slots, Bounds::default()).await
    }

    async fn open_within(folder: &Path, slots: usize, bounds: Bounds) -> Self {
        let store = Store::open(&folder.join("store"), Duration::from_secs(10)).await.expect("a store");
        store.keep_accounts().await.expect("accounts");
        let room = Room::new(store.clone(), folder, bounds, Arc::default());
        let air = Air::default();
        let modules = [EMPTY, SPIN].map(|text| wat::parse_str(text).expect("valid"));
        air.blobs.lock().expect("no panic").extend(modules);
        *air.store.lock().expect("no panic") = Some(store.clone());
        let device = Arc::new(ReferenceDevice::new().expect("this CPU"));
        let host = Host {
            engine: Engine::new(None).expect("an engine"),
            store,
            device: Arc::new(move || Ok(device.clone() as _)),
            caps: crate::config::caps(),
            wall_time: None,
            clock: SystemTime::now,
            program: "test".to_owned(),
        };
        let (state, found) = State::open(&folder.join("state.redb")).expect("a state");
        let means = Means {
            machine: Machine { host, key: SecretKey::from_bytes(&KEY) },
            state,
            policy: toml::from_str::<PolicyFile>("submitters.allow = ['any']").expect("valid").resolve(None),
            caps: HostCaps { queued: 1_000, memory_bytes: 16 << 30 },
            slots,
            fetch: Arc::new(air.clone()),
            guests: Handle::current(),
            metrics: Arc::default(),
            spent: Arc::new(Spent::new(Instant::now())),
            open: Arc::default(),
            room,
        };
        Self { jobs: Jobs::start(means, found).await.expect("started"), air }
    }

    /// A job of its own for each number.
    fn job(text: &str, number: u32) -> JobSpec {
        let module = BlobRef::of(&wat::parse_str(text).expect("valid"));
        let (inputs, limits) = (BTreeMap::new(), Limits { fuel: u64::MAX, ..Limits::default() });
        let limits = Limits { fuel: 1_000_000_000_000, ..limits };
        JobSpec {
            module,
            args: vec![number.to_string()],
            inputs,
            limits,
            profile: Profile::Exact,
            tolerances: BTreeMap::new(),
        }
    }

    /// A job that writes little.
    fn within(mut job: JobSpec, output_bytes: u64) -> JobSpec {
        job.limits.output_bytes = output_bytes;
        job
    }

    async fn submit(&self, peer: Peer, job: &JobSpec) -> Accepted {
        self.try_submit(peer, job).await.expect("accepted")
    }

    async fn try_submit(&self, peer: Peer, job: &JobSpec) -> Result<Accepted, Refusal> {
        let (providers, on_disconnect) = (Vec::new(), OnDisconnect::Detach);
        self.jobs.submit(peer, Submit { job: job.clone(), publication: None, providers, on_disconnect }).await
    }

    async fn last(&self, peer: Peer, job: &JobSpec) -> EventKind {
        let events = self.jobs.events(peer, &job.id(), 0).expect("known");
        let all: Vec<_> = events.map(|event| event.expect("told")).collect().await;
        assert!(all.is_sorted_by_key(|event| event.seq));
        all.last().expect("it ended").kind.clone()
    }

    async fn running(&self, job: &JobSpec) {
        let mut events = self.jobs.events(Peer::Local, &job.id(), 0).expect("known");
        while events.next().await.expect("running").expect("told").kind != EventKind::Running {}
    }

    /// Returns when a job has what it needs and waits for its turn.
    async fn lined_up(&self, job: &JobSpec) {
        let events = self.jobs.events(Peer::Local, &job.id(), 0).expect("known");
        let mut later = events.skip_while(|event| {
            let is_before = matches!(event.as_ref().expect("told").kind, EventKind::Queued { .. });
            std::future::ready(is_before)
        });
        while !matches!(later.next().await.expect("waiting").expect("told").kind, EventKind::Queued { .. }) {}
    }

    /// Ends as a killed process does, as far as one process can.
    async fn drop_dead(self) {
        self.jobs.lock().stopping = true;
        self.jobs.lock().abort_all();
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.jobs.means().machine.host.store.close().await.expect("closed");
    }
}

fn peer(byte: u8) -> Peer {
    Peer::Remote(HostKey::from_bytes([byte; 32]))
}

fn receipt(event: EventKind) -> Receipt {
    match event {
        EventKind::Done { receipt } => Receipt::decode(&receipt).expect("a receipt"),
        other => panic!("no receipt: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_job_runs_once_for_all_who_submit_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path(), 2).await;
    let job = Desk::job(EMPTY, 0);
    assert!(!desk.submit(peer(1), &job).await.known);
    let first = receipt(desk.last(peer(1), &job).await);
    assert!(desk.jobs.events(peer(2), &job.id(), 0).is_err(), "a stranger does not see it");
    assert!(desk.submit(peer(2), &job).await.known);
    assert_eq!(receipt(desk.last(peer(2), &job).await), first);
    assert_eq!(desk.jobs.receipts(), 1);
    let status = desk.jobs.status(peer(2), None).expect("listed");
    assert_eq!((status.len(), status[0].state, status[0].receipt), (1, JobState::Done, Some(first.id())));
    assert!(desk.jobs.status(peer(3), None).expect("listed").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_is_cancelled_within_100_ms_and_may_be_submitted_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path(), 1).await;
    let (spin, waits) = (Desk::job(SPIN, 0), Desk::job(EMPTY, 1));
    desk.submit(peer(1), &spin).await;
    desk.running(&spin).await;
    desk.submit(peer(1), &waits).await;
    assert!(desk.jobs.cancel(peer(2), &spin.id(), CancelReason::Asked).await.is_err(), "a stranger's");
    let asked = Instant::now();
    desk.jobs.cancel(peer(1), &spin.id(), CancelReason::Asked).await.expect("cancelled");
    assert_eq!(desk.last(peer(1), &spin).await, EventKind::Cancelled);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    receipt(desk.last(peer(1), &waits).await);
    assert!(!desk.submit(peer(1), &spin).await.known, "it begins anew");
    desk.running(&spin).await;
    desk.jobs.cancel(peer(1), &spin.id(), CancelReason::Asked).await.expect("cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_is_cancelled_and_a_job_of_two_is_not_lost_with_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path(), 1).await;
    let (spin, waits) = (Desk::job(SPIN, 0), Desk::job(EMPTY, 1));
    desk.submit(peer(1), &spin).await;
    desk.running(&spin).await;
    desk.submit(peer(1), &waits).await;
    desk.submit(peer(2), &waits).await;
    desk.lined_up(&waits).await;
    desk.jobs.cancel(peer(2), &waits.id(), CancelReason::Disconnected).await.expect("nothing happens");
    assert!(matches!(desk.jobs.status(peer(1), Some(waits.id())).expect("known")[0].state, JobState::Queued { .. }));
    desk.jobs.cancel(peer(1), &waits.id(), CancelReason::Asked).await.expect("cancelled");
    assert_eq!(desk.last(peer(1), &waits).await, EventKind::Cancelled);
    desk.jobs.cancel(peer(1), &spin.id(), CancelReason::Disconnected).await.expect("it was its alone");
    assert_eq!(desk.last(peer(1), &spin).await, EventKind::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_is_a_failure_and_the_chain_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path(), 2).await;
    let job = JobSpec { module: BlobRef::of(b"nobody's"), ..Desk::job(EMPTY, 0) };
    desk.submit(peer(1), &job).await;
    assert!(
        matches!(desk.last(peer(1), &job).await, EventKind::Failed { reason } if reason.as_str() == "nobody has it")
    );
    for number in 0..20 {
        desk.submit(peer(1), &Desk::job(EMPTY, number)).await;
    }
    for number in 0..20 {
        receipt(desk.last(peer(1), &Desk::job(EMPTY, number)).await);
    }
    let links = desk.jobs.means().state.links(0, 100).expect("read");
    let mut head = samebit_runner::spec::ChainHead::new(SecretKey::from_bytes(&KEY).public());
    for link in &links {
        head.advance(&link.entry).expect("unbroken");
        let receipt = Receipt::decode(&link.receipt).expect("a receipt");
        assert_eq!((receipt.id(), receipt.job.id()), (link.entry.receipt, link.job));
    }
    assert_eq!(links.len(), 20);
}
