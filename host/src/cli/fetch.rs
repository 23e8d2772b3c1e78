//! `samebit fetch`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use samebit_net::collection::{ListError, Member, list};
use samebit_net::message::{FetchWish, LocalRequest, LocalResponse, Provider};
use samebit_net::{BlobAddress, Client, FetchProgress, Fetcher, Wish};
use samebit_runner::spec::{BlobRef, Hash};
use serde_json::json;

use crate::cli::{files, limits};
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::output::{Output, size};
use crate::remote::{self, Desk, NetArgs, To};

const AFTER: &str = "\
A blob is fetched from whoever of the providers has it, and checked against its hash as it comes.
A fetch that was cut off goes on where it was. Without --out the blob is in the store, for a job
or `samebit verify` to use.

A ticket of a list with names, as `sendme` makes, is fetched into the folder that --out names,
which need not be there.

Exit codes:
  0    fetched
  2    bad usage: no hash or ticket, no provider, a blob over --size-max, a list with names that
       are no safe paths; or a flag that has no effect, since a host is up on this store and
       fetches by its own settings
  3    nobody has it or can be reached, or this machine could not keep it
  130  interrupted; what came is kept for the next time

Examples:
  samebit fetch TICKET --out photo.png
  samebit fetch HASH --from HOST --from TICKET
  samebit fetch TICKET-OF-SENDME --out folder";

/// What `--size-max` is if it is not given: 1 TiB.
const SIZE_MAX: u64 = 1 << 40;

/// Arguments of `samebit fetch`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The blob: its hash, or a ticket
    #[arg(value_name = "HASH|TICKET", value_parser = blob)]
    blob: BlobAddress,
    /// Somebody who may have it: a ticket of theirs, their key, or KEY@ADDRESS:PORT (repeatable)
    #[arg(long, value_name = "HOST", value_parser = remote::provider)]
    from: Vec<Provider>,
    /// Write it to this file, or a list's files to this folder
    #[arg(short, long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Refuse what is larger, in bytes
    #[arg(long, value_name = "BYTES", default_value = "1TiB", value_parser = limits::bytes)]
    size_max: u64,
    #[command(flatten)]
    net: NetArgs,
}

/// Runs the command.
pub(crate) async fn run(args: Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let mut providers: Vec<_> = args.blob.provider.iter().chain(&args.from).cloned().collect();
    providers.dedup();
    if args.blob.is_collection && args.out.is_none() {
        return Err(Failure::usage("out", "the ticket is of a list with names: name a folder for them with --out"));
    }
    let bars = Bars::new(output);
    if !args.blob.is_collection
        && let Some(client) = remote::client(config)
    {
        args.net.check_for_daemon()?;
        if args.size_max != SIZE_MAX {
            let why = "a host is up on this store and fetches by its own settings: leave out --size-max";
            return Err(Failure::usage("size-max", why));
        }
        let blob = by_daemon(&args, providers, &client, &bars).await;
        bars.clear();
        return answer(&[(args.out.clone(), blob?)], output);
    }
    let desk = Desk::open(config, &args.net, To::Others, output).await?;
    let fetched = fetch(&args, &providers, &desk, &bars).await;
    bars.clear();
    desk.close().await?;
    answer(&fetched?, output)
}

/// Has the daemon fetch the blob and write it out.
async fn by_daemon(args: &Args, providers: Vec<Provider>, client: &Client, bars: &Bars) -> Result<BlobRef, Failure> {
    let out = args.out.as_deref().map(absolute).transpose()?;
    let hash = args.blob.hash;
    let wish = FetchWish { hash, size_bytes: None, providers, out };
    let mut fetched = None;
    let take = |answer| match answer {
        LocalResponse::Fetching { done_bytes, total_bytes } => {
            bars.show(FetchProgress { blob: BlobRef { hash, size_bytes: total_bytes }, done_bytes });
        }
        LocalResponse::Fetched { blob } => fetched = Some(blob),
        LocalResponse::Published { .. } | LocalResponse::Peer { .. } | LocalResponse::Room { .. } => {}
    };
    client.local(LocalRequest::Fetch(wish), take).await?;
    fetched.ok_or_else(|| Failure::host("network", "this user's host did not say what it fetched"))
}

