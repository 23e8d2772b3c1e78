//! Random programs on the driver and in the interpreter, which is another way from the same text to a result.
//!
//! As they stand, their floats are small whole numbers, so that every driver computes the same. As exact programs their
//! floats are any. A plain run makes a few programs; `SAMEBIT_PROGRAMS` says how many, and `SAMEBIT_SEED` which is the
//! first.

use samebit_device::random::{Floats, Program, program};
use samebit_device::wgsl::{Admission, Kernel, Source, lower, parse};
use samebit_device::{BindingIndex, BufferRange, Checked, Device, Grid, SessionOptions};
use samebit_gpu::exact::Way;
use samebit_gpu::{Choice, GpuDevice};
use samebit_reference::interp::{self, Ended, Options};

use crate::exact;

/// How many programs a plain run makes.
const PROGRAMS: u64 = 40;
/// The same of exact ones, which take a driver longer to compile.
const EXACT_PROGRAMS: u64 = 16;

/// Programs of which lavapipe of Mesa 22.3 makes something else. They run, but may differ; the exact cause is not known.
///
/// 346: reduced, it writes `extractBits(1 + gid.x, offset, n)`, whose offset is 0 by hand and when written out, and the
/// driver writes 0 for some invocations. Without a loop beside it, whose writes nothing reads, the driver is right as
/// well. So the fault is taken to be in its optimizer, since translation to SPIR-V does not look that far.
const DRIVER_FAULTS: [u64; 1] = [346];

/// Programs that once differed, and run each time. The first two multiply or divide by a float of an integer that is always
/// zero, which the driver finds out, and then folds as it should not. The third makes an integer of a float between -1 and
/// 0 and a float of that, for which the driver writes `trunc`, whose zero is negative. The others subtract a negative zero
/// that is computed, in the portable way, where the driver found out that it is one.
const ONCE_DIFFERENT: [u64; 5] = [20_153, 20_228, 70_078, 101_575, 101_805];

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

fn kernel(program: &Program) -> Kernel {
    parse(&Source { text: &program.text, entry_point: "main", constants: &[] }).expect("the text is valid")
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// What each bound buffer holds at the end, by the interpreter.
fn interpreted(program: &Program) -> Vec<Vec<u8>> {
    let lowered = lower(&kernel(program), &program.text, Admission::Exact).expect("it has one answer");
    let bindings = &lowered.interface.bindings;
    let mut buffers: Vec<_> = bindings.iter().map(|decl| bytes(&program.buffers[decl.binding as usize])).collect();
    let ended = interp::run(&lowered, &mut buffers, program.workgroups, &Options::default());
    assert!(matches!(ended, Ok(Ended::Done)), "{ended:?}");
    buffers
}

/// A session of the driver.
async fn open(device: &GpuDevice, admission: Admission) -> Checked {
    let options = SessionOptions { admission, loop_iterations: 1 << 24 };
    Checked::new(device.open(options).await.expect("it opens"), 16 << 20, admission)
}

/// What each bound buffer holds at the end, by the driver.
async fn driven(gpu: &mut Checked, program: &Program) -> Vec<Vec<u8>> {
    let kernel = kernel(program);
    let bindings = kernel.interface().bindings.clone();
    let id = gpu.kernel_create(kernel, &program.text).expect("it compiles");
    let mut given = Vec::new();
    for decl in &bindings {
        let contents = bytes(&program.buffers[decl.binding as usize]);
        let buffer = gpu.buffer_create(contents.len() as u64).expect("it fits");
        gpu.buffer_write(buffer, 0, &contents).expect("it is in range");
        given.push((BindingIndex { group: 0, binding: decl.binding }, buffer, 0, None));
    }
    gpu.dispatch(id, &given, Grid::Direct(program.workgroups)).expect("it is valid");
    let mut ends = Vec::new();
    for (index, buffer, ..) in &given {
        let size = 4 * program.buffers[index.binding as usize].len() as u64;
        let mut end = Vec::new();
        let mut sink = |piece: &[u8]| {
            end.extend_from_slice(piece);
            Ok(())
        };
        gpu.buffer_read(BufferRange { buffer: *buffer, offset: 0, size }, &mut sink).await.expect("it is in range");
        ends.push(end);
        gpu.buffer_drop(*buffer);
    }
    gpu.kernel_drop(id);
    ends
}

#[test]
fn vulkan_and_the_interpreter_agree_on_random_programs() {
    let device = GpuDevice::select(&Choice::Default).expect("a Vulkan driver is installed");
    let from = number("SAMEBIT_SEED").unwrap_or(0);
    let mut differ = Vec::new();
    for seed in from..from + number("SAMEBIT_PROGRAMS").unwrap_or(PROGRAMS) {
        let program = program(seed, Floats::Exact);
        let mut gpu = pollster::block_on(open(&device, Admission::Native));
        if interpreted(&program) != pollster::block_on(driven(&mut gpu, &program)) {
            println!("SAMEBIT_SEED={seed} SAMEBIT_PROGRAMS=1\n{}", program.text);
            if !DRIVER_FAULTS.contains(&seed) {
                differ.push(seed);
            }
        }
    }
    drop(device);
    assert!(samebit_gpu::all_closed_within(std::time::Duration::from_secs(30)));
    assert_eq!(differ, [0; 0], "seeds of programs that differ");
}

/// The two ways of emission and the interpreter.
#[test]
fn vulkan_and_the_interpreter_agree_exactly_on_random_programs() {
    let devices = [Way::Vulkan, Way::Portable].map(|way| (way, exact::device(way, |found| found)));
    let mut sessions =
        devices.each_ref().map(|(way, device)| (*way, pollster::block_on(open(device, Admission::Exact))));
    let from = number("SAMEBIT_SEED").unwrap_or(0);
    let mut differ = Vec::new();
    let to = from + number("SAMEBIT_PROGRAMS").unwrap_or(EXACT_PROGRAMS);
    for seed in (from..to).chain(ONCE_DIFFERENT) {
        let program = program(seed, Floats::Any);
        let expected = interpreted(&program);
        for (way, gpu) in &mut sessions {
            if expected != pollster::block_on(driven(gpu, &program)) {
                println!("SAMEBIT_SEED={seed} SAMEBIT_PROGRAMS=1 {way:?}\n{}", program.text);
                differ.push((seed, *way));
            }
        }
    }
    drop((sessions, devices));
    assert!(samebit_gpu::all_closed_within(std::time::Duration::from_secs(30)));
    assert_eq!(differ, [], "seeds of programs that differ");
}
