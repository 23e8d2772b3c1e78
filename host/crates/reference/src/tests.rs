//! Sessions with kernels written by hand: the runtime without the generator.

mod kernels;
mod memory;
mod stopping;

use std::num::NonZeroUsize;

use samebit_device::wgsl::Admission;
use samebit_device::{
    Binding, BufferId, BufferRange, DeviceError, Dispatch, Grid, KernelId, ReadError, Session, SessionOptions,
};

use crate::ReferenceDevice;
use crate::codegen::Code;
use crate::session::ReferenceSession;

const LOOP_ITERATIONS: u32 = 12_345;

fn device(threads: usize) -> ReferenceDevice {
    ReferenceDevice::with_threads(NonZeroUsize::new(threads).expect("a device has threads")).expect("the device runs")
}

/// A session with short names for what tests do with it.
struct Bench {
    session: ReferenceSession,
    next: u32,
}

impl Bench {
    fn new(device: &ReferenceDevice) -> Self {
        let options = SessionOptions { admission: Admission::Exact, loop_iterations: LOOP_ITERATIONS };
        Self { session: device.open_session(options).expect("it opens"), next: 0 }
    }

    fn buffer(&mut self, bytes: u64) -> BufferId {
        self.next += 1;
        self.session.buffer_create(BufferId(self.next), bytes).expect("there is memory");
        BufferId(self.next)
    }

    fn kernel(&mut self, device: &ReferenceDevice, wasm: Vec<u8>, scratch_bytes: u32) -> KernelId {
        self.next += 1;
        let compiled = device.compiler().finish(&Code { wasm, scratch_bytes }).expect("it compiles");
        self.session.add_kernel(KernelId(self.next), compiled).expect("there is memory");
        KernelId(self.next)
    }

    fn run(&mut self, kernel: KernelId, buffers: &[(BufferId, u64)], grid: Grid) -> Result<(), DeviceError> {
        let bindings = (0..).zip(buffers).map(|(binding, (buffer, size))| Binding {
            group: 0,
            binding,
            range: BufferRange { buffer: *buffer, offset: 0, size: *size },
        });
        self.session.dispatch(&Dispatch { kernel, bindings: bindings.collect(), grid })
    }

    fn try_read(&mut self, buffer: BufferId, offset: u64, size: u64) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        let mut sink = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        pollster::block_on(self.session.buffer_read(BufferRange { buffer, offset, size }, &mut sink))?;
        Ok(bytes)
    }

    fn words(&mut self, buffer: BufferId, count: usize) -> Vec<u32> {
        let bytes = self.try_read(buffer, 0, count as u64 * 4).expect("it reads");
        bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
    }

    fn close(self) {
        pollster::block_on(Box::new(self.session).close());
    }
}

#[test]
fn every_workgroup_runs_once() {
    for threads in [1, 2, 5] {
        let device = device(threads);
        let mut bench = Bench::new(&device);
        let kernel = bench.kernel(&device, kernels::count(), 0);
        for grid in [[1, 1, 1], [7, 5, 3], [1, 1, 999], [1, 2000, 1], [65_535, 2, 3]] {
            let count = grid.iter().product::<u32>() as usize;
            let buffer = bench.buffer(count as u64 * 4);
            for times in 1..=3 {
                bench.run(kernel, &[(buffer, count as u64 * 4)], Grid::Direct(grid)).expect("it is queued");
                assert!(bench.words(buffer, count).iter().all(|word| *word == times), "{grid:?} on {threads}");
            }
            bench.session.buffer_drop(buffer);
        }
        bench.close();
    }
}

#[test]
fn a_kernel_is_told_what_it_runs_over() {
    let device = device(1);
    let mut bench = Bench::new(&device);
    let kernel = bench.kernel(&device, kernels::tell(), 0);
    let (first, second, counts) = (bench.buffer(256), bench.buffer(512), bench.buffer(64));
    bench.run(kernel, &[(first, 128), (second, 512)], Grid::Direct([1, 2, 3])).expect("it is queued");
    assert_eq!(bench.words(first, 6), [LOOP_ITERATIONS, 1, 2, 3, 128, 512]);
    for (counts_given, seen) in [([4, 5, 6], [4, 5, 6]), ([1, 0, 1], [0; 3]), ([65_536, 1, 1], [0; 3])] {
        let bytes: Vec<u8> = counts_given.iter().flat_map(|count: &u32| count.to_le_bytes()).collect();
        bench.session.buffer_write(counts, 8, &bytes).expect("it is queued");
        bench.session.buffer_fill(BufferRange { buffer: first, offset: 0, size: 256 }, 0).expect("it is queued");
        let grid = Grid::Indirect { buffer: counts, offset: 8 };
        bench.run(kernel, &[(first, 4), (second, 8)], grid).expect("it is queued");
        assert_eq!(bench.words(first, 4)[1..], seen);
    }
}

#[test]
fn threads_do_not_share_scratch_memory() {
    let device = device(4);
    let mut bench = Bench::new(&device);
    let mut kernels = Vec::new();
    let buffer = bench.buffer(4);
    for bytes in [4096, 100_000] {
        kernels.push(bench.kernel(&device, kernels::scratch(), bytes));
        for kernel in &kernels {
            bench.run(*kernel, &[(buffer, 4)], Grid::Direct([2000, 1, 1])).expect("it is queued");
        }
        assert_eq!(bench.words(buffer, 1), [0]);
    }
}

#[test]
fn a_kernel_that_needs_much_scratch_memory_runs_on_fewer_threads() {
    let device = device(5);
    let mut bench = Bench::new(&device);
    let kernel = bench.kernel(&device, kernels::scratch(), 100 << 20);
    let buffer = bench.buffer(4);
    bench.run(kernel, &[(buffer, 4)], Grid::Direct([2000, 1, 1])).expect("it is queued");
    assert_eq!(bench.words(buffer, 1), [0]);
}

#[test]
fn many_kernels_take_turns() {
    let device = device(2);
    let mut bench = Bench::new(&device);
    let buffer = bench.buffer(1024);
    let kernels: Vec<_> = (0..40).map(|_| bench.kernel(&device, kernels::count(), 64)).collect();
    for kernel in kernels.iter().chain(kernels.iter().rev()) {
        bench.run(*kernel, &[(buffer, 1024)], Grid::Direct([256, 1, 1])).expect("it is queued");
    }
    for kernel in kernels {
        bench.session.kernel_drop(kernel);
    }
    assert_eq!(bench.words(buffer, 256), [80; 256]);
}

#[test]
fn serial_sessions_share_the_threads() {
    let device = device(3);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut bench = Bench::new(&device);
                let kernel = bench.kernel(&device, kernels::count(), 0);
                let buffer = bench.buffer(4 * 100_000);
                for _ in 0..50 {
                    bench.run(kernel, &[(buffer, 4 * 100_000)], Grid::Direct([50_000, 2, 1])).expect("it is queued");
                }
                assert_eq!(bench.words(buffer, 100_000), vec![50; 100_000]);
                bench.close();
            });
        }
    });
}
