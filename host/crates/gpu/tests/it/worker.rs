//! Workers without a driver: what crosses, what is waited for, and what becomes of a worker that goes wrong.

use std::time::{Duration, Instant};

use samebit_device::wgsl::{Admission, Source, parse};
use samebit_device::{
    BindingIndex, BufferId, BufferRange, CallError, Checked, Device, DeviceError, FinishError, Grid, KernelId,
    ReadError, SessionOptions,
};
use samebit_gpu::Choice;
use samebit_gpu::worker::{Program, WorkerDevice, WorkerOptions, adapters};

pub(crate) const NATIVE: SessionOptions = SessionOptions { admission: Admission::Native, loop_iterations: 1 << 24 };

/// Numbers of workgroups that the test worker does not launch: see `test-worker/misfortune.rs`.
pub(crate) const CRASH: u32 = 65_001;
pub(crate) const HANG: u32 = 65_002;
pub(crate) const LOSE: u32 = 65_003;
const PRINT: u32 = 65_004;
const DAWDLE: u32 = 65_005;

const DOUBLE: &str = "
    @group(0) @binding(0) var<storage, read_write> data: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { data[id.x] *= 2; }";

pub(crate) fn program(kind: &str) -> Program {
    Program::new(env!("CARGO_BIN_EXE_samebit-gpu-test-worker"), [kind])
}

pub(crate) fn patient(limit: Duration) -> WorkerOptions {
    WorkerOptions { limit, ..WorkerOptions::default() }
}

pub(crate) fn device(kind: &str, limit: Duration) -> WorkerDevice {
    WorkerDevice::select(program(kind), &Choice::Default, patient(limit)).expect("the worker has a device")
}

/// A session with a buffer of 256 bytes, each 1, and a kernel that doubles its words.
pub(crate) struct Desk {
    pub(crate) gpu: Checked,
    pub(crate) buffer: BufferId,
    kernel: KernelId,
}

impl Desk {
    pub(crate) async fn open(device: &WorkerDevice) -> Self {
        Self::open_for(device, Admission::Native).await
    }

    pub(crate) async fn open_for(device: &WorkerDevice, admission: Admission) -> Self {
        let options = SessionOptions { admission, ..NATIVE };
        let mut gpu = Checked::new(device.open(options).await.expect("it opens"), 1 << 30, admission);
        let buffer = gpu.buffer_create(256).expect("it fits");
        gpu.buffer_write(buffer, 0, &[1; 256]).expect("it is in range");
        let kernel = parse(&Source { text: DOUBLE, entry_point: "main", constants: &[] }).expect("the text is valid");
        let kernel = gpu.kernel_create(kernel, DOUBLE).expect("it compiles");
        Self { gpu, buffer, kernel }
    }

    pub(crate) fn dispatch(&mut self, groups: u32) -> Result<(), CallError> {
        let given = [(BindingIndex { group: 0, binding: 0 }, self.buffer, 0, None)];
        self.gpu.dispatch(self.kernel, &given, Grid::Direct([groups, 1, 1]))
    }

    pub(crate) async fn read(&mut self) -> Result<Vec<u8>, ReadError> {
        read(&mut self.gpu, BufferRange { buffer: self.buffer, offset: 0, size: 256 }).await
    }
}

pub(crate) async fn read(gpu: &mut Checked, range: BufferRange) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let mut sink = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    gpu.buffer_read(range, &mut sink).await?;
    Ok(bytes)
}

const MINUTE: Duration = Duration::from_secs(60);

/// Processes that this one has started and not waited for.
pub(crate) fn children() -> Vec<u32> {
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| stat(*pid, 1) == own).collect()
}

/// A number of `/proc/PID/stat`, counted from what follows the name in parentheses: 0 is the state, 1 the parent.
pub(crate) fn stat(pid: u32, number: usize) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = stat.rsplit(") ").next().unwrap_or_default();
    rest.split(' ').nth(number).unwrap_or_default().to_owned()
}

