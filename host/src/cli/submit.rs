//! `samebit submit`.

mod array;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use samebit_net::Ending;
use samebit_net::message::{OnDisconnect, Provider};
use samebit_runner::spec::{Publication, Receipt, Status};
use serde_json::json;

use self::array::{ArrayArgs, Rest};
use crate::cli::files;
use crate::cli::job::{Draft, JobArgs};
use crate::cli::run::{Written, show};
use crate::cli::watch::Watch;
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::output::Output;
use crate::remote::{self, Desk, Line, NetArgs, Order, To};

const AFTER: &str = "\
The host fetches the module and the inputs from here, so this command stays until it has them;
with --detach no longer. What the job came to is fetched back and checked against the receipt,
which must be signed by the host that was asked. Submitting a job again that the host has or had
costs nothing: it runs once. Without --host the job goes to this user's own host, which must be
up.

Many jobs are made with --each, and many hosts are named with several --host, or found with
--hosts. Each host is asked what it can and how busy it is; those that are unable are left out,
and said why. Then each takes jobs as it has room, rather one whose input it has already. A job
that fails at a host is tried at others, four times in all; a host that vanishes three times, or
fails at twelve jobs, in a row gets no more. The outputs of a job go to DIR/LABEL/NAME under --out,
and its receipt to DIR/LABEL.receipt under --receipts; the label is the name of its file, the
number of its line, or its integer. Without --each there is one job, labelled `job`. With
--replicas the receipts are DIR/LABEL.HOST.receipt, and outcomes are compared bit for bit: a host
that differs from more than half is named; without a majority all are, and no outputs are written.
In the profile native, honest hosts with different devices may differ.

An interrupted array leaves what was submitted to its hosts (with --cancel-on-disconnect, it is
cancelled). With --state the same command then does only what is missing. Equal jobs at one host
run once, state file or not.

Exit codes:
  0    the job, or every job, returned success; with --detach, the host has the job
  1    a job failed, trapped or reached a limit; there is a receipt; or it was cancelled; or
       replicas differ
  2    bad usage or input; or the host refused, and says by which rule
  3    the host could not do the job or cannot be reached, or this machine could not; of an array,
       some jobs are missing
  130  interrupted; hosts go on, unless --cancel-on-disconnect was given

Examples:
  samebit submit filter.wasm --host TICKET --input image=photo.png --arg blur --out out --receipt photo.receipt
  samebit submit job.toml --host KEY@192.0.2.7:4433 --detach
  samebit submit hello.wasm
  samebit submit filter.wasm --each image=photos/ --arg blur --hosts any --out out --receipts receipts --state blur.state
  samebit submit search.wasm --each 0..1000 --host TICKET --host TICKET --arg needle --out found
  samebit submit proof.wasm --replicas 3 --hosts any --receipts receipts";

/// How often a lost connection is made again before the command gives up.
const RETRIES: u32 = 5;

/// Arguments of `samebit submit`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The host: its ticket, KEY@ADDRESS:PORT, or its key where discovery can find it; several (repeatable) share the work
    #[arg(long, value_name = "HOST", value_parser = remote::host)]
    host: Vec<Provider>,
    /// Write the outputs to this folder, each under its name, and if there are many jobs, in a folder for each
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
    array: ArrayArgs,
    #[command(flatten)]
    net: NetArgs,
}

impl Args {
    /// True if this is for many jobs or many hosts.
    pub(crate) fn is_array(&self) -> bool {
        self.array.are_given() || self.host.len() > 1
    }

    fn on_disconnect(&self) -> OnDisconnect {
        if self.cancel_on_disconnect { OnDisconnect::Cancel } else { OnDisconnect::Detach }
    }
}

/// Runs the command.
pub(crate) async fn run(args: Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let publication = args.publication.as_deref().map(read_publication).transpose()?;
    if args.is_array() {
        run_array(args, publication, config, output).await
    } else {
        run_one(args, publication, config, output).await
    }
}

