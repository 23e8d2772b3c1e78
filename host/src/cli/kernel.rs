//! `samebit kernel`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use samebit_runner::engine::device::wgsl::Admission;
use samebit_runner::engine::device::{
    BufferId, BufferRange, CallError, Checked, DeviceError, DeviceInfo, FinishError, Grid, KernelFault, KernelId,
    ReadError, SessionOptions,
};
use samebit_runner::spec::{Hash, Profile};
use serde_json::{Value, json};

use crate::cli::bindings::{At, Bound, Launch, LaunchArgs, loop_iterations, placed};
use crate::cli::files;
use crate::cli::job::profile;
use crate::cli::run::HostArgs;
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::output::{GOOD, Output, Text, size};

const AFTER: &str = "\
The kernel is launched once, or with --repeat several times, each time over the same bytes. The
time is from the launch until the device is done, without compiling and copying. Buffers are
hashed and dumped as the last launch left them, padding included.

Exit codes:
  0    the kernel ran
  1    an invocation spent its budget of loop iterations; nothing is dumped
  2    bad usage or input: a kernel that is refused, a file that cannot be read, bindings that do
       not fit
  3    this machine could not: no device, out of time or memory, a file that cannot be written
  130  interrupted

Examples:
  samebit kernel double.wgsl --groups 64 --bind 0:0=npy:in.npy --dump 0:0=out.bin
  samebit kernel sgemm.wgsl --entry tiled --groups 32,32 --bind 0:0=a.bin --bind 0:1=b.bin --bind 0:2=zero:4MiB
  samebit kernel life.wgsl --groups 16,16 --bind 0:0=zero:64KiB --const width=128 --repeat 20 --json
  samebit kernel noise.wgsl --groups 64 --bind 0:0=zero:64KiB --device gpu --profile native";

/// A job's default.
const LOOP_ITERATIONS: u32 = 1 << 24;

/// How large a piece of a binding's bytes is queued at once.
const PIECE_BYTES: usize = 4 << 20;

/// Arguments of `samebit kernel`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The kernel's WGSL text
    #[arg(value_name = "FILE.wgsl")]
    file: PathBuf,
    #[command(flatten)]
    launch: LaunchArgs,
    /// Loop iterations of an invocation, of all loops together [default: 16_777_216]
    #[arg(long = "limit-loop-iterations", value_name = "COUNT", value_parser = loop_iterations, help_heading = "Launch")]
    loop_iterations: Option<u32>,
    /// Write what @group(G) @binding(B) holds afterward to a file, raw (repeatable)
    #[arg(short, long = "dump", value_name = "G:B=FILE", value_parser = dump, help_heading = "Launch")]
    dumps: Vec<(At, PathBuf)>,
    /// Launch so many times, and show the shortest and the median time
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Launch")]
    repeat: u32,
    /// Which bits floats have: `exact`, the same everywhere, or `native`, whatever the device gives
    #[arg(long, value_name = "PROFILE", default_value = "exact", value_parser = profile, help_heading = "Launch")]
    profile: Profile,
    #[command(flatten)]
    host: HostArgs,
}

fn dump(text: &str) -> Result<(At, PathBuf), String> {
    placed(text).map(|(at, path)| (at, path.into()))
}

/// Runs the command.
pub(crate) async fn run(args: Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let (file, dumps, limit) = (args.file, args.dumps, args.host.wall_time());
    let prepared = tokio::task::spawn_blocking(move || args.launch.prepare(&file).map(|launch| (launch, file)));
    let (launch, file) = prepared.await.map_err(|error| Failure::panicked(&error))??;
    if let Some((at, _)) = dumps.iter().find(|(at, _)| !launch.bindings.iter().any(|bound| bound.at() == *at)) {
        return Err(Failure::usage("dump", format!("binding {at} cannot be dumped: the kernel does not use it")));
    }
    launch.bindings.iter().filter_map(Bound::note).for_each(|note| output.note(&note));
    let options = args.host.worker_options();
    let choice = args.host.device.unwrap_or_default();
    let batteries = config.batteries();
    let device = tokio::task::spawn_blocking(move || choice.device(&batteries, options));
    let device = device.await.map_err(|error| Failure::panicked(&error))?.map_err(device_failed)?;
    let admission = match args.profile {
        Profile::Exact => Admission::Exact,
        Profile::Native => Admission::Native,
    };
    let options = SessionOptions { admission, loop_iterations: args.loop_iterations.unwrap_or(LOOP_ITERATIONS) };
    let session = device.open(options).await.map_err(device_failed)?;
    let gpu = Checked::new(session, u64::MAX, admission);
    let bench = Bench { gpu, repeat: args.repeat, file };
    let late = || {
        let why = format!("the kernel was stopped: it ran longer than {} s (--limit-wall-s)", limit.as_secs());
        Failure::host("wall-time", why)
    };
    let ran = tokio::time::timeout(limit, bench.run(launch)).await.map_err(|_| late())??;
    for (at, path) in &dumps {
        let result = ran.results.iter().find(|result| result.bound.at() == *at);
        result.map_or(Ok(()), |result| files::write_whole(path, &result.bytes))?;
    }
    let shown = Shown { ran: &ran, info: device.info(), profile: args.profile, dumps: &dumps };
    output.answer(|| shown.json(), |text| shown.text(text));
    Ok(Exit::Ok)
}

