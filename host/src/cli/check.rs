//! `samebit check`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use samebit_reference::check::{Checker, CheckingDevice, Options, Origin, Progress as Step, Report};
use samebit_reference::interp::InterpError;
use samebit_runner::Fetched;
use samebit_runner::engine::device::Device;
use samebit_runner::engine::device::wgsl::{Admission, lower};
use samebit_runner::spec::{Profile, Status};
use serde_json::json;

use crate::cli::bindings::{Bound, Launch, LaunchArgs, refused};
use crate::cli::job::JobArgs;
use crate::cli::report::{status_detail, status_word};
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::machine::Machine;
use crate::output::{Output, clean};
use crate::progress::Progress;

const AFTER: &str = "\
MODULE may also be a kernel, FILE.wgsl, which is then launched as by `samebit kernel`. Every
dispatch runs on this CPU, first in order and with every access to memory watched, then again in
other orders of workgroups and invocations, whose bytes must be the same. It takes far longer
than a run: use small inputs that matter.

What is found:
  data-race            two invocations access a word, one writes, and no barrier is between
  atomic-order         two atomic writes of which the last one wins
  order-dependent      bytes that differ between orders
  end-dependent        a dispatch that comes to its end in one order and not in another
  barrier-divergence   a barrier that not all invocations of a workgroup reach
  budget-spent         a loop that does not end within the budget of iterations
  out-of-range         an index past the end; the last element is accessed instead
  uninitialized        workgroup memory that is read and was never written; it reads as zero

Exit codes:
  0    nothing was found
  1    something was found, or the job failed, trapped or reached a limit
  2    bad usage or input: a kernel or module that is refused, bindings that do not fit
  3    this machine could not finish the check: out of time or memory
  130  interrupted

Examples:
  samebit check blur.wgsl --groups 8,8 --bind 0:0=npy:photo.npy --bind 0:1=zero:64KiB
  samebit check sort.wgsl --entry pass --groups 4 --bind 0:0=keys.bin --const width=256 --orders 20
  samebit check filter.wasm --input image=small.png --arg blur
  samebit check job.toml --json";

/// How long a check is silent before it says how far it has come, and between two times that it says so.
const SILENCE_MS: u64 = 10_000;

/// Arguments of `samebit check`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    launch: LaunchArgs,
    /// Compare so many random orders, and the reversed one, and one that interleaves; 0 compares none
    #[arg(long, value_name = "K", default_value_t = 4, value_parser = clap::value_parser!(u32).range(0..=1_000), help_heading = "Check")]
    orders: u32,
    /// Give up after this many seconds on the clock
    #[arg(long = "limit-wall-s", value_name = "SECONDS", default_value_t = 3_600, value_parser = clap::value_parser!(u64).range(1..=31_536_000), help_heading = "Check")]
    wall_s: u64,
}

/// Runs the command.
pub(crate) async fn run(args: Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let Args { job, launch, orders, wall_s } = args;
    let wall_time = Duration::from_secs(wall_s);
    let options = Options { orders, ..Options::default() };
    let patience = Patience::new(output, wall_time);
    let checked = if is_kernel(&job.module) {
        let output = output.clone();
        let checked = tokio::task::spawn_blocking(move || kernel(&job, launch, options, &patience, &output));
        checked.await.map_err(|error| Failure::panicked(&error))??
    } else {
        if launch.is_given() {
            let why = "--entry, --groups, --bind and --const are for kernels: a module launches its own";
            return Err(Failure::usage("usage", why));
        }
        module(job, options, patience, wall_time, config, output).await?
    };
    show(&checked, output);
    checked.exit(wall_time)
}

fn is_kernel(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wgsl"))
}

/// What came of it.
struct Checked {
    report: Report,
    /// How the job ended, if it was one and this machine could run it.
    status: Option<Status>,
    /// Why this machine could not.
    failure: Option<Failure>,
}

impl Checked {
    fn exit(self, wall_time: Duration) -> Result<Exit, Failure> {
        if !self.report.is_clean() {
            return Ok(Exit::Negative);
        }
        if self.report.kernels.iter().any(|kernel| kernel.is_stopped) {
            let why = format!("the check was stopped: it ran longer than {} s (--limit-wall-s)", wall_time.as_secs());
            return Err(Failure::host("wall-time", why));
        }
        match (self.failure, self.status) {
            (Some(failure), _) => Err(failure),
            (None, None | Some(Status::Ok)) => Ok(Exit::Ok),
            (None, Some(_)) => Ok(Exit::Negative),
        }
    }
}

