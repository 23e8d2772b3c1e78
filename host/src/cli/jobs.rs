//! `samebit jobs`.

use clap::Subcommand;
use samebit_net::Client;
use samebit_net::message::{EventKind, JobState, JobStatus, Provider};
use samebit_runner::spec::{JobId, Receipt};
use serde_json::{Value, json};

use crate::cli::watch::Watch;
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::output::Output;
use crate::remote::{self, Desk, NetArgs, To};

const AFTER: &str = "\
Without --host this speaks to this user's own host. There it shows everybody's jobs; another host
shows only those that were submitted with this machine's key.

Exit codes:
  0    done
  1    for `follow`: the job failed or was cancelled, or its outcome is a failure
  2    bad usage, or no such job
  3    the host cannot be reached
  130  interrupted

Examples:
  samebit jobs list --host TICKET
  samebit jobs follow JOB
  samebit jobs cancel JOB --host TICKET";

/// Arguments of `samebit jobs`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum What {
    /// List jobs, the latest first
    List(Whose),
    /// Show what happened to a job and what happens, to its end
    Follow(One),
    /// End a job
    Cancel(One),
}

/// Whose jobs.
#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    /// The host: its ticket, KEY@ADDRESS:PORT, or its key where discovery can find it
    #[arg(long, value_name = "HOST", value_parser = remote::host)]
    host: Option<Provider>,
    #[command(flatten)]
    net: NetArgs,
}

/// Which job.
#[derive(Debug, clap::Args)]
struct One {
    /// The job's id
    #[arg(value_name = "JOB")]
    job: JobId,
    #[command(flatten)]
    whose: Whose,
}

/// Runs the command.
pub(crate) async fn run(args: Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let whose = match &args.what {
        What::List(whose) => whose,
        What::Follow(one) | What::Cancel(one) => &one.whose,
    };
    let (client, desk) = whose.connect(config, output).await?;
    let done = match &args.what {
        What::List(_) => list(&client, output).await,
        What::Follow(one) => follow(&client, one.job, output).await,
        What::Cancel(one) => cancel(&client, one.job, output).await,
    };
    if let Some(desk) = desk {
        desk.close().await?;
    }
    done
}

impl Whose {
    pub(super) async fn connect(&self, config: &Config, output: &Output) -> Result<(Client, Option<Desk>), Failure> {
        let Some(host) = &self.host else {
            let why = "no host is named and none is up on this store: name one with --host, or start `samebit host`";
            let client = remote::client(config).ok_or_else(|| Failure::usage("host", why))?;
            return Ok((client, None));
        };
        let desk = Desk::open(config, &self.net, To::Others, output).await?;
        let client = desk.node.connect(host).await?;
        Ok((client, Some(desk)))
    }
}

async fn list(client: &Client, output: &Output) -> Result<Exit, Failure> {
    let jobs = client.status(None).await?;
    output.answer(
        || json!({ "jobs": jobs.iter().map(status_json).collect::<Vec<_>>() }),
        |text| {
            for job in &jobs {
                text.field(word(job.state), format_args!("{}{}", job.job, receipt(job)));
            }
        },
    );
    Ok(Exit::Ok)
}

async fn follow(client: &Client, job: JobId, output: &Output) -> Result<Exit, Failure> {
    let watch = Watch::new(output);
    let mut story = client.events(job, 0).await?;
    let mut last = None;
    while let Some(event) = story.next().await? {
        watch.tell(&event);
        last = Some(event.kind);
    }
    watch.progress.finish();
    let (word, exit, receipt) = match last {
        Some(EventKind::Done { receipt }) => {
            let receipt = Receipt::decode(&receipt)?;
            let is_ok = receipt.outcome.status == samebit_runner::spec::Status::Ok;
            ("done", if is_ok { Exit::Ok } else { Exit::Negative }, Some(receipt.id().to_string()))
        }
        Some(EventKind::Failed { .. }) => ("failed", Exit::Negative, None),
        _ => ("cancelled", Exit::Negative, None),
    };
    output.answer(
        || json!({ "job": job.to_string(), "state": word, "receipt": receipt }),
        |text| {
            text.field(word, job);
            if let Some(receipt) = &receipt {
                text.field("receipt", receipt);
            }
        },
    );
    Ok(exit)
}

async fn cancel(client: &Client, job: JobId, output: &Output) -> Result<Exit, Failure> {
    client.cancel(job).await?;
    output.answer(|| json!({ "job": job.to_string(), "cancelled": true }), |text| text.field("cancelled", job));
    Ok(Exit::Ok)
}

fn status_json(job: &JobStatus) -> Value {
    let position = match job.state {
        JobState::Queued { position } => Some(position),
        _ => None,
    };
    json!({
        "job": job.job.to_string(),
        "state": word(job.state),
        "position": position,
        "accepted_unix_ms": job.accepted_unix_ms,
        "last_seq": job.last_seq,
        "receipt": job.receipt.map(|id| id.to_string()),
    })
}

fn word(state: JobState) -> &'static str {
    match state {
        JobState::Queued { .. } => "queued",
        JobState::Fetching => "fetching",
        JobState::Running => "running",
        JobState::Done => "done",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
    }
}

fn receipt(job: &JobStatus) -> String {
    match (job.receipt, job.state) {
        (Some(id), _) => format!(", receipt {}", id.short()),
        (None, JobState::Queued { position }) => format!(", {position} before it"),
        (None, _) => String::new(),
    }
}