#[test]
fn what_is_written_comes_back_in_order_and_whole() {
    pollster::block_on(async {
        let device = device("memory", MINUTE);
        let mut desk = Desk::open(&device).await;
        let large = desk.gpu.buffer_create(40 << 20).expect("it fits");
        let bytes: Vec<u8> = (0..40 << 20).map(|i: u32| (i / 3) as u8).collect();
        desk.gpu.buffer_write(large, 0, &bytes).expect("it is in range");
        desk.gpu.buffer_fill(BufferRange { buffer: large, offset: 8, size: 8 }, 0x0707_0707).expect("it is in range");
        let copy = samebit_device::BufferCopy {
            source: large,
            source_offset: 12,
            target: BufferRange { buffer: desk.buffer, offset: 4, size: 8 },
        };
        desk.gpu.buffer_copy(copy).expect("it is in range");
        let read = read(&mut desk.gpu, BufferRange { buffer: large, offset: 3, size: (40 << 20) - 5 }).await;
        let mut expected = bytes;
        expected[8..16].fill(7);
        assert!(read.expect("it is in range") == expected[3..(40 << 20) - 2]);
        let small = desk.read().await.expect("it is in range");
        assert_eq!(small[..14], [1, 1, 1, 1, 7, 7, 7, 7, expected[16], expected[17], expected[18], expected[19], 1, 1]);
        desk.gpu.finish().await.expect("all is well");
        desk.gpu.close().await;
    });
    assert_eq!(children(), [], "nothing is left behind");
}

#[test]
fn a_worker_without_drivers_is_listed_and_its_names_cannot_steer_a_terminal() {
    let infos = adapters(&program("memory"), WorkerOptions::default()).expect("it has one");
    assert_eq!(infos.iter().map(|info| info.name.as_str()).collect::<Vec<_>>(), ["mem [2Jory"]);
    assert_eq!(children(), []);
}

#[test]
fn what_a_driver_prints_does_no_harm() {
    pollster::block_on(async {
        let device = device("memory", MINUTE);
        let mut desk = Desk::open(&device).await;
        desk.dispatch(PRINT).expect("it is queued");
        assert_eq!(desk.read().await.expect("it is understood"), [1; 256]);
    });
}

#[test]
fn a_crash_ends_its_session_and_no_other() {
    pollster::block_on(async {
        let device = device("memory", MINUTE);
        let mut other = Desk::open(&device).await;
        for _ in 0..5 {
            let mut desk = Desk::open(&device).await;
            desk.dispatch(CRASH).expect("it is queued");
            let error = desk.read().await.expect_err("the worker is gone");
            let said = error.to_string();
            assert!(matches!(error, ReadError::Device(DeviceError::Lost(_))), "{said}");
            assert!(said.contains("signal: 6"), "{said}");
            assert!(matches!(desk.gpu.finish().await, Err(FinishError::Device(DeviceError::Lost(_)))));
            assert!(matches!(desk.dispatch(1), Err(CallError::Device(DeviceError::Lost(_)))));
        }
        assert_eq!(other.read().await.expect("it goes on"), [1; 256]);
    });
}

#[test]
fn a_hang_is_given_up_after_its_limit_and_not_before() {
    pollster::block_on(async {
        let device = device("memory", Duration::from_secs(1));
        let mut other = Desk::open(&device).await;
        let mut desk = Desk::open(&device).await;
        desk.dispatch(HANG).expect("it is queued");
        std::thread::sleep(Duration::from_millis(1500));
        let started = Instant::now();
        let error = desk.gpu.finish().await.expect_err("it hangs");
        assert_eq!(error, FinishError::Device(DeviceError::Stuck(1)));
        assert!(started.elapsed() >= Duration::from_millis(950), "only time spent waiting counts");
        assert!(started.elapsed() < Duration::from_secs(5));
        assert_eq!(other.read().await.expect("it goes on"), [1; 256]);
    });
}

#[test]
fn a_hang_is_noticed_by_whoever_waits_for_room() {
    pollster::block_on(async {
        let device = device("memory", Duration::from_secs(1));
        let mut desk = Desk::open(&device).await;
        desk.dispatch(HANG).expect("it is queued");
        let result = async {
            for _ in 0..10_000 {
                desk.gpu.settle().await?;
                desk.gpu.buffer_write(desk.buffer, 0, &[0; 4])?;
            }
            Ok::<_, CallError>(())
        };
        assert_eq!(result.await, Err(CallError::Device(DeviceError::Stuck(1))));
    });
}

