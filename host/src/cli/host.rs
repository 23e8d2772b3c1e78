//! `samebit host`.

use std::path::PathBuf;

use clap::Subcommand;
use samebit_net::Client;
use samebit_net::message::{JobState, LocalRequest, LocalResponse};
use serde_json::{Value, json};

use crate::config::Config;
use crate::daemon::config::HostSettings;
use crate::daemon::serve::Serving;
use crate::error::{Exit, Failure};
use crate::interrupt;
use crate::output::{GOOD, Output, size};
use crate::remote;

const AFTER: &str = "\
A host takes jobs, runs them in the sandbox, and signs a receipt for each. Without --allow or a
policy only programs on this machine may submit. Jobs, their ends and receipts survive any end of
the process; what was running is run again. Ctrl-C or SIGTERM ends the host: it waits for jobs
that run, and keeps the others for the next start.

Settings are flags, then SAMEBIT_HOST_… variables, then the configuration file (`host.toml` in the store, if it is
there). A policy file, for example:
  submitters = { allow = [\"any\"], deny = [] }
  authors.allow = [\"KEY\"]
  [job.limits]
  fuel = \"1T\"
  [peer]
  queued = 100
  running = 2

Exit codes:
  0    ended as asked; for `status`, the host is up
  2    bad usage: a flag, the configuration, the policy
  3    this machine could not, or could not go on; for `status`, no host is up
  130  interrupted before it was up

Examples:
  samebit host --offline --allow any
  samebit host --allow KEY --jobs 4 --memory 16GiB --policy policy.toml
  samebit host --allow any --disk-quota 200GiB
  samebit host --check-config
  samebit host status";

/// Arguments of `samebit host`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "SAMEBIT_HOST_CONFIG")]
    config: Option<PathBuf>,
    /// Print the settings as they come out, and do nothing else
    #[arg(long)]
    check_config: bool,
    #[command(flatten)]
    settings: HostSettings,
}

/// What else to do.
#[derive(Debug, Subcommand)]
enum What {
    /// Say what this user's host is doing
    #[command(after_help = AFTER)]
    Status,
}

impl Args {
    /// True if the command ends in its own time when it is interrupted.
    pub(crate) fn ends_itself(&self) -> bool {
        self.what.is_none() && !self.check_config
    }
}

/// Runs the command.
pub(crate) async fn run(args: Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    if let Some(What::Status) = args.what {
        return status(config, output).await;
    }
    let host = args.settings.resolve(args.config.as_deref(), config.store())?;
    if args.check_config {
        output.raw(&format!("{:#}\n", host.to_json()));
        return Ok(Exit::Ok);
    }
    let open = host.policy.submitters.allow.is_some();
    let serving = tokio::select! {
        serving = Serving::start(config, host, output) => serving?,
        () = interrupt::ended() => return Err(Failure::interrupted()),
    };
    announce(&serving, open, output)?;
    let ended = tokio::select! {
        () = interrupt::ended() => Ok(Exit::Ok),
        why = serving.failed() => Err(Failure::host("state", why)),
    };
    output.note("ending: waiting for jobs that run");
    let stopped = serving.stop().await;
    // Why it had to end matters more than what went wrong on the way out.
    ended.and_then(|exit| stopped.map(|()| exit))
}

fn announce(serving: &Serving, open: bool, output: &Output) -> Result<(), Failure> {
    let ticket = serving.ticket()?;
    output.answer(
        || json!({ "host": serving.key(), "ticket": ticket, "sockets": serving.sockets() }),
        |text| {
            text.headline(GOOD, "host", " is up");
            text.field("key", serving.key());
            for socket in serving.sockets() {
                text.field("listens", socket);
            }
            text.field("ticket", &ticket);
        },
    );
    if !open {
        output.note("only programs on this machine may submit: allow others with --allow or a policy");
    }
    Ok(())
}

/// What the host's blobs take.
struct Room {
    used_bytes: u64,
    kept_bytes: u64,
    quota_bytes: Option<u64>,
}

impl Room {
    fn text(&self) -> String {
        let may = self.quota_bytes.map_or_else(|| "no quota".to_owned(), |quota| format!("of {}", size(quota)));
        format!("{} {may}, {} never go", size(self.used_bytes), size(self.kept_bytes))
    }
}

async fn room(client: &Client) -> Result<Room, Failure> {
    let mut room = None;
    let take = |answer| {
        if let LocalResponse::Room { used_bytes, kept_bytes, quota_bytes } = answer {
            room = Some(Room { used_bytes, kept_bytes, quota_bytes });
        }
    };
    client.local(LocalRequest::Room, take).await?;
    room.ok_or_else(|| Failure::host("network", "this user's host did not say what its blobs take"))
}

async fn status(config: &Config, output: &Output) -> Result<Exit, Failure> {
    let none = || Failure::host("host", "no host is up on this store: start one with `samebit host`");
    let client = remote::client(config).ok_or_else(none)?;
    let info = client.info().await.map_err(|error| Failure::host("host", error.to_string()))?;
    let jobs = client.status(None).await?;
    let room = room(&client).await?;
    let count = |wanted: fn(&JobState) -> bool| jobs.iter().filter(|job| wanted(&job.state)).count();
    let done = count(|state| matches!(state, JobState::Done));
    let failed = count(|state| matches!(state, JobState::Failed));
    let load = info.load;
    output.answer(
        || -> Value {
            json!({
                "host": info.host.to_string(),
                "program": info.program.as_str(),
                "devices": info.devices.iter().map(|device| device.name.as_str()).collect::<Vec<_>>(),
                "load": { "running": load.running, "slots": load.slots, "queued": load.queued, "queue_max": load.queue_max },
                "store": { "used_bytes": room.used_bytes, "kept_bytes": room.kept_bytes, "quota_bytes": room.quota_bytes },
                "receipts": info.receipts,
                "done": done,
                "failed": failed,
            })
        },
        |text| {
            text.headline(GOOD, "host", " is up");
            text.field("key", info.host);
            text.field("program", &info.program);
            for device in &info.devices {
                text.field("device", &device.name);
            }
            text.field("running", format_args!("{} of {}", load.running, load.slots));
            text.field("queued", format_args!("{} of {}", load.queued, load.queue_max));
            text.field("receipts", info.receipts);
            text.field("store", room.text());
            text.field("memory", format_args!("{} a job at most", size(info.caps.memory_bytes)));
        },
    );
    Ok(Exit::Ok)
}