/// A session, and what to do on it.
struct Bench {
    gpu: Checked,
    repeat: u32,
    file: PathBuf,
}

/// What came of it.
struct Ran {
    entry: String,
    groups: [u32; 3],
    workgroup_size: [u32; 3],
    compile: Duration,
    /// Of each launch, shortest first.
    times: Vec<Duration>,
    results: Vec<Finished>,
}

/// A binding afterward.
struct Finished {
    bound: Bound,
    bytes: Vec<u8>,
    hash: Hash,
}

impl Bench {
    async fn run(mut self, launch: Launch) -> Result<Ran, Failure> {
        let Launch { text, kernel, groups, bindings, .. } = launch;
        let (entry, workgroup_size) = (kernel.entry_point().to_owned(), kernel.interface().workgroup_size);
        let started = Instant::now();
        let created = tokio::task::spawn_blocking(move || {
            let created = self.gpu.kernel_create(kernel, &text);
            (self, created)
        });
        let (bench, created) = created.await.map_err(|error| Failure::panicked(&error))?;
        self = bench;
        let kernel = created.map_err(|fault| kernel_failed(&self.file, fault))?;
        let compile = started.elapsed();
        let mut buffers = Vec::with_capacity(bindings.len());
        for bound in &bindings {
            buffers.push(self.gpu.buffer_create(bound.size_bytes).map_err(call_failed)?);
        }
        let mut times = Vec::new();
        for _ in 0..self.repeat {
            times.push(self.launch(kernel, groups, &bindings, &buffers).await?);
        }
        times.sort_unstable();
        let mut results = Vec::with_capacity(bindings.len());
        for (bound, buffer) in bindings.into_iter().zip(buffers) {
            let bytes = self.read(buffer, bound.size_bytes).await?;
            let hash = Hash::from_bytes(*blake3::hash(&bytes).as_bytes());
            results.push(Finished { bound, bytes, hash });
        }
        self.gpu.close().await;
        Ok(Ran { entry, groups, workgroup_size, compile, times, results })
    }

    /// Fills the buffers, launches the kernel once, and says how long it took.
    async fn launch(
        &mut self,
        kernel: KernelId,
        groups: [u32; 3],
        bindings: &[Bound],
        buffers: &[BufferId],
    ) -> Result<Duration, Failure> {
        let mut given = Vec::with_capacity(bindings.len());
        for (bound, buffer) in bindings.iter().zip(buffers) {
            let range = BufferRange { buffer: *buffer, offset: 0, size: bound.size_bytes };
            self.gpu.buffer_fill(range, 0).map_err(call_failed)?;
            for (index, piece) in bound.bytes.chunks(PIECE_BYTES).enumerate() {
                self.gpu.settle().await.map_err(device_failed)?;
                self.gpu.buffer_write(*buffer, (index * PIECE_BYTES) as u64, piece).map_err(call_failed)?;
            }
            given.push((bound.at().0, *buffer, 0, None));
        }
        self.gpu.finish().await.map_err(finish_failed)?;
        let started = Instant::now();
        self.gpu.dispatch(kernel, &given, Grid::Direct(groups)).map_err(call_failed)?;
        self.gpu.finish().await.map_err(finish_failed)?;
        Ok(started.elapsed())
    }

