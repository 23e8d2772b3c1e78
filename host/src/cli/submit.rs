//! `samebit submit`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use samebit_net::message::{EventKind, FetchWish, LocalRequest, OnDisconnect, Provider, Submit};
use samebit_net::{Client, ClientError, Ending, Story};
use samebit_runner::spec::{BlobRef, Publication, Receipt, Status};
use serde_json::json;

use crate::cli::files;
use crate::cli::job::{Draft, JobArgs};
use crate::cli::run::{Written, show};
use crate::cli::watch::Watch;
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::output::Output;
use crate::remote::{self, Desk, NetArgs, To};

const AFTER: &str = "\
The host fetches the module and the inputs from here, so this command stays until it has them; with --detach no longer.
What the job came to is fetched back and checked against the receipt, which must be signed by the host that was asked.
Submitting a job again that the host has or had costs nothing: it runs once. Without --host the job goes to this user's
own host, which must be up.

Exit codes:
  0    the job returned success; with --detach, the host has the job
  1    the job failed, trapped or reached a limit; there is a receipt; or it was cancelled
  2    bad usage or input; or the host refused, and says by which rule
  3    the host could not do the job or cannot be reached, or this machine could not
  130  interrupted; the host goes on, unless --cancel-on-disconnect was given

Examples:
  samebit submit filter.wasm --host TICKET --input image=photo.png --arg blur --out out --receipt photo.receipt
  samebit submit job.toml --host KEY@192.0.2.7:4433 --detach
  samebit submit hello.wasm";

/// How often a lost connection is made again before the command gives up.
const RETRIES: u32 = 5;
/// How long to wait before the first time. Doubled for each further one.
const RETRY_WAIT: Duration = Duration::from_millis(250);

/// Arguments of `samebit submit`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The host: its ticket, KEY@ADDRESS:PORT, or its key where discovery can find it
    #[arg(long, value_name = "HOST", value_parser = remote::host)]
    host: Option<Provider>,
    /// Write the outputs to this folder, each under its name
    #[arg(short, long, value_name = "DIR", conflicts_with = "detach")]
    out: Option<PathBuf>,
    /// Write the receipt to this file
    #[arg(short, long, value_name = "FILE", conflicts_with = "detach")]
    receipt: Option<PathBuf>,
    /// Wait for the job's end, which is what happens anyway
    #[arg(long, conflicts_with = "detach")]
    wait: bool,
    /// Leave as soon as the host has everything it needs
    #[arg(long, conflicts_with = "cancel_on_disconnect")]
    detach: bool,
    /// Have the job cancelled if this command goes away
    #[arg(long)]
    cancel_on_disconnect: bool,
    /// The author's publication of the module, for hosts that ask for one
    #[arg(long, value_name = "FILE")]
    publication: Option<PathBuf>,
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    net: NetArgs,
}

/// Runs the command.
pub(crate) async fn run(args: Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let draft = args.job.draft()?;
    let publication = args.publication.as_deref().map(read_publication).transpose()?;
    let local = match (&args.host, remote::client(config)) {
        (None, None) => {
            let why = "no host is named and none is up on this store: name one with --host, or start `samebit host`";
            return Err(Failure::usage("host", why));
        }
        (None, Some(client)) => Some(client),
        (Some(_), _) => None,
    };
    let to = if local.is_some() { To::Daemon } else { To::Others };
    let desk = Desk::open(config, &args.net, to, output).await?;
    let order = Order {
        host: args.host.map_or(Host::Local(local), Host::Remote),
        detach: args.detach,
        on_disconnect: if args.cancel_on_disconnect { OnDisconnect::Cancel } else { OnDisconnect::Detach },
        publication,
    };
    let ended = order.carry_out(draft, &desk, output).await;
    let done = match ended {
        Ok(Some((receipt, client))) => {
            write(&order.host, receipt, &client, &desk, args.out.as_deref(), args.receipt.as_deref()).await.map(Some)
        }
        Ok(None) => Ok(None),
        Err(failure) => Err(failure),
    };
    desk.close().await?;
    let Some(written) = done? else { return Ok(Exit::Ok) };
    show(&written, output);
    Ok(if written.receipt.outcome.status == Status::Ok { Exit::Ok } else { Exit::Negative })
}

/// Whom a job goes to.
enum Host {
    /// Another machine.
    Remote(Provider),
    /// This user's daemon.
    Local(Option<Client>),
}

/// What is to be done.
struct Order {
    host: Host,
    detach: bool,
    on_disconnect: OnDisconnect,
    publication: Option<Publication>,
}

impl Host {
    async fn connect(&self, desk: &Desk) -> Result<Client, ClientError> {
        match self {
            Self::Remote(provider) => desk.node.connect(provider).await,
            Self::Local(Some(client)) => Ok(client.clone()),
            Self::Local(None) => Err(ClientError::Lost("there is no local host".to_owned())),
        }
    }
}

