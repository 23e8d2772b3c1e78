//! `samebit submit` to many hosts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use samebit_net::message::{OnDisconnect, Provider};
use samebit_runner::spec::{JobSpec, Publication};
use samebit_runner::store::Pin;

use crate::array::drive::Drive;
use crate::array::each::{Each, Entry};
use crate::array::find::{self, Found};
use crate::array::place::room;
use crate::array::plan::Plan;
use crate::array::report::Report;
use crate::array::results::Results;
use crate::array::spread::{Spread, Task};
use crate::array::state::{Done, Head, State};
use crate::array::view::View;
use crate::array::work::Work;
use crate::cli::job::Draft;
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::interrupt;
use crate::output::{Output, clean, counted};
use crate::remote::{self, Desk, Line};

/// Flags of arrays.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Many jobs, many hosts")]
pub(crate) struct ArrayArgs {
    /// Make one job for each file of a folder or each line of a file, as the input NAME (without NAME=: `stdin`), or for
    /// each integer of a range, as the last argument: `image=photos/`, `lines.txt`, `0..100` (without 100), `1..=12`
    #[arg(long, value_name = "[NAME=]DIR|FILE|A..B", value_parser = Each::parse, allow_hyphen_values = true)]
    each: Option<Each>,
    /// Spread the jobs over hosts that this user's own host has heard of: `any`, or the N best
    #[arg(long, value_name = "any|N", value_parser = hosts)]
    hosts: Option<usize>,
    /// Have each job done by R different hosts, and compare what they signed
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u16).range(1..=64))]
    replicas: Option<u16>,
    /// Write each job's receipt to this folder
    #[arg(long, value_name = "DIR")]
    receipts: Option<PathBuf>,
    /// Keep what is done in this file, and do only what is missing when the same command is given again
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Try a job elsewhere when a host takes longer than this for it, waiting in line included [default: 3600]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    try_s: Option<u64>,
}

/// What else an array needs to know.
pub(crate) struct Rest<'a> {
    /// Hosts that were named.
    pub(crate) named: Vec<Provider>,
    /// Where outputs go.
    pub(crate) out: Option<&'a Path>,
    /// The author's publication of the module.
    pub(crate) publication: Option<&'a Publication>,
    /// What becomes of jobs when this command goes away.
    pub(crate) on_disconnect: OnDisconnect,
}

impl ArrayArgs {
    /// True if one of these flags is given.
    pub(crate) fn are_given(&self) -> bool {
        let Self { each, hosts, replicas, receipts, state, try_s } = self;
        let paths = receipts.is_some() || state.is_some();
        each.is_some() || hosts.is_some() || replicas.is_some() || paths || try_s.is_some()
    }

    fn replicas(&self) -> usize {
        self.replicas.map_or(1, usize::from)
    }

    fn try_time(&self) -> Duration {
        Duration::from_secs(self.try_s.unwrap_or(3600))
    }

    /// The jobs. Reads files on a thread of its own.
    async fn plan(&self, common: JobSpec) -> Result<Plan, Failure> {
        let each = self.each.clone();
        let plan = tokio::task::spawn_blocking(move || {
            let entries = each.as_ref().map_or_else(|| Ok(vec![Entry::only()]), Each::entries)?;
            Plan::new(common, each.as_ref().and_then(Each::input).cloned(), entries)
        });
        plan.await.map_err(|error| Failure::panicked(&error))?
    }
}

/// Spreads an array over hosts.
pub(crate) async fn run(
    args: &ArrayArgs,
    draft: Draft,
    rest: Rest<'_>,
    desk: &Desk,
    config: &Config,
    output: &Output,
) -> Result<Exit, Failure> {
    let prepared = async {
        let imported = draft.import(&desk.store).await?;
        let plan = args.plan(imported.job).await?;
        let (state, results) = open_state(args, &plan, &rest)?;
        let found = find_hosts(args, &plan, &results, &rest, desk, config, output).await?;
        Ok::<_, Failure>((plan, state, results, found, imported.pins))
    };
    let (plan, state, results, found, pins) = tokio::select! {
        prepared = prepared => prepared?,
        () = interrupt::requested() => return Err(Failure::interrupted()),
    };
    let work = Work {
        desk,
        plan: &plan,
        lines: &found.lines,
        publication: rest.publication,
        on_disconnect: rest.on_disconnect,
        try_time: args.try_time(),
        out: rest.out,
        receipts: args.receipts.as_deref(),
        replicas: args.replicas(),
    };
    let keys = found.places.iter().map(|place| place.info.host).collect::<Vec<_>>();
    let view = View::new(output, plan.len(), plan.len() - results.unfinished(), &keys);
    let spread = spread(args.replicas(), &plan, &results, &found);
    let mut drive = Drive::new(&work, spread, results, state, view);
    let ended = tokio::select! {
        ended = drive.run() => ended,
        () = interrupt::requested() => Err(interrupted(&drive, args)),
    };
    drive.finish();
    drop::<Vec<Pin>>(pins);
    ended?;
    let Found { left_out, .. } = &found;
    let report = Report { plan: &plan, results: &drive.results, records: &drive.records, left_out, out: rest.out };
    output.answer(|| report.to_json(), |text| report.show(text));
    Ok(drive.results.tally().exit())
}

