//! The guests of `plugins/testing`, each with what must come of it.
//!
//! Every guest runs twice, and both runs must agree in every byte. After it, the same engine runs a guest that behaves:
//! whatever the hostile one did, the next job runs.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use samebit_engine::spec::{Limit, Status, Trap};

use crate::fake_device::fake;
use crate::support::{Guest, job};

/// Guests and their tests, in one list that is compared with the folder.
macro_rules! guests {
    ($($name:ident => $test:expr;)*) => {
        $(#[test]
        fn $name() {
            try_guest(stringify!($name), $test);
        })*

        /// Every guest with its test, for the suite that runs them all in one process.
        pub(crate) const ALL: &[(&str, fn(Guest))] = &[$((stringify!($name), $test)),*];
    };
}

guests! {
    escape_args => |guest| escapes(guest.args(&["", "--help", "a b", "é\n"]), "args", "[\"\", \"--help\", \"a b\", \"é\\n\"]");
    escape_bindings => |guest| ends(guest, Status::Ok);
    escape_clock => |guest| escapes(guest, "clock", CLOCK);
    escape_constants => |guest| ends(guest, Status::Ok);
    escape_env => |guest| escapes(guest.args(&["an argument"]), "env", ENV);
    escape_files => |guest| escapes(guest, "files", FILES);
    escape_names => |guest| ends(guest, Status::Ok);
    escape_random => random_follows_from_the_job;
    escape_ranges => |guest| ends(guest, Status::Ok);
    escape_sockets => |guest| escapes(guest, "sockets", SOCKETS);
    escape_wgsl => |guest| ends(guest.limits(|limits| limits.fuel = 10_000_000_000), Status::Ok);
    limit_buffer_read => |guest| ends(guest, exceeded(Limit::Memory));
    limit_dispatches => |guest| ends(guest.limits(|limits| limits.dispatches = 1_000), exceeded(Limit::Dispatches));
    limit_gpu_memory => |guest| ends(guest, Status::Ok);
    limit_handles => handles_are_bounded;
    limit_host_calls => every_call_costs;
    limit_input_read => an_input_larger_than_memory;
    limit_log => |guest| log_is_bounded(guest, "info again\ninfo and again\n");
    limit_log_at_once => |guest| log_is_bounded(guest, "");
    limit_loop => |guest| ends(guest, exceeded(Limit::Fuel));
    // The device that is memory runs no kernel: see `hostile_devices` for one that does.
    limit_loop_iterations => |guest| ends(guest, Status::Ok);
    limit_memory => memory_is_bounded;
    limit_memory_polite => |guest| ends(guest, Status::Ok);
    limit_output => |guest| ends(guest, exceeded(Limit::Output));
    limit_output_at_once => |guest| ends(guest, exceeded(Limit::Output));
    limit_output_buffer => |guest| ends(guest, exceeded(Limit::Output));
    limit_output_names => many_outputs;
    limit_progress => |guest| ends(guest, exceeded(Limit::Fuel));
    limit_stdio => both_streams_are_bounded;
    limit_write_huge => |guest| log_is_bounded(guest, "error xxxxxxxx");
    ok_compare => crate::comparing::compares_outputs;
    ok_gpu => |guest| everything_once(guest, [0, 0, 0]);
    ok_nothing => |guest| ends(guest, Status::Ok);
    ok_transfer => goes_through;
    race_drop => |guest| ends(guest, Status::Ok);
    race_queue => |guest| ends(guest, Status::Ok);
    trap_abort => |guest| ends(guest, Status::Trapped(Trap::Unreachable));
    trap_error_huge => |guest| ends(guest, Status::Failed(format!("x{}", "é".repeat(2047))));
    trap_exit => exit_codes;
    trap_panic => a_panic_is_logged;
    trap_poll_nothing => |guest| ends(guest, Status::Trapped(Trap::BrokenContract));
    trap_random_huge => random_is_bounded;
    trap_recursion => |guest| ends(guest, Status::Trapped(Trap::StackOverflow));
    trap_stack_frames => |guest| ends(guest, Status::Trapped(Trap::MemoryOutOfBounds));
    trap_zeroes_huge => zeros_are_bounded;
}

const CLOCK: &str = "wall 1767225600\nlater 1000 of 1000\nslept 31536000 s\nresolution 1\nearly false first [1] late false\nboth [0, 1]\nnear false then true true\nend [0, 1] 18446744073709551615\n";
const ENV: &str = "env [] 0\nargs []\ncwd None\nterminals 0\nstdin true 0\nread true true\nthreads 0 false\n";
const FILES: &str = "preopens 0\n/etc/passwd 0\n/proc/self/maps 0\n/dev/null 0\n. 0\n.. 0\nfile 0\nC:\\Windows 0\n 0\n";
const SOCKETS: &str = r#"tcp Err("access-denied")
udp Err("access-denied")
tcp Err("access-denied")
udp Err("access-denied")
lookup "localhost" Err("permanent-resolver-failure")
lookup "example.com" Err("permanent-resolver-failure")
lookup "127.0.0.1" Err("permanent-resolver-failure")
lookup "" Err("permanent-resolver-failure")
lookup "not a name" Err("permanent-resolver-failure")
std false
std false
std false
std false
"#;

