//! `samebit verify`.

mod answer;
mod source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use samebit_net::message::Provider;
use samebit_runner::proof::Verdict;
use samebit_runner::spec::{BlobRef, ENCODED_BYTES_MAX, Name, RECEIPT_MAGIC, Receipt};
use samebit_runner::store::{Blob, ImportBy, Pin, Store};
use samebit_runner::{Claims, Fetched, Part, Verification, verify};

use crate::cli::job::hash_file;
use crate::cli::job_file::{Source, source as named_source};
use crate::cli::run::HostArgs;
use crate::cli::{files, named};
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::machine::Machine;
use crate::output::Output;
use crate::progress::Progress;
use crate::remote::{self, NetArgs};
use source::HostSource;

const AFTER: &str = "\
The receipt's signature is checked, its job is run again on this machine, and the outcomes are
compared. Nothing of the re-run is stored. What the store lacks of the job is given as files,
whose hashes must be those that the receipt names, or fetched from hosts that have it, which are
asked for nothing else. A file given with --output is compared with what the receipt signs.

Outcomes are compared bit for bit. Only where a job is native and ran there on another class of
device (adapter, driver and interface) than here, outputs may differ as far as the job's
tolerances say; telling needs the claimed bytes, from the store, with --output or from a host. The
answer says which it was.

Exit codes:
  0    match: the outcome is the same, bit for bit, or within what the job declares
  1    mismatch: the first difference is printed, with the first differing byte where the claimed
       bytes are at hand; also if a file given with --output is not what the receipt signs
  2    not a receipt, a bad signature, or bad usage
  3    unchecked, with the reason: a blob is missing, a given module or input is not what the
       receipt names, no device, out of time, a limit over this host's cap, claimed bytes that a
       tolerance needs
  130  interrupted

Examples:
  samebit verify photo.receipt
  samebit verify photo.receipt --module filter.wasm --input image=photo.png
  samebit verify photo.receipt --from TICKET
  samebit verify photo.receipt --output image.png=out/image.png --json";

/// Arguments of `samebit verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// A receipt's file, or the id of a receipt in the store
    #[arg(value_name = "RECEIPT")]
    receipt: String,
    /// The module, if the store lacks it
    #[arg(short, long, value_name = "FILE")]
    module: Option<PathBuf>,
    /// The input NAME, if the store lacks it (repeatable)
    #[arg(short, long = "input", value_name = "NAME=PATH", value_parser = named)]
    inputs: Vec<(Name, PathBuf)>,
    /// Fetch what the store lacks from this host: a ticket of its, KEY@ADDRESS:PORT or its key (repeatable)
    #[arg(long, value_name = "HOST", value_parser = remote::provider)]
    from: Vec<Provider>,
    /// What is claimed to be the output NAME (repeatable)
    #[arg(short, long = "output", value_name = "NAME=PATH", value_parser = named)]
    output: Vec<(Name, PathBuf)>,
    /// A folder with all outputs of the receipt, each under its name
    #[arg(long, value_name = "DIR")]
    outputs: Option<PathBuf>,
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    net: NetArgs,
}

/// Runs the command.
pub(crate) async fn run(args: Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let early = match named_source(&args.receipt, Path::new("")) {
        Source::File(path) => Some(read(&path)?),
        Source::Blob(_) => None,
    };
    let machine = args.host.open(config, output).await?;
    let given = Given { module: args.module, inputs: args.inputs, output: args.output, outputs: args.outputs };
    let source = match args.from.is_empty() {
        true => None,
        false => Some(HostSource::new(&machine, args.from, args.net.reach()?)),
    };
    let checked = async {
        let store = &machine.host.store;
        let receipt = match early {
            Some(receipt) => receipt,
            None => find(store, &args.receipt).await?,
        };
        let verification = match fetched(&machine, &receipt, &given, source.as_ref()).await? {
            Ok(pins) => {
                let verification = check(&machine, &receipt, given, source.as_ref(), output).await?;
                drop(pins);
                verification
            }
            Err(why) => Verification { verdict: Verdict::unchecked(why), file: None, replayed: None },
        };
        Ok::<_, Failure>((receipt, verification))
    };
    let checked = checked.await;
    if let Some(source) = source {
        source.close().await;
    }
    machine.close().await?;
    let (receipt, verification) = checked?;
    output.answer(|| answer::to_json(&receipt, &verification), |text| answer::show(&receipt, &verification, text));
    Ok(match verification.verdict {
        Verdict::Match { .. } => Exit::Ok,
        Verdict::Mismatch { .. } => Exit::Negative,
        Verdict::Unchecked { .. } => Exit::Host,
    })
}

/// Files that the user gave.
struct Given {
    module: Option<PathBuf>,
    inputs: Vec<(Name, PathBuf)>,
    output: Vec<(Name, PathBuf)>,
    outputs: Option<PathBuf>,
}