/// The state file, if one is wanted, and what was done before.
fn open_state(args: &ArrayArgs, plan: &Plan, rest: &Rest<'_>) -> Result<(Option<State>, Results), Failure> {
    let mut results = Results::new(plan.len(), args.replicas());
    let Some(path) = &args.state else { return Ok((None, results)) };
    let head = Head::new(plan, rest.out, args.receipts.as_deref());
    let state = State::open(path, &head, plan, |done| match done {
        Done::Receipt(job, receipt) => results.add(job, *receipt),
        Done::Written(job) => results.settle(job),
    })?;
    Ok((Some(state), results))
}

/// Asks hosts, unless there is nothing to be done.
async fn find_hosts(
    args: &ArrayArgs,
    plan: &Plan,
    results: &Results,
    rest: &Rest<'_>,
    desk: &Desk,
    config: &Config,
    output: &Output,
) -> Result<Found, Failure> {
    if results.unfinished() == 0 {
        return Ok(Found::default());
    }
    let lines = lines(args, plan, rest, desk, config).await?;
    let count_max = args.hosts.unwrap_or(usize::MAX).max(rest.named.len());
    let found = find::find(desk, plan, lines, count_max).await;
    for (host, why) in &found.left_out {
        output.note(&clean(&format!("host {host} is left out: {why}")));
    }
    let (able, wanted) = (found.places.len(), args.replicas());
    if able == 0 {
        let whys = found.left_out.iter().take(3).map(|(host, why)| format!("host {host}: {why}")).collect::<Vec<_>>();
        let why = format!("no host of {} can do these jobs: {}", found.left_out.len(), whys.join("; "));
        return Err(Failure::host("host", why));
    }
    if able < wanted {
        let why = format!("--replicas {wanted} needs as many different hosts, and only {able} can do these jobs");
        return Err(Failure::usage("replicas", why));
    }
    output.note(&format!("{} over {}", counted(plan.len(), "job"), counted(able, "host")));
    Ok(found)
}

/// The ways to hosts that were named or heard of, or else to this user's own.
async fn lines(
    args: &ArrayArgs,
    plan: &Plan,
    rest: &Rest<'_>,
    desk: &Desk,
    config: &Config,
) -> Result<Vec<Line>, Failure> {
    let own = remote::client(config);
    let mut providers = rest.named.clone();
    if args.hosts.is_some() {
        let why = "--hosts asks this user's own host whom it has heard of, and none is up on this store: start one with \
             `samebit host --peer HOST`, or name hosts with --host";
        let own = own.as_ref().ok_or_else(|| Failure::usage("host", why))?;
        providers.extend(find::heard(own, plan).await?);
    }
    let lines = find::lines(desk, providers);
    match own {
        _ if !lines.is_empty() => Ok(lines),
        Some(own) if args.hosts.is_none() && rest.named.is_empty() => Ok(vec![Line::local(own)]),
        Some(_) => {
            let why = "no host is known yet that could do these jobs: wait until `samebit peers` lists some, or name hosts \
                 with --host";
            Err(Failure::usage("host", why))
        }
        None => {
            let why = "no host is named and none is up on this store: name some with --host, or start `samebit host`";
            Err(Failure::usage("host", why))
        }
    }
}

/// Puts everything that is known at the beginning before the one who spreads the jobs.
fn spread(replicas: usize, plan: &Plan, results: &Results, found: &Found) -> Spread {
    let inputs = (0..plan.len()).map(|job| plan.entry(job).own.input().map(|blob| blob.hash));
    let hosts = found.places.iter().map(|place| (place.info.host, room(&place.info.load)));
    let mut spread = Spread::new(inputs, hosts, replicas);
    for (host, input) in &found.held {
        spread.holds(*host, *input);
    }
    for (job, result) in results.jobs().iter().enumerate() {
        for replica in &result.replicas {
            spread.was_done(Task { job, host: replica.host });
        }
    }
    spread
}

fn interrupted(drive: &Drive<'_>, args: &ArrayArgs) -> Failure {
    let all = drive.results.jobs().len();
    let done = all - drive.results.unfinished();
    let next = match &args.state {
        Some(path) => format!("the same command goes on from {}", path.display()),
        None => "without --state, the same command begins anew, but for what hosts have".to_owned(),
    };
    Failure::interrupted_after(format!("interrupted: {done} of {} done; {next}", counted(all, "job")))
}

/// Reads `any` or a number.
fn hosts(text: &str) -> Result<usize, String> {
    match text {
        "any" => Ok(usize::MAX),
        _ => match text.parse() {
            Ok(count @ 1..) => Ok(count),
            _ => Err("expected `any`, or how many hosts at most".to_owned()),
        },
    }
}
