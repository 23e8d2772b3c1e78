//! Tests that need a driver. lavapipe, which computes on the CPU, will do.

use samebit_device::wgsl::{Admission, Source, parse};
use samebit_device::{
    BindingIndex, BufferId, BufferRange, CallError, Checked, Device, DeviceError, DeviceKind, FinishError, Grid,
    KernelFault, KernelId, ReadError, SessionOptions, conformance,
};
use samebit_gpu::{Adapters, Choice, GpuDevice, SelectError};

const NATIVE: SessionOptions = SessionOptions { admission: Admission::Native, loop_iterations: 1 << 24 };

const DOUBLE: &str = "
    @group(0) @binding(0) var<storage, read_write> data: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { data[id.x] *= 2; }";

/// The device, and at the end of a test the wait that every program owes its driver before it exits.
struct Driver(GpuDevice);

impl std::ops::Deref for Driver {
    type Target = GpuDevice;

    fn deref(&self) -> &GpuDevice {
        &self.0
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        assert!(samebit_gpu::all_closed_within(std::time::Duration::from_secs(30)) || std::thread::panicking());
    }
}

fn device() -> Driver {
    Driver(GpuDevice::select(&Choice::Default).expect("a Vulkan driver is installed"))
}

fn kernel(gpu: &mut Checked, text: &str) -> Result<KernelId, KernelFault> {
    gpu.kernel_create(parse(&Source { text, entry_point: "main", constants: &[] }).expect("the text is valid"), text)
}

async fn read(gpu: &mut Checked, buffer: BufferId, size: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let mut sink = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    gpu.buffer_read(BufferRange { buffer, offset: 0, size }, &mut sink).await?;
    Ok(bytes)
}

/// A session works if it doubles something.
async fn works(device: &GpuDevice) {
    let mut gpu = Checked::new(device.open(NATIVE).await.expect("it opens"), 1 << 20, Admission::Native);
    let id = gpu.buffer_create(256).expect("it fits");
    gpu.buffer_write(id, 0, &[1; 256]).expect("it is in range");
    let kernel = kernel(&mut gpu, DOUBLE).expect("it compiles");
    let given = [(BindingIndex { group: 0, binding: 0 }, id, 0, None)];
    gpu.dispatch(kernel, &given, Grid::Direct([1, 1, 1])).expect("it is valid");
    assert_eq!(read(&mut gpu, id, 256).await.expect("it is in range"), [2; 256]);
}

#[test]
fn conforms() {
    let report = pollster::block_on(conformance::run(&*device()));
    assert_eq!(report.failed, []);
    assert!(report.passed > 30, "only {} cases ran", report.passed);
}

#[test]
fn adapters_are_listed_the_same_way_each_time() {
    let list = Adapters::enumerate().list();
    assert!(!list.is_empty());
    assert_eq!(list, Adapters::enumerate().list());
    for info in &list {
        assert!(!info.name.is_empty() && !info.backend.is_empty());
        assert_eq!(info.limits.len(), 15);
    }
    let first = GpuDevice::select(&Choice::Index(0)).expect("it is suitable");
    assert_eq!(first.info(), &list[0]);
    let named = GpuDevice::select(&Choice::Name(list[0].name.to_uppercase())).expect("its name is its own");
    assert_eq!(named.info(), &list[0]);
    let error = GpuDevice::select(&Choice::Name("no such thing".into())).err().expect("there is none");
    assert!(matches!(error, SelectError::NotFound { .. }) && error.to_string().contains(&list[0].name));
}

#[test]
fn a_loss_ends_its_session_and_no_other() {
    pollster::block_on(async {
        let device = device();
        let (session, lose) = device.open_losable(NATIVE).await.expect("it opens");
        let mut lost = Checked::new(session, 1 << 20, Admission::Native);
        let mut other = Checked::new(device.open(NATIVE).await.expect("it opens"), 1 << 20, Admission::Native);
        let id = lost.buffer_create(64).expect("it fits");
        lost.buffer_write(id, 0, &[1; 64]).expect("it is in range");
        let kept = other.buffer_create(64).expect("it fits");
        other.buffer_write(kept, 0, &[3; 64]).expect("it is in range");
        lose();
        let error = read(&mut lost, id, 64).await.expect_err("it is lost");
        assert!(matches!(error, ReadError::Device(DeviceError::Lost(_))), "{error}");
        let error = lost.buffer_write(id, 0, &[1; 64]).expect_err("it stays lost");
        assert!(matches!(error, CallError::Device(DeviceError::Lost(_))), "{error}");
        assert!(matches!(lost.finish().await, Err(FinishError::Device(DeviceError::Lost(_)))));
        assert_eq!(read(&mut other, kept, 64).await.expect("it is not lost"), [3; 64]);
        works(&device).await;
    });
}