/// Many jobs, or many hosts.
async fn run_array(
    args: Args,
    publication: Option<Publication>,
    config: &Config,
    output: &Output,
) -> Result<Exit, Failure> {
    if args.receipt.is_some() || args.detach {
        let why = "--receipt and --detach are for one job at one host: with many, use --receipts DIR and --state FILE";
        return Err(Failure::usage("usage", why));
    }
    let on_disconnect = args.on_disconnect();
    let draft = args.job.draft()?;
    let desk = Desk::open(config, &args.net, To::Others, output).await?;
    let (out, publication) = (args.out.as_deref(), publication.as_ref());
    let rest = Rest { named: args.host, out, publication, on_disconnect };
    let ended = array::run(&args.array, draft, rest, &desk, config, output).await;
    desk.close().await?;
    ended
}

/// One job at one host.
async fn run_one(
    mut args: Args,
    publication: Option<Publication>,
    config: &Config,
    output: &Output,
) -> Result<Exit, Failure> {
    let on_disconnect = args.on_disconnect();
    let draft = args.job.draft()?;
    let (line, to) = match (args.host.pop(), remote::client(config)) {
        (Some(provider), _) => (Line::remote(provider), To::Others),
        (None, Some(client)) => (Line::local(client), To::Daemon),
        (None, None) => {
            let why = "no host is named and none is up on this store: name one with --host, or start `samebit host`";
            return Err(Failure::usage("host", why));
        }
    };
    let desk = Desk::open(config, &args.net, to, output).await?;
    let order = Order {
        desk: &desk,
        line: &line,
        detach: args.detach,
        on_disconnect,
        publication: publication.as_ref(),
        retries: RETRIES,
    };
    let done = match carry_out(&order, draft, output).await {
        Ok(Some(receipt)) => write(&order, receipt, args.out.as_deref(), args.receipt.as_deref()).await.map(Some),
        Ok(None) => Ok(None),
        Err(failure) => Err(failure),
    };
    desk.close().await?;
    let Some(written) = done? else { return Ok(Exit::Ok) };
    show(&written, output);
    Ok(if written.receipt.outcome.status == Status::Ok { Exit::Ok } else { Exit::Negative })
}

/// The way of the job, from here to its receipt. `None` if nobody waits for that.
async fn carry_out(order: &Order<'_>, draft: Draft, output: &Output) -> Result<Option<Receipt>, Failure> {
    let imported = draft.import(&order.desk.store).await?;
    let (accepted, story) = order.place(&imported.job).await?;
    output.note(&format!("job {}{}", accepted.job, if accepted.known { " is known there" } else { " is accepted" }));
    let watch = Watch::new(output);
    let followed = order.follow(story, &mut |event| watch.tell(event)).await;
    watch.progress.finish();
    let ending = followed?;
    drop(imported.pins);
    match ending {
        None => {
            let id = accepted.job.to_string();
            output.answer(|| json!({ "job": id, "detached": true }), |text| text.field("job", &id));
            Ok(None)
        }
        Some(Ending::Done(receipt)) => {
            if order.desk.is_lasting() {
                drop(order.bring(&receipt).await?);
            }
            Ok(Some(*receipt))
        }
        Some(Ending::Failed(why)) => Err(Failure::host("job", format!("the host could not do the job: {why}"))),
        Some(Ending::Cancelled) => Err(Failure::negative("cancelled", "the job was cancelled; there is no receipt")),
    }
}

/// Writes what came of the job.
async fn write(
    order: &Order<'_>,
    receipt: Receipt,
    out: Option<&Path>,
    receipt_path: Option<&Path>,
) -> Result<Written, Failure> {
    let mut paths = BTreeMap::new();
    if let Some(out) = out {
        files::make_folder(out)?;
        for (name, blob) in &receipt.outcome.outputs {
            let path = out.join(name.as_str());
            order.export(blob, &path).await?;
            paths.insert(name.clone(), path);
        }
    }
    if let Some(path) = receipt_path {
        files::write_whole(path, &receipt.encode())?;
    }
    Ok(Written { receipt, paths, receipt_path: receipt_path.map(Path::to_owned) })
}

fn read_publication(path: &Path) -> Result<Publication, Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::usage("publication", format!("{}: {why}", path.display()));
    let bytes = files::read_bounded(path, 4096).map_err(|error| failed(&error))?;
    Publication::decode(&bytes).map_err(|error| failed(&error))
}
