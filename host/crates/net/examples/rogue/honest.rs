//! An honest client that keeps asking, and says how long the answers took.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use samebit_net::message::{OnDisconnect, Provider, Submit};
use samebit_net::store::{ImportBy, Store};
use samebit_net::{Client, Ending, Node, NodeConfig, Reach};
use samebit_spec::{BlobRef, JobSpec, Limits, Profile, SecretKey};
use serde_json::{Value, json};

/// How long it waits between two questions.
const PAUSE: Duration = Duration::from_millis(20);
/// Every so many questions it submits a job.
const SUBMIT_EVERY: u64 = 10;
/// Every so many questions somebody new comes and asks.
const NEW_EVERY: u64 = 25;
/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long questions of one kind took, and what went wrong.
#[derive(Default)]
struct Times {
    taken: Vec<Duration>,
    failed: Vec<String>,
}

/// Asks for so many seconds: what the host says of itself, small jobs, and both as somebody new.
pub(super) async fn run(host: &str, module: &Path, seconds: u64) -> Result<()> {
    let host = Provider::parse(host)?;
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path(), PATIENCE).await?;
    let (module, _pin) = store.import_file(module, ImportBy::Auto).await?;
    let node = node(&store).await?;
    let mut client = node.connect(&host).await?;
    let (mut infos, mut submits, mut newcomers) = (Times::default(), Times::default(), Times::default());
    // Not counted: the host fetches the module and compiles it.
    submit(&client, &node, module, u64::MAX).await?;
    let end = Instant::now() + Duration::from_secs(seconds);
    for round in 0.. {
        if Instant::now() > end {
            break;
        }
        if !infos.time(info(&client)).await {
            client = node.connect(&host).await.context("connecting again")?;
        }
        if round % SUBMIT_EVERY == 0 {
            submits.time(submit(&client, &node, module, round)).await;
        }
        if round % NEW_EVERY == 0 {
            newcomers.time(newcomer(&store, &host)).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
    let answer = json!({ "info": infos.summed_up(), "submit": submits.summed_up(), "newcomer": newcomers.summed_up() });
    super::say(&answer.to_string());
    node.stop().await;
    store.close().await?;
    Ok(())
}

/// A node with a key that nobody has seen.
async fn node(store: &Store) -> Result<Node> {
    let key = SecretKey::from_bytes(&iroh::SecretKey::generate().to_bytes());
    let may_serve = Arc::new(|_, _| Box::pin(async { true }) as _);
    let config = NodeConfig { may_serve: Some(may_serve), ..NodeConfig::new(key, Reach::Offline) };
    Ok(Node::start(config, store).await?)
}

async fn info(client: &Client) -> Result<()> {
    client.info().await?;
    Ok(())
}

/// A job that no other is the same as, to its receipt.
async fn submit(client: &Client, node: &Node, module: BlobRef, round: u64) -> Result<()> {
    let job = JobSpec {
        module,
        args: vec![node.key().to_string(), round.to_string()],
        inputs: BTreeMap::new(),
        limits: Limits::default(),
        profile: Profile::Exact,
        tolerances: BTreeMap::new(),
    };
    let on_disconnect = OnDisconnect::Detach;
    let submit = Submit { job, publication: None, providers: vec![node.provider()], on_disconnect };
    let (_, mut story) = client.submit(submit).await?;
    match story.finish(|_| ()).await? {
        Ending::Done(_) => Ok(()),
        other => bail!("it ended as {other:?}"),
    }
}

/// Somebody whom the host has never seen connects and asks.
async fn newcomer(store: &Store, host: &Provider) -> Result<()> {
    let node = node(store).await?;
    let asked = async { info(&node.connect(host).await?).await };
    let asked = asked.await;
    tokio::spawn(async move { node.stop().await });
    asked
}

impl Times {
    /// Times a question. False if it was not answered.
    async fn time(&mut self, asked: impl Future<Output = Result<()>>) -> bool {
        let began = Instant::now();
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(())) => {
                self.taken.push(began.elapsed());
                return true;
            }
            Ok(Err(error)) => self.failed.push(format!("{error:#}")),
            Err(_) => self.failed.push(format!("no answer within {PATIENCE:?}")),
        }
        false
    }

    fn summed_up(&mut self) -> Value {
        self.taken.sort();
        let at = |part: f64| {
            let place = ((self.taken.len() as f64 * part).ceil() as usize).saturating_sub(1);
            self.taken.get(place).map(|time| time.as_secs_f64() * 1000.0)
        };
        json!({
            "count": self.taken.len(),
            "p50_ms": at(0.5),
            "p99_ms": at(0.99),
            "longest_ms": at(1.0),
            "failed": self.failed.len(),
            "why": self.failed.first(),
        })
    }
}
