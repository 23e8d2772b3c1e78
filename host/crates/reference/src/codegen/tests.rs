//! Generated code beside the interpreter: the same kernels, the same bytes.

mod budgets;
mod kernels;
mod random;

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

use samebit_device::{
    Binding, BufferId, BufferRange, Dispatch, Grid, KernelId, Program, ReadError, Session, SessionOptions,
};
use samebit_wgsl::lowered::Lowered;
use samebit_wgsl::{Admission, Source, lower, parse};

use crate::ReferenceDevice;
use crate::interp::{self, Ended, Options};

/// Enough for every test that does not try to spend it.
const PLENTY: u32 = 1 << 20;

static DEVICE: LazyLock<ReferenceDevice> = LazyLock::new(|| {
    ReferenceDevice::with_threads(NonZeroUsize::new(2).expect("two threads")).expect("the device runs")
});

fn lowered(text: &str) -> Lowered {
    let kernel =
        parse(&Source { text, entry_point: "main", constants: &[] }).unwrap_or_else(|error| panic!("{error}\n{text}"));
    lower(&kernel, text, Admission::Native).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What the buffers hold after a kernel ran as generated code; nothing if it spent its budget.
fn run(kernel: &Lowered, buffers: &[Vec<u32>], workgroups: [u32; 3], loop_iterations: u32) -> Option<Vec<Vec<u32>>> {
    let options = SessionOptions { admission: Admission::Native, loop_iterations };
    let mut session = DEVICE.open_session(options).expect("it opens");
    let mut bindings = Vec::new();
    for ((index, words), decl) in (1..).zip(buffers).zip(&kernel.interface.bindings) {
        let size = words.len() as u64 * 4;
        session.buffer_create(BufferId(index), size).expect("there is memory");
        session.buffer_write(BufferId(index), 0, &bytes(words)).expect("it writes");
        let range = BufferRange { buffer: BufferId(index), offset: 0, size };
        bindings.push(Binding { group: decl.group, binding: decl.binding, range });
    }
    let result = session.kernel_create(KernelId(1), Program::Exact(Arc::new(kernel.clone())));
    result.unwrap_or_else(|error| panic!("{error}"));
    session
        .dispatch(&Dispatch { kernel: KernelId(1), bindings, grid: Grid::Direct(workgroups) })
        .expect("it is queued");
    let mut after = Vec::new();
    for (index, words) in (1..).zip(buffers) {
        let mut read = Vec::new();
        let range = BufferRange { buffer: BufferId(index), offset: 0, size: words.len() as u64 * 4 };
        let mut sink = |piece: &[u8]| {
            read.extend_from_slice(piece);
            Ok(())
        };
        match pollster::block_on(session.buffer_read(range, &mut sink)) {
            Ok(()) => after.push(words_of(&read)),
            Err(ReadError::BudgetSpent) => return None,
            Err(error) => panic!("{error}"),
        }
    }
    pollster::block_on(Box::new(session).close());
    Some(after)
}

/// What the interpreter says.
fn interpret(
    kernel: &Lowered,
    buffers: &[Vec<u32>],
    workgroups: [u32; 3],
    loop_iterations: u32,
) -> Option<Vec<Vec<u32>>> {
    let mut after: Vec<_> = buffers.iter().map(|words| bytes(words)).collect();
    let options = Options { loop_iterations, ..Options::default() };
    match interp::run(kernel, &mut after, workgroups, &options).expect("it is well formed") {
        Ended::Done => Some(after.iter().map(|bytes| words_of(bytes)).collect()),
        Ended::BudgetSpent(..) => None,
        Ended::Stopped => panic!("stopped"),
    }
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn words_of(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

/// Runs a text both ways.
fn check(text: &str, buffers: &[Vec<u32>], workgroups: [u32; 3]) {
    check_budget(text, buffers, workgroups, PLENTY);
}

/// Runs a text both ways with a budget. Returns whether it was enough.
fn check_budget(text: &str, buffers: &[Vec<u32>], workgroups: [u32; 3], loop_iterations: u32) -> bool {
    let kernel = lowered(text);
    let buffers: Vec<_> = kernel.interface.bindings.iter().map(|decl| buffers[decl.binding as usize].clone()).collect();
    let buffers = &buffers;
    let expected = interpret(&kernel, buffers, workgroups, loop_iterations);
    let got = run(&kernel, buffers, workgroups, loop_iterations);
    match (&expected, &got) {
        (Some(expected), Some(got)) => {
            for (binding, (expected, got)) in expected.iter().zip(got).enumerate() {
                let wrong: Vec<_> = (0..expected.len()).filter(|at| expected[*at] != got[*at]).collect();
                if let Some(&at) = wrong.first() {
                    panic!(
                        "binding {binding}, words {wrong:?}: {:#x} expected, {:#x} got\n{text}\n{kernel}",
                        expected[at], got[at]
                    );
                }
            }
        }
        (None, None) => {}
        _ => panic!("done: {} expected, {} got\n{text}", expected.is_some(), got.is_some()),
    }
    expected.is_some()
}