    async fn read(&mut self, buffer: BufferId, size: u64) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::with_capacity(size as usize);
        let mut sink = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        let read = self.gpu.buffer_read(BufferRange { buffer, offset: 0, size }, &mut sink).await;
        read.map_err(|error| match error {
            ReadError::BudgetSpent => finish_failed(FinishError::BudgetSpent),
            error => Failure::host("device", error.to_string()),
        })?;
        Ok(bytes)
    }
}

fn device_failed(error: DeviceError) -> Failure {
    Failure::host("device", error.to_string())
}

fn kernel_failed(file: &Path, fault: KernelFault) -> Failure {
    match fault {
        KernelFault::Refused(refusal) => Failure::usage("kernel", format!("{}: {refusal}", file.display())),
        KernelFault::Device(error) => device_failed(error),
    }
}

fn call_failed(error: CallError) -> Failure {
    match error {
        CallError::Refused(error) => Failure::usage("bind", format!("the launch is refused: {error}")),
        CallError::Device(error) => device_failed(error),
    }
}

fn finish_failed(error: FinishError) -> Failure {
    match error {
        FinishError::BudgetSpent => {
            let why = "an invocation spent its budget of loop iterations; bound the kernel's loops, or raise --limit-loop-iterations";
            Failure::negative("loop-iterations", why)
        }
        FinishError::Device(error) => device_failed(error),
    }
}

/// What is shown.
struct Shown<'a> {
    ran: &'a Ran,
    info: &'a DeviceInfo,
    profile: Profile,
    dumps: &'a [(At, PathBuf)],
}

impl Shown<'_> {
    fn dumped(&self, at: At) -> Vec<String> {
        self.dumps.iter().filter(|(dumped, _)| *dumped == at).map(|(_, path)| path.display().to_string()).collect()
    }

    fn json(&self) -> Value {
        let Ran { entry, groups, workgroup_size, compile, times, results } = self.ran;
        let micros = |time: &Duration| time.as_secs_f64() * 1e6;
        let bindings = results.iter().map(|Finished { bound, hash, .. }| {
            json!({
                "group": bound.decl.group,
                "binding": bound.decl.binding,
                "name": bound.name,
                "access": bound.access(),
                "size_bytes": bound.size_bytes,
                "given_bytes": bound.given_bytes,
                "hash": hash.to_string(),
                "dumped": self.dumped(bound.at()),
            })
        });
        json!({
            "entry_point": entry,
            "groups": groups,
            "workgroup_size": workgroup_size,
            "profile": self.profile.to_string(),
            "device": { "name": self.info.name, "driver": self.info.driver, "backend": self.info.backend },
            "compile_us": micros(compile),
            "time_us": {
                "min": times.first().map(micros),
                "median": times.get(times.len() / 2).map(micros),
                "all": times.iter().map(micros).collect::<Vec<_>>(),
            },
            "bindings": bindings.collect::<Vec<_>>(),
        })
    }

    fn text(&self, text: &mut Text) {
        let Ran { entry, groups: [x, y, z], workgroup_size, compile, times, results } = self.ran;
        let invocations: u32 = workgroup_size.iter().product();
        text.headline(GOOD, "ok", &format!(": {entry}, {x} x {y} x {z} workgroups of {invocations}"));
        let Self { info, profile, .. } = self;
        text.field("device", format_args!("{} ({}), {profile}", info.name, info.driver));
        text.field("compiled in", millis(compile));
        match (times.first(), times.get(times.len() / 2)) {
            (Some(min), Some(median)) if times.len() > 1 => {
                text.field("time", format_args!("min {}, median {} of {}", millis(min), millis(median), times.len()));
            }
            (Some(time), _) => text.field("time", millis(time)),
            (None, _) => {}
        }
        let width = results.iter().filter_map(|result| result.bound.name.as_ref()).map(String::len).max().unwrap_or(0);
        for Finished { bound, hash, .. } in results {
            let (name, access, bytes) = (bound.name.as_deref().unwrap_or(""), bound.access(), size(bound.size_bytes));
            let mut line = format!("{name:<width$}  {access:<10}  {bytes:>10}  {hash}");
            for path in self.dumped(bound.at()) {
                line += &format!(" -> {path}");
            }
            text.field(&format!("binding {}", bound.at()), line);
        }
    }
}

fn millis(time: &Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