#[test]
fn a_loss_with_much_queued_ends_every_kind_of_wait() {
    pollster::block_on(async {
        let device = device();
        for finishes in [false, true] {
            let (session, lose) = device.open_losable(NATIVE).await.expect("it opens");
            let mut gpu = Checked::new(session, 64 << 20, Admission::Native);
            let id = gpu.buffer_create(1 << 20).expect("it fits");
            let kernel = kernel(&mut gpu, DOUBLE).expect("it compiles");
            let given = [(BindingIndex { group: 0, binding: 0 }, id, 0, None)];
            for _ in 0..2000 {
                gpu.dispatch(kernel, &given, Grid::Direct([4096, 1, 1])).expect("it is valid");
            }
            lose();
            if finishes {
                assert!(matches!(gpu.finish().await, Err(FinishError::Device(DeviceError::Lost(_)))));
            } else {
                let error = read(&mut gpu, id, 1 << 20).await.err();
                assert!(matches!(error, Some(ReadError::Device(DeviceError::Lost(_)))), "{error:?}");
            }
        }
        works(&device).await;
    });
}

#[test]
fn a_kernel_that_makes_the_compiler_panic_is_refused_and_the_session_goes_on() {
    pollster::block_on(async {
        let device = device();
        let mut gpu = Checked::new(device.open(NATIVE).await.expect("it opens"), 1 << 20, Admission::Native);
        let text = "struct S { a: vec2i, b: vec2i }
                    @group(0) @binding(0) var<storage, read_write> data: array<i32>;
                    fn f(q: ptr<function, vec2i>) { (*q).x = 3; }
                    @compute @workgroup_size(1) fn main() { var s: S; f(&s.b); data[0] = s.b.x; }";
        let error = kernel(&mut gpu, text).expect_err("naga panics over it");
        assert!(matches!(&error, KernelFault::Refused(_)), "{error}");
        kernel(&mut gpu, DOUBLE).expect("it compiles");
    });
}

#[test]
fn an_error_of_the_sink_is_passed_on_and_the_session_goes_on() {
    pollster::block_on(async {
        let device = device();
        let mut gpu = Checked::new(device.open(NATIVE).await.expect("it opens"), 64 << 20, Admission::Native);
        let id = gpu.buffer_create(40 << 20).expect("it fits");
        let mut pieces = 0;
        let mut sink = |_: &[u8]| {
            pieces += 1;
            if pieces == 2 { Err(std::io::Error::other("the disk is full")) } else { Ok(()) }
        };
        let range = BufferRange { buffer: id, offset: 0, size: 40 << 20 };
        let error = gpu.buffer_read(range, &mut sink).await.expect_err("the sink fails");
        assert!(matches!(error, ReadError::Sink(_)), "{error}");
        assert_eq!(pieces, 2);
        assert_eq!(read(&mut gpu, id, 8).await.expect("it goes on"), [0; 8]);
    });
}

#[test]
fn sessions_leave_no_threads_behind() {
    let device = device();
    let threads = || std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    pollster::block_on(works(&device));
    let before = threads();
    for _ in 0..20 {
        pollster::block_on(works(&device));
    }
    let mut after = threads();
    for _ in 0..100 {
        if after <= before + 2 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        after = threads();
    }
    assert!(after <= before + 2, "{before} threads became {after}");
}

#[test]
fn a_device_that_cannot_be_made_exact_says_why_and_what_to_do() {
    let device = device();
    device.set_exactness(Err("its driver guesses".to_owned()));
    let options = SessionOptions { admission: Admission::Exact, ..NATIVE };
    let Err(error) = pollster::block_on(device.open(options)) else { panic!("it promised every bit") };
    let DeviceError::Unavailable(why) = error else { panic!("{error}") };
    assert!(why.contains("its driver guesses") && why.contains("--device reference"), "{why}");
    pollster::block_on(works(&device));
}

#[test]
fn it_says_what_it_is() {
    let info = device().info().clone();
    assert_eq!(info.unsuitable, None);
    assert!(info.kind != DeviceKind::Software || info.name.to_lowercase().contains("llvmpipe"), "{info:?}");
}