/// Runs a guest's test, and then a guest that behaves on the same engine.
pub(crate) fn try_guest(name: &str, test: fn(Guest)) {
    test(guest(name));
    let next = Guest::new(&job("", "", "i32.const 16")).run().expect("an outcome");
    assert_eq!(next.status, Status::Ok, "the job after {name}");
}

fn exceeded(limit: Limit) -> Status {
    Status::Exceeded(limit)
}

/// A guest of `plugins/testing`, within limits that are soon reached.
pub(crate) fn guest(name: &str) -> Guest {
    let path = root().join("target/plugins/testing").join(name).with_extension("wasm");
    let bytes = std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask plugins` first", path.display()));
    let mut guest = Guest::new(&bytes).input("word", b"abc").limits(|limits| {
        limits.fuel = 300_000_000;
        limits.memory_bytes = 256 << 20;
        limits.gpu_memory_bytes = 512 << 20;
        limits.output_bytes = 32 << 20;
    });
    guest.device = fake();
    guest
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// What can be seen of a run from outside.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) status: Status,
    pub(crate) outputs: BTreeMap<String, Vec<u8>>,
    pub(crate) log: String,
    pub(crate) fuel: u64,
}

/// Runs a guest twice, some time apart, and gives what both runs came to.
pub(crate) fn seen(guest: &Guest) -> Seen {
    let first = run(guest);
    std::thread::sleep(Duration::from_millis(2));
    let second = run(guest);
    assert!(first == second, "two runs of one job differ: {:?} and {:?}", first.status, second.status);
    first
}

fn run(guest: &Guest) -> Seen {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let ran = guest.run_in(scratch.path()).expect("an outcome");
    assert!(ran.memory_peak_bytes <= guest.job.limits.memory_bytes);
    assert!(ran.fuel <= guest.job.limits.fuel);
    assert!(ran.log.len() as u64 <= guest.job.limits.log_bytes);
    assert!(ran.outputs.values().map(|output| output.size_bytes()).sum::<u64>() <= guest.job.limits.output_bytes);
    let outputs = ran.outputs.iter().map(|(name, output)| {
        let mut bytes = Vec::new();
        output.reader().expect("readable").read_to_end(&mut bytes).expect("readable");
        (name.to_string(), bytes)
    });
    let outputs = outputs.collect();
    Seen { outputs, status: ran.status, log: String::from_utf8(ran.log).expect("a log is text"), fuel: ran.fuel }
}

/// Checks how a guest ends.
fn ends(guest: Guest, status: Status) {
    ended(&guest, status);
}

/// Checks how a guest ends, and gives what it came to.
pub(crate) fn ended(guest: &Guest, status: Status) -> Seen {
    let seen = seen(guest);
    assert_eq!(seen.status, status, "log: {}", seen.log);
    assert!(status.is_finished() || seen.outputs.is_empty(), "what a stopped job wrote is not kept");
    if status == exceeded(Limit::Fuel) {
        assert_eq!(seen.fuel, guest.job.limits.fuel);
    }
    seen
}

/// Checks what a guest saw of the host.
fn escapes(guest: Guest, output: &str, expected: &str) {
    let seen = ended(&guest, Status::Ok);
    assert_eq!(String::from_utf8_lossy(&seen.outputs[output]), expected);
}

fn random_follows_from_the_job(guest: Guest) {
    let one = ended(&guest, Status::Ok);
    let other = ended(&guest.args(&["another job"]), Status::Ok);
    let lines =
        |seen: &Seen| String::from_utf8_lossy(&seen.outputs["random"]).lines().map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (lines(&one), lines(&other));
    assert_eq!(one.len(), 5);
    for (one, other) in one.iter().zip(&other).take(4) {
        assert_ne!(one, other, "the same in two jobs");
    }
}

fn handles_are_bounded(guest: Guest) {
    let mut guest = guest;
    for kind in ["buffers", "timers", "pollables", "streams"] {
        guest = guest.args(&[kind]);
        ended(&guest, Status::Trapped(Trap::BrokenContract));
    }
    ended(&guest.args(&["kernels"]), exceeded(Limit::Fuel));
}

/// Thirty million units of fuel are some hundredths of a second of computing. A host call may take longer than what it
/// is charged for, but not by orders of magnitude.
fn every_call_costs(guest: Guest) {
    const CALLS: [&str; 25] = [
        "progress",
        "inputs",
        "input-size",
        "input-read",
        "output-append",
        "clock",
        "random",
        "random-u64",
        "seed",
        "environment",
        "arguments",
        "preopens",
        "terminal",
        "streams",
        "read",
        "write",
        "timer",
        "poll",
        "socket",
        "buffer",
        "buffer-read",
        "kernel",
        "kernel-drop",
        "bindings",
        "constants",
    ];
    let mut guest = guest.limits(|limits| limits.fuel = 30_000_000);
    for call in CALLS {
        guest = guest.args(&[call]);
        let began = Instant::now();
        ended(&guest, exceeded(Limit::Fuel));
        let took = began.elapsed();
        assert!(took < Duration::from_secs(60), "{call} kept the host busy for {took:?}");
    }
}

fn an_input_larger_than_memory(guest: Guest) {
    let guest = guest.input("large", &vec![1; 64 << 20]).limits(|limits| limits.memory_bytes = 32 << 20);
    ends(guest, exceeded(Limit::Memory));
}

/// Checks that a log has only whole lines, and begins as it should.
fn log_is_bounded(guest: Guest, begins: &str) {
    let seen = ended(&guest, exceeded(Limit::Log));
    assert!(seen.log.starts_with(begins) && (seen.log.is_empty() || seen.log.ends_with('\n')), "{}", seen.log);
    assert_eq!(seen.log.is_empty(), begins.is_empty());
}

fn both_streams_are_bounded(guest: Guest) {
    let guest = guest.args(&["stderr"]);
    log_is_bounded(guest, "error xxxx");
    let guest = self::guest("limit_stdio").args(&["stdout"]);
    log_is_bounded(guest, "info xxxx");
}

fn memory_is_bounded(guest: Guest) {
    let limit = guest.job.limits.memory_bytes;
    let ran = guest.run().expect("an outcome");
    assert!(ran.memory_peak_bytes > limit / 2 && ran.memory_peak_bytes <= limit);
    ends(guest, exceeded(Limit::Memory));
}

fn many_outputs(guest: Guest) {
    let guest = guest.limits(|limits| limits.output_bytes = 128 << 20);
    let seen = ended(&guest, Status::Ok);
    assert_eq!(seen.outputs.len(), 4096);
    let sizes = |name: &str| seen.outputs[name].len();
    assert_eq!((sizes("o0"), sizes("o1"), sizes("o4095")), (16_385, 16_384, 16_384));
}

/// `read` is three bytes of which the second is the lowest of the number that a dispatch wrote.
pub(crate) fn everything_once(guest: Guest, read: [u8; 3]) {
    let seen = ended(&guest, Status::Ok);
    assert_eq!(seen.outputs["read"], read);
    let source = &seen.outputs["source"];
    assert_eq!((source.len(), &source[..12]), (1024, [41, 0, 0, 0, b'a', b'b', b'c', 0, 41, 0, 0, 0].as_slice()));
}

pub(crate) fn goes_through(guest: Guest) {
    let bytes: Vec<u8> = (0..100_003_u32).map(|index| (index.wrapping_mul(index) >> 7) as u8).collect();
    let seen = ended(&guest.input("in", &bytes), Status::Ok);
    assert!(seen.outputs["out"] == bytes);
}

fn exit_codes(guest: Guest) {
    let mut guest = guest;
    for (code, status) in [("0", Status::Ok), ("1", Status::Exited(1)), ("255", Status::Exited(255))] {
        guest = guest.args(&[code]);
        let seen = ended(&guest, status);
        assert_eq!(seen.outputs["before"], b"exit", "a guest that exits keeps its outputs");
    }
}

fn a_panic_is_logged(guest: Guest) {
    let seen = ended(&guest, Status::Trapped(Trap::Unreachable));
    assert!(seen.log.contains("panicked at") && seen.log.contains("error with 0 arguments\n"), "{}", seen.log);
}

fn random_is_bounded(guest: Guest) {
    let mut guest = guest;
    for size in ["18446744073709551615", "1073741824", "1048577"] {
        for kind in ["secure", "insecure"] {
            guest = guest.args(&[size, kind]);
            ended(&guest, Status::Trapped(Trap::BrokenContract));
        }
    }
    ends(guest.args(&["1048576", "secure"]), Status::Failed("it was given 1048576 bytes".to_owned()));
}

fn zeros_are_bounded(guest: Guest) {
    let mut guest = guest;
    for (size, kind) in [
        ("18446744073709551615", "plain"),
        ("1073741824", "plain"),
        ("65537", "plain"),
        ("18446744073709551615", "blocking"),
        ("4097", "blocking"),
    ] {
        guest = guest.args(&[size, kind]);
        ended(&guest, Status::Trapped(Trap::BrokenContract));
    }
    ends(guest.args(&["4096", "blocking"]), Status::Failed("it wrote: Ok(())".to_owned()));
}

#[test]
fn every_guest_has_an_entry_and_a_test() {
    let folder = root().join("plugins/testing");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
    let files = std::fs::read_dir(folder.join("guests")).expect("guests");
    let mut files: Vec<String> = files
        .map(|file| file.expect("a file").file_name().to_string_lossy().trim_end_matches(".rs").to_owned())
        .collect();
    files.sort();
    for file in &files {
        assert!(manifest.contains(&format!("name = \"{file}\"\npath = \"guests/{file}.rs\"")), "{file} has no entry");
    }
    let tested: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(files, tested, "guests in the folder, and in the list of tests");
}