/// What was fetched, and where it was written.
type Fetched = Vec<(Option<PathBuf>, BlobRef)>;

async fn fetch(args: &Args, providers: &[Provider], desk: &Desk, bars: &Bars) -> Result<Fetched, Failure> {
    let fetcher = Fetcher::new(&desk.node, providers, args.size_max);
    let wish = |hash| Wish { hash, size_bytes: None };
    let progress = |progress| bars.show(progress);
    let targets: Vec<(Option<PathBuf>, Hash)> = match &args.out {
        Some(folder) if args.blob.is_collection => {
            let members = list(&desk.node, providers, args.blob.hash).await?;
            members.into_iter().map(|Member { path, hash }| (Some(folder.join(path)), hash)).collect()
        }
        out => vec![(out.clone(), args.blob.hash)],
    };
    let wishes: Vec<_> = targets.iter().map(|(_, hash)| wish(*hash)).collect();
    let blobs = fetcher.fetch_all(&wishes, &progress).await?;
    let mut fetched = Vec::new();
    for ((target, hash), (blob, _pin)) in targets.into_iter().zip(&blobs) {
        match &target {
            Some(path) => {
                if let Some(folder) = path.parent() {
                    files::make_folder(folder)?;
                }
                desk.store.export(&hash, path).await?;
            }
            None => desk.store.publish(&hash).await?,
        }
        fetched.push((target, *blob));
    }
    Ok(fetched)
}

fn answer(fetched: &[(Option<PathBuf>, BlobRef)], output: &Output) -> Result<Exit, Failure> {
    let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    output.answer(
        || {
            let entry = |(path, blob): &(Option<PathBuf>, BlobRef)| {
                json!({ "hash": blob.hash.to_string(), "size_bytes": blob.size_bytes, "path": shown(path) })
            };
            json!({ "fetched": fetched.iter().map(entry).collect::<Vec<_>>() })
        },
        |text| {
            for (path, blob) in fetched {
                let place = shown(path).unwrap_or_else(|| "in the store".to_owned());
                text.field(&blob.hash.short(), format!("{}, {place}", size(blob.size_bytes)));
            }
        },
    );
    Ok(Exit::Ok)
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let path = std::path::absolute(path).map_err(|error| Failure::usage("output", error.to_string()))?;
    path.into_os_string().into_string().map_err(|_| Failure::usage("output", "the path is not UTF-8: name another"))
}

fn blob(text: &str) -> Result<BlobAddress, String> {
    BlobAddress::parse(text).map_err(|error| error.to_string())
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Fetch(error) => error.into(),
            ListError::Read(error) => error.into(),
            _ => Self::usage("list", error.to_string()),
        }
    }
}

/// A bar for each blob on its way, on a terminal.
struct Bars {
    all: Option<MultiProgress>,
    bars: Mutex<HashMap<Hash, ProgressBar>>,
}

// The template is a constant that a test parses; were it wrong, the default style would do.
const TEMPLATE: &str = "{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";

impl Bars {
    fn new(output: &Output) -> Self {
        Self { all: output.shows_progress().then(MultiProgress::new), bars: Mutex::default() }
    }

    fn show(&self, progress: FetchProgress) {
        let Some(all) = &self.all else { return };
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bars.entry(progress.blob.hash).or_insert_with(|| {
            let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(progress.blob.size_bytes).with_style(style);
            all.add(bar.with_prefix(progress.blob.hash.short()))
        });
        bar.set_length(progress.blob.size_bytes);
        bar.set_position(progress.done_bytes);
    }

    fn clear(&self) {
        if let Some(all) = &self.all {
            // What cannot be cleared stays on the screen, which does no harm.
            let _ = all.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_parses() {
        ProgressStyle::with_template(TEMPLATE).expect("valid");
    }
}
