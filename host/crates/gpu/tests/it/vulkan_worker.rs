//! Workers with a driver: the conformance suite across the pipe, and misfortunes that only a driver has.

mod busy;

use std::time::{Duration, Instant};

use samebit_device::wgsl::{Admission, Source, parse};
use samebit_device::{
    BindingIndex, BufferRange, Checked, Device, DeviceError, FinishError, Grid, KernelFault, ReadError, SessionOptions,
    conformance, hash,
};
use samebit_gpu::worker::{WorkerDevice, WorkerOptions, adapters};
use samebit_gpu::{Adapters, Choice};

use self::busy::{busy_worker, endless, spin};
use crate::worker::{CRASH, Desk, HANG, LOSE, NATIVE, device, program};

const MINUTE: Duration = Duration::from_secs(60);

/// How often each misfortune is survived: a knob, for patient people.
fn rounds() -> u32 {
    std::env::var("SAMEBIT_WORKER_ROUNDS").map_or(3, |text| text.parse().expect("SAMEBIT_WORKER_ROUNDS is a number"))
}

/// Exact and native programs in turn.
fn admission(round: u32) -> Admission {
    if round.is_multiple_of(2) { Admission::Exact } else { Admission::Native }
}

#[test]
fn conforms() {
    let report = pollster::block_on(conformance::run(&device("plain", MINUTE)));
    assert_eq!(report.failed, []);
    assert!(report.passed > 30, "only {} cases ran", report.passed);
}

#[test]
fn adapters_are_those_that_this_process_would_find() {
    let apart = adapters(&program("plain"), WorkerOptions::default()).expect("a Vulkan driver is installed");
    assert_eq!(apart, Adapters::enumerate().list());
    assert_eq!(device("plain", MINUTE).info(), &apart[0]);
}

#[test]
fn after_every_misfortune_the_next_job_succeeds() {
    pollster::block_on(async {
        let device = device("gpu", Duration::from_secs(2));
        for round in 0..rounds() {
            for misfortune in [CRASH, LOSE, HANG] {
                let mut desk = Desk::open_for(&device, admission(round)).await;
                // Behind work that is on its way.
                for _ in 0..50 {
                    desk.dispatch(1).expect("it is queued");
                }
                desk.dispatch(misfortune).expect("it is queued");
                let error = desk.read().await.expect_err("it met a misfortune");
                match misfortune {
                    HANG => assert!(matches!(error, ReadError::Device(DeviceError::Stuck(2))), "{error}"),
                    _ => assert!(matches!(error, ReadError::Device(DeviceError::Lost(_))), "{error}"),
                }
                let mut next = Desk::open_for(&device, admission(round)).await;
                next.dispatch(1).expect("it is queued");
                assert_eq!(next.read().await.expect("it works"), [2; 256]);
                next.gpu.close().await;
            }
        }
    });
}

#[test]
fn serial_a_worker_that_is_killed_in_the_middle_of_a_dispatch_ends_its_job_alone() {
    pollster::block_on(async {
        let device = device("plain", MINUTE);
        for round in 0..rounds() {
            let mut desk = Desk::open_for(&device, admission(round)).await;
            endless(&mut desk).await;
            let killed = std::process::Command::new("kill").args(["-9", &busy_worker().to_string()]).status();
            assert!(killed.expect("kill starts").success());
            let error = desk.gpu.finish().await.expect_err("its worker is gone");
            assert!(
                matches!(&error, FinishError::Device(DeviceError::Lost(why)) if why.contains("signal: 9")),
                "{error}"
            );
            let mut next = Desk::open_for(&device, admission(round)).await;
            next.dispatch(1).expect("it is queued");
            assert_eq!(next.read().await.expect("it works"), [2; 256]);
        }
    });
}

