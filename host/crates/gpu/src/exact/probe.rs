//! Finds out how a device is made exact: small programs on it, operation by operation, against what the operations are.

use std::sync::Arc;

use samebit_device::wgsl::lowered::{Binary, Unary, eval};
use samebit_device::wgsl::{Admission, Source, lower, parse};
use samebit_device::{
    Binding, BufferId, BufferRange, DeviceError, Dispatch, Grid, KernelId, Program, ReadError, Session, SessionOptions,
};

use super::{Arithmetic, Exactness, Method, Operation, Way};
use crate::GpuDevice;

/// Operands at which instructions that are not exact go wrong.
const OPERANDS: [u32; 24] = [
    0,
    0x8000_0000,
    1,
    0x8000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x3f7f_ffff,
    0x3f80_0000,
    0x3f80_0001,
    0xbfc0_0003,
    0x4049_0fdb,
    0x3eaa_aaab,
    0x4b7f_fffd,
    0x4f00_0000,
    0xcf00_0001,
    0x5d5e_0b6b,
    0x22ab_cdef,
    0x7f7f_ffff,
    0xff7f_ffff,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0x3f00_0001,
    0xbf7f_fff1,
];
/// Results of each program for each triple of operands.
const RESULTS: usize = 4;
/// Loops of the programs: there are none.
const LOOP_ITERATIONS: u32 = 1;

/// How the device is made exact, or why it cannot be.
pub(crate) async fn find(device: &GpuDevice) -> Result<Result<Exactness, String>, DeviceError> {
    let way = if device.features().contains(wgpu::Features::PASSTHROUGH_SHADERS) && device.is_vulkan() {
        Way::Vulkan
    } else {
        Way::Portable
    };
    let mut arithmetic = Arithmetic::NATIVE;
    loop {
        let exactness = Exactness { way, arithmetic };
        let failed = failing(device, exactness).await?;
        if failed.is_empty() {
            tracing::debug!(?exactness, "the device is exact");
            return Ok(Ok(exactness));
        }
        for operation in failed {
            match next(device, exactness, operation) {
                Some(method) => arithmetic = arithmetic.with(operation, method),
                None => return Ok(Err(format!("its driver gets `{operation}` wrong, whichever way it is written"))),
            }
        }
    }
}

/// The method to try after one that failed.
fn next(device: &GpuDevice, exactness: Exactness, operation: Operation) -> Option<Method> {
    let failed = exactness.arithmetic.of(operation);
    let later = operation.methods().iter().copied().skip_while(|method| *method != failed).skip(1);
    later.into_iter().find(|method| {
        let arithmetic = exactness.arithmetic.with(operation, *method);
        device.features().contains(Exactness { arithmetic, ..exactness }.features())
    })
}

/// The operations that the device gets wrong.
async fn failing(device: &GpuDevice, exactness: Exactness) -> Result<Vec<Operation>, DeviceError> {
    let options = SessionOptions { admission: Admission::Exact, loop_iterations: LOOP_ITERATIONS };
    let mut session = device.open_with(options, exactness).await?;
    let triples: Vec<u32> = OPERANDS
        .iter()
        .flat_map(|a| OPERANDS.iter().flat_map(move |b| OPERANDS.iter().flat_map(move |c| [*a, *b, *c])))
        .collect();
    let mut failed = Vec::new();
    for operation in Operation::ALL {
        let found = run(session.as_mut(), operation, &triples).await?;
        let expected = triples.as_chunks::<3>().0.iter().flat_map(|operands| expected(operation, *operands));
        if !found.iter().copied().eq(expected) {
            failed.push(operation);
        }
    }
    session.close().await;
    Ok(failed)
}

/// What an operation's program computes of operands `x`, `y` and `z`, or of their bits `i`, `j` and `k`.
fn expressions(operation: Operation) -> [&'static str; RESULTS] {
    match operation {
        Operation::Add => ["x + y", "x - y", "(x + y) - x", "x - x"],
        Operation::Multiply => ["x * y", "x * y + z", "x * 0.0", "x * y - x * z"],
        Operation::Divide => ["x / y", "1.0 / x", "x / x", "x / 3.0"],
        Operation::Sqrt => ["sqrt(x)", "sqrt(abs(x))", "sqrt(abs(x)) * sqrt(abs(x))", "sqrt(y)"],
        Operation::Fma => ["fma(x, y, z)", "fma(x, y, -z)", "fma(x, x, z)", "fma(x, y, 0.0)"],
        Operation::Compare => ["min(x, y)", "max(x, y)", "f32(x < y)", "f32(x == y) + f32(x <= y) * 2.0"],
        Operation::Round => ["floor(x)", "ceil(x)", "trunc(x)", "round(x)"],
        Operation::ToInteger => ["bitcast<f32>(i32(x))", "bitcast<f32>(u32(x))", "0.0", "0.0"],
        Operation::FromInteger => ["f32(i)", "f32(bitcast<i32>(i))", "f32(j * 3u)", "0.0"],
    }
}

