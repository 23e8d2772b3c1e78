//! `samebit receipts`.

use std::path::{Path, PathBuf};

use samebit_net::Client;
use samebit_net::message::ChainItem;
use samebit_runner::spec::{ChainEntry, ChainHead, EntryId, Hash, JobId, Receipt, ReceiptId};
use serde_json::json;

use crate::cli::files;
use crate::cli::jobs::Whose;
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::output::{GOOD, Output};

const AFTER: &str = "\
A host signs its receipts in a chain, each entry naming the one before. This pulls the chain,
checks every signature, that no entry is missing and none was put in between, and that each names
the receipt that came with it. Whether a receipt is right is for `samebit verify` to say.

The head that is printed is the chain's end. Kept and given to a later call with --after, it shows
whether the host has changed what it had signed by then.

Exit codes:
  0    unbroken
  1    broken: an entry is missing, changed, or follows another than it says; or --after is not in
       the chain
  2    bad usage
  3    the host cannot be reached, or this machine could not
  130  interrupted

Examples:
  samebit receipts
  samebit receipts --host TICKET --out receipts
  samebit receipts --host TICKET --after HEAD";

/// How many entries are asked for at once. Each may come with a receipt of up to 2 MiB.
const BATCH: u32 = 32;
/// More entries than this are not held in memory: a host may go on signing for ever.
const ENTRIES_MAX: u64 = 1 << 20;

/// Arguments of `samebit receipts`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Fail unless the chain contains this head of an earlier call
    #[arg(long, value_name = "HEAD")]
    after: Option<EntryId>,
    /// Write each receipt to this folder, under its place in the chain, such as 0.receipt
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    whose: Whose,
}

/// One receipt of the chain.
struct Link {
    sequence: u64,
    id: EntryId,
    receipt: ReceiptId,
    job: JobId,
    file: Hash,
}

/// Runs the command.
pub(crate) async fn run(args: Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let (client, desk) = args.whose.connect(config, output).await?;
    let pulled = pull(&client, args.out.as_deref()).await;
    if let Some(desk) = desk {
        desk.close().await?;
    }
    let links = pulled?;
    if let Some(after) = args.after
        && !links.iter().any(|link| link.id == after)
    {
        let why = format!("the chain is not what it was: {after} is no entry of it; the host has changed its past");
        return Err(Failure::negative("chain", why));
    }
    let head = links.last().map(|link| link.id.to_string());
    output.answer(
        || json!({ "head": head, "entries": links.iter().map(Link::to_json).collect::<Vec<_>>() }),
        |text| {
            for link in &links {
                text.field(&link.sequence.to_string(), format_args!("{}, job {}", link.receipt, link.job.short()));
            }
            text.headline(GOOD, "unbroken", &format!(", {} receipts", links.len()));
            if let Some(head) = &head {
                text.field("head", head);
            }
        },
    );
    Ok(Exit::Ok)
}

impl Link {
    fn to_json(&self) -> serde_json::Value {
        json!({
            "sequence": self.sequence,
            "receipt": self.receipt.to_string(),
            "job": self.job.to_string(),
            "file": self.file.to_string(),
        })
    }
}

/// Pulls the chain from its start, and writes out what was checked.
async fn pull(client: &Client, out: Option<&Path>) -> Result<Vec<Link>, Failure> {
    if let Some(out) = out {
        files::make_folder(out)?;
    }
    let host = client.info().await?.host;
    let mut head = ChainHead::new(host);
    let mut links = Vec::new();
    loop {
        let items = client.receipts(head.sequence(), BATCH).await?;
        if items.is_empty() {
            return Ok(links);
        }
        if head.sequence() >= ENTRIES_MAX {
            return Err(Failure::host(
                "chain",
                format!("the chain is longer than {ENTRIES_MAX}, as much as is read here"),
            ));
        }
        for item in items {
            let link = check(&item, &mut head).map_err(|why| Failure::negative("chain", why))?;
            if let Some(out) = out {
                files::write_whole(&out.join(format!("{}.receipt", link.sequence)), &item.receipt)?;
            }
            links.push(link);
        }
    }
}

/// Checks that an item continues the chain, and that its receipt is the one that the entry names.
fn check(item: &ChainItem, head: &mut ChainHead) -> Result<Link, String> {
    let place = head.sequence();
    let entry = ChainEntry::decode(&item.entry).map_err(|error| format!("entry {place}: {error}"))?;
    head.advance(&entry).map_err(|error| error.to_string())?;
    let receipt = Receipt::decode(&item.receipt).map_err(|error| format!("the receipt of entry {place}: {error}"))?;
    let is_named =
        receipt.id() == entry.receipt && receipt.host == entry.host && entry.file.hash == Hash::of(&item.receipt);
    if !is_named {
        return Err(format!("the chain is broken: entry {place} came with another receipt than it names"));
    }
    let ChainEntry { sequence, receipt: id_of_receipt, file, .. } = entry;
    Ok(Link { sequence, id: entry.id(), receipt: id_of_receipt, job: receipt.job.id(), file: file.hash })
}

#[cfg(test)]
mod tests {
    use samebit_runner::spec::{BlobRef, SecretKey};

    use super::*;

    #[test]
    fn what_does_not_continue_the_chain_or_is_no_receipt_is_refused() {
        let key = SecretKey::from_bytes(&[7; 32]);
        let mut head = ChainHead::new(key.public());
        let id = "1c".repeat(32).parse().expect("an id");
        let entry = head.sign(id, BlobRef::of(b"no receipt"), &key);
        let item = |entry: Vec<u8>| ChainItem { entry, receipt: b"no receipt".to_vec() };
        let refused = |item: &ChainItem, head: &mut ChainHead| check(item, head).map(drop).expect_err("refused");
        assert!(refused(&item(b"noise".to_vec()), &mut head).contains("entry 0"));
        let other = SecretKey::from_bytes(&[8; 32]);
        assert!(refused(&item(entry.encode()), &mut ChainHead::new(other.public())).contains("chain is host"));
        assert!(refused(&item(entry.encode()), &mut head).contains("the receipt of entry 0"));
    }
}