#[test]
fn serial_a_kernel_written_to_hang_is_given_up() {
    pollster::block_on(async {
        let device = device("plain", Duration::from_secs(2));
        for round in 0..rounds() {
            let mut desk = Desk::open_for(&device, admission(round)).await;
            endless(&mut desk).await;
            let error = desk.gpu.finish().await.expect_err("it never ends");
            assert_eq!(error, FinishError::Device(DeviceError::Stuck(2)));
            let mut next = Desk::open_for(&device, admission(round)).await;
            next.dispatch(1).expect("it is queued");
            assert_eq!(next.read().await.expect("it works"), [2; 256]);
        }
    });
}

#[test]
fn serial_many_slow_dispatches_are_not_taken_for_a_hang() {
    pollster::block_on(async {
        let limit = Duration::from_secs(2);
        let device = device("plain", limit);
        let mut desk = Desk::open(&device).await;
        // How many are together well over the limit depends on the machine; by itself each is far below.
        let began = Instant::now();
        spin(&mut desk, [4, 1, 1], 50).await;
        desk.gpu.finish().await.expect("it is slow, not stuck");
        let count = 50 * (3 * limit).as_millis() / began.elapsed().as_millis().max(1);
        let began = Instant::now();
        spin(&mut desk, [4, 1, 1], count.try_into().expect("a machine of our time")).await;
        desk.gpu.finish().await.expect("it is slow, not stuck");
        assert!(began.elapsed() > limit, "it was too quick to show anything: {:?}", began.elapsed());
    });
}

#[test]
fn a_call_behind_slow_work_ends_when_whoever_made_it_is_gone() {
    pollster::block_on(async {
        let device = device("plain", MINUTE);
        let mut desk = Desk::open(&device).await;
        spin(&mut desk, [256, 1, 1], 500).await;
        let (abort, began) = (desk.gpu.abort(), Instant::now());
        let gone = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            abort();
        });
        let text = "@compute @workgroup_size(1) fn main() {}";
        let kernel = parse(&Source { text, entry_point: "main", constants: &[] }).expect("the text is valid");
        let error = desk.gpu.kernel_create(kernel, text).expect_err("its worker was killed");
        assert!(matches!(&error, KernelFault::Device(_)) && began.elapsed() < MINUTE / 2, "{error}");
        gone.join().expect("no panic");
    });
}

#[test]
fn a_kernel_that_makes_the_compiler_panic_is_refused_across_the_pipe() {
    pollster::block_on(async {
        let device = device("plain", MINUTE);
        let mut desk = Desk::open(&device).await;
        let text = "struct S { a: vec2i, b: vec2i }
                    @group(0) @binding(0) var<storage, read_write> data: array<i32>;
                    fn f(q: ptr<function, vec2i>) { (*q).x = 3; }
                    @compute @workgroup_size(1) fn main() { var s: S; f(&s.b); data[0] = s.b.x; }";
        let kernel = parse(&Source { text, entry_point: "main", constants: &[] }).expect("the text is valid");
        let error = desk.gpu.kernel_create(kernel, text).expect_err("naga panics over it");
        assert!(matches!(&error, KernelFault::Refused(_)), "{error}");
        desk.dispatch(1).expect("it is queued");
        assert_eq!(desk.read().await.expect("it goes on"), [2; 256]);
    });
}

#[test]
fn what_lies_with_a_worker_is_hashed_there() {
    pollster::block_on(async {
        for hashes in [true, false] {
            let mut gpu = hashing(hashes).await;
            let size = 5 * hash::PIECE_BYTES + 1000;
            let buffer = gpu.buffer_create(size).expect("it fits");
            let bytes: Vec<u8> = (0..size).map(|i| (i * i / 7) as u8).collect();
            gpu.buffer_write(buffer, 0, &bytes).expect("it is in range");
            let whole = BufferRange { buffer, offset: 0, size: 5 * hash::PIECE_BYTES };
            let pieces = gpu.buffer_hash(whole, 0).await.expect("it is in range");
            let rest = &bytes[whole.size as usize..];
            let found = pieces.and_then(|pieces| hash::root(&pieces, rest));
            assert_eq!(found, hashes.then(|| *blake3::hash(&bytes).as_bytes()));
            let odd = BufferRange { offset: 2, ..whole };
            assert_eq!(gpu.buffer_hash(odd, 0).await.expect("it is in range"), None, "words alone can be read there");
            gpu.close().await;
        }
    });
}