fn read(path: &Path) -> Result<Receipt, Failure> {
    let bytes = files::read_bounded(path, ENCODED_BYTES_MAX + RECEIPT_MAGIC.len())
        .map_err(|error| Failure::usage("receipt", format!("{} cannot be read: {error}", path.display())))?;
    Receipt::decode(&bytes).map_err(|error| Failure::usage("receipt", format!("{}: {error}", path.display())))
}

/// A receipt of the store, by its id or by the hash of its bytes.
async fn find(store: &Store, id: &str) -> Result<Receipt, Failure> {
    let id = id.to_ascii_lowercase();
    let receipts = store.receipts().await?;
    if let Some(receipt) = receipts.into_iter().flatten().find(|receipt| receipt.id().to_string() == id) {
        return Ok(receipt);
    }
    let hash = id.parse().map_err(|error| Failure::usage("receipt", format!("{error}")))?;
    match store.open_blob(&hash).await {
        Ok(Blob::Bytes(bytes)) => Ok(Receipt::decode(&bytes)?),
        _ => Err(Failure::usage("receipt", format!("there is no file {id}, and no receipt of this id in the store"))),
    }
}

/// Fetches what the receipt's job needs and that is neither in the store nor given, if hosts are named that may have
/// it. If that does not succeed, gives the reason why nothing can be checked.
async fn fetched(
    machine: &Machine,
    receipt: &Receipt,
    given: &Given,
    source: Option<&HostSource>,
) -> Result<Result<Vec<Pin>, String>, Failure> {
    let Some(source) = source else { return Ok(Ok(Vec::new())) };
    // What this machine would not run anyway is not worth its disk.
    if let Err(error) = Fetched::check(&machine.host, &receipt.job) {
        return Ok(Err(error.to_string()));
    }
    let is_given = |name: &Name| given.inputs.iter().any(|(given, _)| given == name);
    let inputs = receipt.job.inputs.iter().filter(|(name, _)| !is_given(name)).map(|(_, blob)| blob);
    let module = Some(&receipt.job.module).filter(|_| given.module.is_none());
    let mut missing = Vec::new();
    for blob in inputs.chain(module) {
        if !machine.host.store.contains(&blob.hash).await? {
            missing.push(*blob);
        }
    }
    Ok(source.fetch(&missing).await)
}

async fn check(
    machine: &Machine,
    receipt: &Receipt,
    given: Given,
    source: Option<&HostSource>,
    output: &Output,
) -> Result<Verification, Failure> {
    let files = claimed_files(receipt, given.output, given.outputs)?;
    let claims = Claims { files, bring: source.map(HostSource::bring) };
    let mut parts = Vec::new();
    if let Some(path) = given.module {
        parts.push((Part::Module, receipt.job.module, path));
    }
    for (name, path) in given.inputs {
        let named = receipt.job.inputs.get(&name).copied();
        let why = || Failure::usage("input", format!("the receipt's job has no input {name}: leave it out"));
        parts.push((Part::Input(name.clone()), named.ok_or_else(why)?, path));
    }
    let mut pins = Vec::new();
    for (part, named, path) in parts {
        match import(&machine.host.store, &part, &named, &path).await? {
            Ok(pin) => pins.push(pin),
            Err(reason) => {
                return Ok(Verification { verdict: Verdict::unchecked(reason), file: None, replayed: None });
            }
        }
    }
    let progress = Progress::new(output);
    let verification = verify(&machine.host, receipt, claims, progress.clone()).await;
    progress.finish();
    drop(pins);
    verification.map_err(|error| Failure::usage("output", error.to_string()))
}

fn claimed_files(
    receipt: &Receipt,
    given: Vec<(Name, PathBuf)>,
    folder: Option<PathBuf>,
) -> Result<BTreeMap<Name, PathBuf>, Failure> {
    let mut files = BTreeMap::new();
    if let Some(folder) = folder {
        files.extend(receipt.outcome.outputs.keys().map(|name| (name.clone(), folder.join(name.as_str()))));
    }
    let mut seen = BTreeMap::new();
    for (name, path) in given {
        if seen.insert(name.clone(), ()).is_some() {
            return Err(Failure::usage("output", format!("output {name} is given twice: give it once")));
        }
        files.insert(name, path);
    }
    Ok(files)
}

/// Takes a file into the store if it is what the receipt names. If not, gives the reason why nothing can be checked.
async fn import(store: &Store, part: &Part, named: &BlobRef, path: &Path) -> Result<Result<Pin, String>, Failure> {
    let refuse = |found: &BlobRef| {
        format!(
            "{part}: the file {} is not what the receipt names: expected {} ({} bytes), found {} ({} bytes)",
            path.display(),
            named.hash,
            named.size_bytes,
            found.hash,
            found.size_bytes,
        )
    };
    // Hashed first: what the receipt does not name has no business in the store.
    let found = hash_file(path)
        .map_err(|error| Failure::usage("input", format!("{part} cannot be read from {}: {error}", path.display())))?;
    if found != *named {
        return Ok(Err(refuse(&found)));
    }
    let (found, pin) = store.import_file(path, ImportBy::Auto).await?;
    Ok(if found == *named { Ok(pin) } else { Err(refuse(&found)) })
}