impl Order {
    /// The way of the job, from here to its receipt. `None` if nobody waits for that.
    async fn carry_out(
        &self,
        draft: Draft,
        desk: &Desk,
        output: &Output,
    ) -> Result<Option<(Receipt, Client)>, Failure> {
        let imported = draft.import(&desk.store).await?;
        let job = imported.job;
        desk.offer(job.inputs.values().chain([&job.module]).map(|blob| blob.hash));
        let client = self.host.connect(desk).await?;
        let submit = Submit {
            job: job.clone(),
            publication: self.publication.clone(),
            providers: vec![desk.node.provider()],
            on_disconnect: self.on_disconnect,
        };
        let (accepted, story) = client.submit(submit).await?;
        output.note(&format!(
            "job {}{}",
            accepted.job,
            if accepted.known { " is known there" } else { " is accepted" }
        ));
        let watch = Watch::new(output);
        let followed = self.follow(client, story, desk, &watch).await;
        watch.progress.finish();
        let (ending, client) = followed?;
        drop(imported.pins);
        match ending {
            None => {
                let id = job.id().to_string();
                output.answer(|| json!({ "job": id, "detached": true }), |text| text.field("job", &id));
                Ok(None)
            }
            Some(Ending::Done(receipt)) => {
                if desk.is_lasting() {
                    self.keep(&receipt, desk).await?;
                }
                Ok(Some((*receipt, client)))
            }
            Some(Ending::Failed(why)) => Err(Failure::host("job", format!("the host could not do the job: {why}"))),
            Some(Ending::Cancelled) => {
                Err(Failure::negative("cancelled", "the job was cancelled; there is no receipt"))
            }
        }
    }

    /// Follows the job to its end, or if detaching until the host needs nothing more. Connects again where the
    /// connection breaks.
    async fn follow(
        &self,
        mut client: Client,
        mut story: Story,
        desk: &Desk,
        watch: &Watch,
    ) -> Result<(Option<Ending>, Client), Failure> {
        let mut broken = 0;
        loop {
            let lost = match self.follow_once(&mut story, watch).await {
                Ok(ending) => return Ok((ending, client)),
                Err(error) => error,
            };
            if !lost.is_transient() || broken == RETRIES {
                return Err(lost.into());
            }
            tracing::info!("{lost}");
            tokio::time::sleep(RETRY_WAIT * (1 << broken)).await;
            broken += 1;
            let (job, next_seq) = (story.job(), story.next_seq());
            let again = async {
                let client = self.host.connect(desk).await?;
                let story = client.events(job, next_seq).await?;
                Ok::<_, ClientError>((client, story))
            };
            match again.await {
                Ok(found) => (client, story) = found,
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn follow_once(&self, story: &mut Story, watch: &Watch) -> Result<Option<Ending>, ClientError> {
        if !self.detach {
            return story.finish(|event| watch.tell(&event)).await.map(Some);
        }
        let mut fetched = false;
        while let Some(event) = story.next().await? {
            watch.tell(&event);
            match event.kind {
                EventKind::Fetching { .. } => fetched = true,
                // In line again, and this time to run.
                EventKind::Queued { .. } if fetched => break,
                EventKind::Queued { .. } => {}
                _ => break,
            }
        }
        Ok(None)
    }

    /// Fetches what the receipt names, and keeps all of it in the store.
    async fn keep(&self, receipt: &Receipt, desk: &Desk) -> Result<(), Failure> {
        let Host::Remote(provider) = &self.host else { return Ok(()) };
        let blobs = receipt.outcome.outputs.values().chain([&receipt.outcome.log]).copied().collect::<Vec<_>>();
        let pins = desk.fetch(&blobs, std::slice::from_ref(provider)).await?;
        desk.store.keep(receipt).await.map_err(|error| Failure::host("store", error.to_string()))?;
        drop(pins);
        Ok(())
    }
}

/// Writes what came of the job.
async fn write(
    host: &Host,
    receipt: Receipt,
    client: &Client,
    desk: &Desk,
    out: Option<&Path>,
    receipt_path: Option<&Path>,
) -> Result<Written, Failure> {
    let mut paths = BTreeMap::new();
    if let Some(out) = out {
        files::make_folder(out)?;
        for (name, blob) in &receipt.outcome.outputs {
            let path = out.join(name.as_str());
            bring(host, blob, client, desk, &path).await?;
            paths.insert(name.clone(), path);
        }
    }
    if let Some(path) = receipt_path {
        files::write_whole(path, &receipt.encode())?;
    }
    Ok(Written { receipt, paths, receipt_path: receipt_path.map(Path::to_owned) })
}

/// Writes an output to a file: from the store, or if the daemon has the store, by the daemon.
async fn bring(host: &Host, blob: &BlobRef, client: &Client, desk: &Desk, path: &Path) -> Result<(), Failure> {
    if let Host::Remote(provider) = host {
        let pins = desk.fetch(&[*blob], std::slice::from_ref(provider)).await?;
        desk.store.export(&blob.hash, path).await?;
        drop(pins);
        return Ok(());
    }
    let failed =
        |why: &dyn std::fmt::Display| Failure::host("output", format!("cannot write {}: {why}", path.display()));
    let path = std::path::absolute(path).map_err(|error| failed(&error))?;
    let text = path.to_str().ok_or_else(|| failed(&"the path is not UTF-8"))?.to_owned();
    let wish = FetchWish { hash: blob.hash, size_bytes: Some(blob.size_bytes), providers: Vec::new(), out: Some(text) };
    Ok(client.local(LocalRequest::Fetch(wish), |_| ()).await?)
}

fn read_publication(path: &Path) -> Result<Publication, Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::usage("publication", format!("{}: {why}", path.display()));
    let bytes = files::read_bounded(path, 4096).map_err(|error| failed(&error))?;
    Publication::decode(&bytes).map_err(|error| failed(&error))
}
