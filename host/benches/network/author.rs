//! The other side: somebody with a module, connected to a host.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use samebit_net::message::{EventKind, OnDisconnect, Provider, Submit};
use samebit_net::store::{Pin, Store};
use samebit_net::{Client, Node, NodeConfig, Reach, Story};
use samebit_runner::spec::{BlobRef, JobSpec, Limits, Profile, SecretKey};

/// A job that does nothing.
pub(crate) const EMPTY: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
/// A job that does not end.
pub(crate) const SPIN: &str = r#"(module (memory (export "memory") 1) (func (export "_start") (loop $l br $l)))"#;

/// An author, connected to a host.
pub(crate) struct Author {
    node: Node,
    modules: Vec<(BlobRef, Pin)>,
    /// The open connection.
    pub(crate) client: Client,
}

impl Author {
    /// Connects, with these modules in a new store.
    pub(crate) async fn connect(dir: &Path, host: &Provider, modules: &[&str]) -> Self {
        let store = Store::open(&dir.join("author"), Duration::ZERO).await.expect("a store");
        let mut imported = Vec::new();
        for text in modules {
            let bytes = wat::parse_str(text).expect("valid text");
            imported.push(store.import_bytes(bytes.into()).await.expect("imported"));
        }
        let node = node(&store, 1, &[]).await;
        let client = node.connect(host).await.expect("connected");
        Self { node, modules: imported, client }
    }

    /// The job number `number` of a module, which differs from the others by its argument alone.
    pub(crate) fn submission(&self, module: usize, number: usize) -> Submit {
        let job = JobSpec {
            module: self.modules[module].0,
            args: vec![number.to_string()],
            inputs: BTreeMap::new(),
            limits: Limits { memory_bytes: 1 << 20, ..Limits::default() },
            profile: Profile::Exact,
            tolerances: BTreeMap::new(),
        };
        let providers = vec![self.node.provider()];
        Submit { job, publication: None, providers, on_disconnect: OnDisconnect::Detach }
    }

    /// Submits, and waits for the receipt, which is checked as it comes.
    pub(crate) async fn run(&self, submission: Submit) {
        let (_, story) = self.client.submit(submission).await.expect("accepted");
        let end = until(story, |kind| kind.is_last()).await;
        assert!(matches!(end, EventKind::Done { .. }), "{end:?}");
    }
}

/// Reads a story up to an event.
pub(crate) async fn until(mut story: Story, wanted: impl Fn(&EventKind) -> bool) -> EventKind {
    loop {
        let event = story.next().await.expect("told").expect("not the end yet");
        if wanted(&event.kind) || event.kind.is_last() {
            return event.kind;
        }
    }
}

/// A node that serves all that its store has.
pub(crate) async fn node(store: &Store, seed: u8, bind: &[&str]) -> Node {
    let bind = bind.iter().map(|address| address.parse().expect("an address")).collect();
    let may_serve = Arc::new(|_, _| Box::pin(async { true }) as _);
    let config = NodeConfig {
        bind,
        may_serve: Some(may_serve),
        ..NodeConfig::new(SecretKey::from_bytes(&[seed; 32]), Reach::Offline)
    };
    Node::start(config, store).await.expect("a node")
}

/// A runtime such as the program has.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}