#[test]
fn a_slow_worker_holds_its_caller_up_and_is_not_given_up() {
    pollster::block_on(async {
        let device = device("memory", Duration::from_secs(2));
        let mut desk = Desk::open(&device).await;
        let mut most = 0;
        let started = Instant::now();
        for sent in 1..=1500_u32 {
            desk.gpu.settle().await.expect("it is not stuck");
            desk.dispatch(if sent % 4 == 0 { DAWDLE } else { 1 }).expect("it is queued");
            let taken = (started.elapsed().as_millis() / 10 * 4) as u32 + 64;
            most = most.max(sent.saturating_sub(taken));
        }
        assert_eq!(desk.read().await.expect("it is not stuck"), [1; 256]);
        assert!(started.elapsed() > Duration::from_secs(3), "{:?}", started.elapsed());
        assert!((512..=1100).contains(&most), "{most} requests were in flight");
    });
}

#[test]
fn a_dropped_session_takes_its_worker_along_even_if_it_hangs() {
    pollster::block_on(async {
        let device = device("memory", MINUTE);
        let mut desk = Desk::open(&device).await;
        desk.dispatch(HANG).expect("it is queued");
        drop(desk);
    });
    let started = Instant::now();
    while !children().is_empty() {
        assert!(started.elapsed() < Duration::from_secs(5), "{:?} are left", children());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn no_worker_can_make_its_host_wait_or_believe() {
    for (kind, limit, expected) in [
        ("exits", MINUTE, "exit status: 7"),
        ("aborts", MINUTE, "signal: 6"),
        ("aborts", MINUTE, "it said: [31mdriver: out of luck"),
        ("babbles", MINUTE, "it sent 2779096485 bytes at once"),
        ("confuses", MINUTE, "it answered what it was not asked"),
        ("silent", Duration::from_secs(1), "the device hangs: for 1 s"),
    ] {
        let started = Instant::now();
        let listed = adapters(&program(kind), patient(limit)).expect_err("it is no worker").to_string();
        assert!(listed.contains(expected), "{kind}: {listed}");
        let selected = WorkerDevice::select(program(kind), &Choice::Default, patient(limit));
        let selected = selected.err().expect("it is no worker").to_string();
        assert!(selected.contains(expected), "{kind}: {selected}");
        assert!(started.elapsed() < Duration::from_secs(10), "{kind}: {:?}", started.elapsed());
    }
    assert_eq!(children(), []);
    let error = adapters(&Program::new("/no/such/program", ["x"]), WorkerOptions::default()).expect_err("none starts");
    assert!(matches!(&error, DeviceError::Unavailable(why) if why.contains("did not start")), "{error}");
}

#[test]
fn an_error_of_the_sink_is_passed_on_and_the_session_goes_on() {
    pollster::block_on(async {
        let device = device("memory", MINUTE);
        let mut desk = Desk::open(&device).await;
        let large = desk.gpu.buffer_create(40 << 20).expect("it fits");
        let mut sink = |_: &[u8]| Err(std::io::Error::other("the disk is full"));
        let range = BufferRange { buffer: large, offset: 0, size: 40 << 20 };
        let error = desk.gpu.buffer_read(range, &mut sink).await.expect_err("the sink fails");
        assert!(matches!(error, ReadError::Sink(_)), "{error}");
        assert_eq!(desk.read().await.expect("it goes on"), [1; 256]);
    });
}

#[test]
fn the_next_worker_is_ready_from_the_second_session_on() {
    pollster::block_on(async {
        let device = device("memory", MINUTE);
        let first = Desk::open(&device).await;
        assert_eq!(children().len(), 1, "who runs one job needs one worker");
        let second = Desk::open(&device).await;
        assert_eq!(children().len(), 3, "two sessions, and a worker for the next");
        drop((first, second));
        let third = Desk::open(&device).await;
        drop(third);
    });
}
