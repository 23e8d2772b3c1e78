//! `samebit peers`.

use samebit_net::message::{LocalRequest, LocalResponse};
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::output::Output;
use crate::remote;

const AFTER: &str = "\
Hosts tell of themselves by signed announcements, which this user's own host hears if it was
started with --peer or --announce. What they say of themselves is their word.

Exit codes:
  0    done
  2    no host is up here to ask
  3    it does not answer
  130  interrupted

Examples:
  samebit peers
  samebit peers --json";

/// Arguments of `samebit peers`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) async fn run(_args: &Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let why = "no host is up on this store to ask: start one with `samebit host --peer HOST`";
    let client = remote::client(config).ok_or_else(|| Failure::usage("host", why))?;
    let mut peers = Vec::new();
    client.local(LocalRequest::Peers, |answer| peers.push(answer)).await?;
    output.answer(
        || json!({ "peers": peers.iter().filter_map(peer_json).collect::<Vec<_>>() }),
        |text| {
            for peer in &peers {
                let LocalResponse::Peer { info, provider, .. } = peer else { continue };
                let load = info.load;
                let devices = info.devices.iter().map(|device| device.name.to_string()).collect::<Vec<_>>();
                text.field("host", info.host);
                text.field("devices", devices.join(", "));
                text.field("load", format_args!("{} of {} run, {} wait", load.running, load.slots, load.queued));
                if let Some(price) = &info.price {
                    text.field("price", price);
                }
                for label in &info.labels {
                    text.field("label", label);
                }
                if let Ok(ticket) = provider.ticket() {
                    text.field("ticket", ticket);
                }
            }
        },
    );
    Ok(Exit::Ok)
}

fn peer_json(peer: &LocalResponse) -> Option<Value> {
    let LocalResponse::Peer { info, provider, announced_unix_ms } = peer else { return None };
    let load = info.load;
    Some(json!({
        "host": info.host.to_string(),
        "program": info.program.as_str(),
        "devices": info.devices.iter().map(|device| json!({
            "name": device.name.as_str(), "backend": device.backend.as_str(),
            "exact": device.exact, "native": device.native,
        })).collect::<Vec<_>>(),
        "load": { "running": load.running, "slots": load.slots, "queued": load.queued, "queue_max": load.queue_max },
        "price": info.price.as_ref().map(|price| price.as_str()),
        "labels": info.labels.iter().map(|label| label.as_str()).collect::<Vec<_>>(),
        "receipts": info.receipts,
        "ticket": provider.ticket().ok(),
        "announced_unix_ms": announced_unix_ms,
    }))
}