/// By hand with `SAMEBIT_HASH_BYTES=2147483648`, or as much as there is time for.
#[test]
fn an_input_of_many_buffers_is_hashed_in_parts() {
    let total: u64 =
        std::env::var("SAMEBIT_HASH_BYTES").map_or(8 << 20, |text| text.parse().expect("a number of bytes"));
    let part = (total / 4).next_multiple_of(hash::PIECE_BYTES).min(128 << 20);
    pollster::block_on(async {
        let mut gpu = hashing(true).await;
        let buffer = gpu.buffer_create(part).expect("it fits");
        let (mut whole, mut pieces, mut done, mut took) = (blake3::Hasher::new(), Vec::new(), 0, Duration::ZERO);
        while done < total {
            let words = (0..part / 8).map(|i| (i ^ done).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
            whole.update(&bytes);
            for (index, chunk) in (0..).zip(bytes.chunks(4 << 20)) {
                gpu.settle().await.expect("there is room");
                gpu.buffer_write(buffer, index << 22, chunk).expect("it is in range");
            }
            gpu.finish().await.expect("all is well");
            let started = Instant::now();
            let range = BufferRange { buffer, offset: 0, size: part };
            let found = gpu.buffer_hash(range, done / hash::PIECE_BYTES).await.expect("it is in range");
            took += started.elapsed();
            pieces.extend(found.expect("it was decided to"));
            done += part;
        }
        println!("{done} bytes hashed in {took:?}");
        assert_eq!(hash::root(&pieces, &[]), Some(*whole.finalize().as_bytes()));
    });
}

/// A session that hashes where buffers lie, or does not.
async fn hashing(hashes: bool) -> Checked {
    let options = WorkerOptions { hashes: Some(hashes), ..WorkerOptions::default() };
    let device = WorkerDevice::select(program("plain"), &Choice::Default, options).expect("there is a driver");
    Checked::new(device.open(NATIVE).await.expect("it opens"), 1 << 30, Admission::Native)
}

#[test]
fn exact_programs_and_their_budgets_cross_the_pipe() {
    const TEXT: &str = "
        @group(0) @binding(0) var<storage, read_write> data: array<f32>;
        @compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) {
            let x = data[i];
            for (var n = 0u; n < 8u; n++) { data[i] = fma(data[i], x, -x) / 3.0; }
        }";
    let run = |loop_iterations| async move {
        let device = device("plain", MINUTE);
        let options = SessionOptions { admission: Admission::Exact, loop_iterations };
        let session = device.open(options).await.expect("it opens");
        let mut gpu = Checked::new(session, 1 << 20, Admission::Exact);
        let source = Source { text: TEXT, entry_point: "main", constants: &[] };
        let kernel = gpu.kernel_create(parse(&source).expect("it is valid"), TEXT).expect("it compiles");
        let buffer = gpu.buffer_create(16).expect("it fits");
        gpu.buffer_write(buffer, 0, bytemuck::bytes_of(&[1.7f32, -0.3, 1e-30, 3e9])).expect("it is in range");
        let given = [(BindingIndex { group: 0, binding: 0 }, buffer, 0, None)];
        gpu.dispatch(kernel, &given, Grid::Direct([1, 1, 1])).expect("it is valid");
        let mut bytes = Vec::new();
        let mut sink = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        let read = gpu.buffer_read(BufferRange { buffer, offset: 0, size: 16 }, &mut sink).await;
        gpu.close().await;
        read.map(|()| bytemuck::pod_collect_to_vec::<u8, f32>(&bytes))
    };
    let expected = [1.7f32, -0.3, 1e-30, 3e9].map(|x| (0..8).fold(x, |y, _| y.mul_add(x, -x) / 3.0));
    assert_eq!(pollster::block_on(run(9)).expect("it is in its budget"), expected);
    assert!(matches!(pollster::block_on(run(8)), Err(ReadError::BudgetSpent)));
}