/// Checks one launch of a kernel. Blocks.
fn kernel(
    job: &JobArgs,
    launch: LaunchArgs,
    options: Options,
    patience: &Patience,
    output: &Output,
) -> Result<Checked, Failure> {
    let (profile, loop_iterations) = job.of_kernel()?;
    let loop_iterations = u32::try_from(loop_iterations).ok().filter(|count| *count < 1 << 31);
    let loop_iterations =
        loop_iterations.ok_or_else(|| Failure::usage("limit", "--limit-loop-iterations is too large: at most 2G"))?;
    let path = Path::new(&job.module);
    let Launch { text, kernel, groups, bindings, .. } = launch.prepare(path)?;
    bindings.iter().filter_map(Bound::note).for_each(|note| output.note(&note));
    let admission = match profile {
        Profile::Exact => Admission::Exact,
        Profile::Native => Admission::Native,
    };
    let lowered = Arc::new(lower(&kernel, &text, admission).map_err(|error| refused(path, &error))?);
    let failed = |error: InterpError| Failure::host("bug", format!("{error}; please report it"));
    let mut checker = Checker::new(lowered, Origin::new(&job.module, &kernel, &text)).map_err(failed)?;
    let mut buffers = Vec::with_capacity(bindings.len());
    for Bound { mut bytes, size_bytes, .. } in bindings {
        // Sizes of bindings are bounded, and known to fit by now.
        bytes.resize(usize::try_from(size_bytes).unwrap_or(usize::MAX), 0);
        buffers.push(bytes);
    }
    let options = Options { loop_iterations, ..options };
    checker.dispatch(&mut buffers, groups, &options, &|step| patience.goes_on(step)).map_err(failed)?;
    Ok(Checked { report: Report { kernels: vec![checker.report()] }, status: None, failure: None })
}

/// Runs a job on a device that checks.
async fn module(
    job: JobArgs,
    options: Options,
    patience: Patience,
    wall_time: Duration,
    config: &Config,
    output: &Output,
) -> Result<Checked, Failure> {
    let draft = job.draft()?;
    let device = Arc::new(CheckingDevice::new(options, move |step| patience.goes_on(step)));
    let shared = device.clone();
    let source = Arc::new(move || Ok(shared.clone() as Arc<dyn Device>));
    let machine = Machine::open(config, source, wall_time, output).await?;
    let ran = async {
        let imported = draft.import(&machine.host.store).await?;
        let compiled = Fetched::fetch(&machine.host, imported.job).await?.compile(&machine.host).await?;
        let progress = Progress::new(output);
        let ran = compiled.run(&machine.host, progress.clone()).await;
        progress.finish();
        drop(imported.pins);
        Ok::<_, Failure>(ran?.status().clone())
    };
    let ran = ran.await;
    machine.close().await?;
    let report = device.report();
    match ran {
        Ok(status) => Ok(Checked { report, status: Some(status), failure: None }),
        // What was found before is worth more than why it ended.
        Err(failure) if !report.kernels.is_empty() => Ok(Checked { report, status: None, failure: Some(failure) }),
        Err(failure) => Err(failure),
    }
}

/// How long the user waits, and is told why.
struct Patience {
    output: Output,
    started: Instant,
    wall_time: Duration,
    /// When something was said, in milliseconds since the start.
    said_ms: AtomicU64,
}

impl Patience {
    fn new(output: &Output, wall_time: Duration) -> Self {
        Self { output: output.clone(), started: Instant::now(), wall_time, said_ms: AtomicU64::new(0) }
    }

    /// Says how far a check has come, if it takes long. False if it takes too long.
    fn goes_on(&self, step: Step) -> bool {
        let elapsed = self.started.elapsed();
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        if elapsed_ms >= self.said_ms.load(Ordering::Relaxed).saturating_add(SILENCE_MS) {
            self.said_ms.store(elapsed_ms, Ordering::Relaxed);
            let Step { run, runs, workgroups_begun, workgroups } = step;
            let what = if run == 0 { "watching every access" } else { "comparing another order" };
            self.output.note(&format!(
                "{what}: workgroup {workgroups_begun} of {workgroups}, run {} of {runs} of a dispatch, {} s",
                run + 1,
                elapsed.as_secs()
            ));
        }
        elapsed < self.wall_time
    }
}

fn show(checked: &Checked, output: &Output) {
    let Checked { report, status, failure } = checked;
    let json = || {
        json!({
            "findings": report.findings(),
            "kernels": report.kernels,
            "job": status.as_ref().map(|status| json!({
                "status": status_word(status),
                "detail": status_detail(status),
            })),
        })
    };
    // Then why it ended is the answer.
    let is_stopped = report.kernels.iter().any(|kernel| kernel.is_stopped);
    if report.is_clean() && (failure.is_some() || is_stopped) {
        return;
    }
    output.answer(json, |text| text.line(words(checked).trim_end()));
}

/// All of it for people. Colors are taken out again where nobody wants them.
fn words(Checked { report, status, failure }: &Checked) -> String {
    let mut text = report.text(true);
    if report.kernels.is_empty() {
        text.push_str("nothing was checked: the job launched no kernel\n");
    }
    match (status, failure) {
        (Some(status), _) if *status != Status::Ok => {
            text.push_str(&format!("\nthe job did not succeed: {}\n", clean(&status.to_string())));
        }
        (_, Some(failure)) => text.push_str(&format!("\nthe job was not finished: {}\n", clean(failure.message()))),
        _ => {}
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_told_by_their_name() {
        assert!(is_kernel("a/b.wgsl") && is_kernel("B.WGSL"));
        assert!(!is_kernel("b.wasm") && !is_kernel("wgsl") && !is_kernel("job.toml"));
    }
}