/// What comes out.
fn expected(operation: Operation, [x, y, z]: [u32; 3]) -> [u32; RESULTS] {
    use Binary::{FloatAdd, FloatDivide, FloatMultiply, FloatSubtract};
    let (one, two) = (eval::unary, eval::binary);
    let canonical = |bits| one(Unary::Canonical, bits);
    let truth = |holds: u32| (holds as f32).to_bits();
    match operation {
        Operation::Add => [
            two(FloatAdd, x, y),
            two(FloatSubtract, x, y),
            two(FloatSubtract, two(FloatAdd, x, y), x),
            two(FloatSubtract, x, x),
        ],
        Operation::Multiply => {
            let [xy, xz] = [y, z].map(|other| two(FloatMultiply, x, other));
            [xy, two(FloatAdd, xy, z), two(FloatMultiply, x, 0), two(FloatSubtract, xy, xz)]
        }
        Operation::Divide => [
            two(FloatDivide, x, y),
            two(FloatDivide, 1f32.to_bits(), x),
            two(FloatDivide, x, x),
            two(FloatDivide, x, 3f32.to_bits()),
        ],
        Operation::Sqrt => {
            let root = one(Unary::Sqrt, one(Unary::Abs, x));
            [one(Unary::Sqrt, x), root, two(FloatMultiply, root, root), one(Unary::Sqrt, y)]
        }
        Operation::Fma => {
            [eval::fma(x, y, z), eval::fma(x, y, z ^ 0x8000_0000), eval::fma(x, x, z), eval::fma(x, y, 0)]
        }
        Operation::Compare => [
            canonical(two(Binary::FloatMin, x, y)),
            canonical(two(Binary::FloatMax, x, y)),
            truth(two(Binary::FloatLess, x, y)),
            truth(two(Binary::FloatEqual, x, y) + 2 * two(Binary::FloatLessEqual, x, y)),
        ],
        Operation::Round => [Unary::Floor, Unary::Ceil, Unary::Trunc, Unary::RoundEven].map(|op| one(op, x)),
        Operation::ToInteger => {
            [canonical(one(Unary::SignedFromFloat, x)), canonical(one(Unary::UnsignedFromFloat, x)), 0, 0]
        }
        Operation::FromInteger => [
            one(Unary::FloatFromUnsigned, x),
            one(Unary::FloatFromSigned, x),
            one(Unary::FloatFromUnsigned, y.wrapping_mul(3)),
            0,
        ],
    }
}

/// Runs an operation's program over triples of operands.
async fn run(session: &mut dyn Session, operation: Operation, triples: &[u32]) -> Result<Vec<u32>, DeviceError> {
    let failed = |why: &dyn std::fmt::Display| DeviceError::Failed(format!("`{operation}` could not be tried: {why}"));
    let [a, b, c, d] = expressions(operation);
    let text = format!(
        "@group(0) @binding(0) var<storage> operands: array<u32>;
         @group(0) @binding(1) var<storage, read_write> results: array<f32>;
         @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {{
             let n = id.x;
             if n * 3u >= arrayLength(&operands) {{ return; }}
             let i = operands[n * 3u]; let j = operands[n * 3u + 1u]; let k = operands[n * 3u + 2u];
             let x = bitcast<f32>(i); let y = bitcast<f32>(j); let z = bitcast<f32>(k);
             results[n * 4u] = {a}; results[n * 4u + 1u] = {b}; results[n * 4u + 2u] = {c}; results[n * 4u + 3u] = {d};
         }}"
    );
    let kernel = parse(&Source { text: &text, entry_point: "main", constants: &[] }).map_err(|why| failed(&why))?;
    let lowered = lower(&kernel, &text, Admission::Exact).map_err(|why| failed(&why))?;
    let id = operation as u32;
    let (input, output) = (BufferId(2 * id), BufferId(2 * id + 1));
    let count = triples.len() / 3;
    let size = (4 * RESULTS * count) as u64;
    session.kernel_create(KernelId(id), Program::Exact(Arc::new(lowered))).map_err(|why| failed(&why))?;
    session.buffer_create(input, 4 * triples.len() as u64)?;
    session.buffer_create(output, size)?;
    let bytes: Vec<u8> = triples.iter().flat_map(|word| word.to_le_bytes()).collect();
    session.buffer_write(input, 0, &bytes)?;
    let bind = |binding, buffer, size| Binding { group: 0, binding, range: BufferRange { buffer, offset: 0, size } };
    session.dispatch(&Dispatch {
        kernel: KernelId(id),
        bindings: vec![bind(0, input, bytes.len() as u64), bind(1, output, size)],
        grid: Grid::Direct([(count as u32).div_ceil(64), 1, 1]),
    })?;
    let mut words = Vec::new();
    let mut sink = |piece: &[u8]| {
        words.extend(piece.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)));
        Ok(())
    };
    let read = session.buffer_read(BufferRange { buffer: output, offset: 0, size }, &mut sink).await;
    match read {
        Ok(()) => Ok(words),
        Err(ReadError::Device(error)) => Err(error),
        Err(error) => Err(failed(&error)),
    }
}
