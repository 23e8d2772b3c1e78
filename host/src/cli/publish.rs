//! `samebit publish`.

use std::path::PathBuf;

use samebit_net::collection::{name_in_list, pack};
use samebit_net::message::{LocalRequest, LocalResponse};
use samebit_net::{BlobAddress, Client};
use samebit_runner::spec::{BlobRef, Hash, Publication};
use samebit_runner::store::ImportBy;
use serde_json::json;

use crate::cli::files;
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::interrupt;
use crate::key;
use crate::machine::create_or_load;
use crate::output::{Output, size};
use crate::remote::{self, Desk, NetArgs, To};

const AFTER: &str = "\
The file goes into the store and is kept there. If a host of this user's is up, it serves the file
from then on, and this command ends at once; otherwise the command serves it until it is
interrupted. Whoever has the ticket, or the hash and this host's address, can fetch it; a large
file must stay where it is, for it is not copied.

The second ticket is for other programs of iroh's family, such as `sendme`, which expect a list
with names.

Exit codes:
  0    published; without a host that is up, served until interrupted
  2    the file cannot be used
  3    this machine could not: no store, no network
  130  interrupted before the file was published

Examples:
  samebit publish filter.wasm
  samebit publish photo.png --offline
  samebit publish filter.wasm --publication filter.pub";

/// Arguments of `samebit publish`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The file: a module, or anything else that a job takes as input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Sign the file as its author, and write the publication here; `submit --publication` shows it to hosts
    #[arg(long, value_name = "FILE")]
    publication: Option<PathBuf>,
    #[command(flatten)]
    net: NetArgs,
}

/// What was published.
struct Published {
    blob: BlobRef,
    ticket: String,
    /// The ticket of a list with this file alone.
    list_ticket: String,
}

/// Runs the command.
pub(crate) async fn run(args: Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    if let Some(client) = remote::client(config) {
        args.net.check_for_daemon()?;
        let published = tokio::select! {
            published = hand_over(&args, &client) => published?,
            () = interrupt::ended() => return Err(Failure::interrupted()),
        };
        return finish(&args, &published, config, output).map(|()| Exit::Ok);
    }
    let desk = tokio::select! {
        desk = Desk::open(config, &args.net, To::Others, output) => desk?,
        () = interrupt::ended() => return Err(Failure::interrupted()),
    };
    let served = serve(&args, &desk, config, output).await;
    desk.close().await?;
    served
}

/// Asks the daemon to publish the file.
async fn hand_over(args: &Args, client: &Client) -> Result<Published, Failure> {
    let path = std::path::absolute(&args.file).map_err(|error| Failure::usage("input", error.to_string()))?;
    let path = path.to_str().ok_or_else(|| Failure::usage("input", "the file's path is not UTF-8: rename it"))?;
    let mut published = None;
    let take = |answer| {
        if let LocalResponse::Published { blob, ticket, list_ticket } = answer {
            published = Some(Published { blob, ticket: ticket.to_string(), list_ticket: list_ticket.to_string() });
        }
    };
    client.local(LocalRequest::Publish { path: path.to_owned() }, take).await?;
    published.ok_or_else(|| Failure::host("network", "this user's host did not say what it published"))
}

/// Publishes the file from here, and serves it until the user has had enough.
async fn serve(args: &Args, desk: &Desk, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let published = tokio::select! {
        published = publish(args, desk) => published?,
        () = interrupt::ended() => return Err(Failure::interrupted()),
    };
    finish(args, &published, config, output)?;
    output.note("serving it; Ctrl-C ends that");
    interrupt::ended().await;
    Ok(Exit::Ok)
}

/// Takes the file into the store, and offers it from there.
async fn publish(args: &Args, desk: &Desk) -> Result<Published, Failure> {
    let (blob, _pin) = desk.store.import_file(&args.file, ImportBy::Auto).await?;
    let packed = pack(&desk.store, &[(name_in_list(&args.file), blob.hash)]).await?;
    let hashes = [blob.hash, packed.list.hash, packed.names.hash];
    for hash in &hashes {
        desk.store.publish(hash).await?;
    }
    desk.offer(hashes);
    let (ticket, list_ticket) = (ticket(desk, blob.hash, false)?, ticket(desk, packed.list.hash, true)?);
    Ok(Published { blob, ticket, list_ticket })
}

fn ticket(desk: &Desk, hash: Hash, is_collection: bool) -> Result<String, Failure> {
    let address = BlobAddress { hash, is_collection, provider: None };
    address.ticket(&desk.node.provider()).map_err(|error| Failure::host("network", error.to_string()))
}

/// Signs if that is wanted, and answers.
fn finish(args: &Args, published: &Published, config: &Config, output: &Output) -> Result<(), Failure> {
    if let Some(path) = &args.publication {
        let key = match key::load(&config.key()) {
            Ok(key) => key,
            Err(_) => create_or_load(config, output)?,
        };
        files::write_whole(path, &Publication::sign(published.blob, &key).encode())?;
    }
    let Published { blob, ticket, list_ticket } = published;
    output.answer(
        || {
            json!({
                "hash": blob.hash.to_string(),
                "size_bytes": blob.size_bytes,
                "ticket": ticket,
                "list_ticket": list_ticket,
            })
        },
        |text| {
            text.field("hash", blob.hash);
            text.field("size", size(blob.size_bytes));
            text.field("ticket", ticket);
            text.field("for sendme", list_ticket);
        },
    );
    Ok(())
}
