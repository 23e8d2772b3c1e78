//! Calls that every device refuses, with the same words, and lives on.

use samebit_wgsl::{ParseError, RefusalReason, Source, parse};

use super::lab::{Failure, Given, Lab, at, expect, expect_words};
use crate::{BindingIndex, BufferCopy, BufferId, BufferRange, CallError, Device, GpuError, Grid, KernelId, limits};

const KERNEL: &str = "
    @group(0) @binding(0) var<storage, read_write> data: array<u32, 4>;
    @group(1) @binding(2) var<uniform> add: vec4u;
    @compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) { data[i] += add[i]; }";

fn refused<T>(what: &str, result: Result<T, CallError>, expected: GpuError) -> Result<(), Failure> {
    let found = match result {
        Ok(_) => "it was accepted".to_owned(),
        Err(CallError::Refused(error)) if error == expected => return Ok(()),
        Err(error) => error.to_string(),
    };
    Err(Failure(format!("{what}: found {found}, expected {expected}")))
}

pub(super) async fn names_every_error(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let buffer = lab.buffer(&[1; 128])?;
    let other = lab.buffer(&[2; 128])?;
    refuse_buffers(&mut lab, buffer, other)?;
    let kernel = lab.kernel(KERNEL)?;
    refuse_dispatches(&mut lab, kernel, buffer, other)?;
    lab.gpu.finish().await?;
    expect_words("the buffer", &lab.words(buffer).await?, &[1; 128])
}

fn refuse_buffers(lab: &mut Lab, buffer: BufferId, other: BufferId) -> Result<(), Failure> {
    use GpuError::{Aliased, InvalidSize, Misaligned, OutOfMemory, OutOfRange};
    let gpu = &mut lab.gpu;
    refused("a buffer of nothing", gpu.buffer_create(0), InvalidSize)?;
    refused("a buffer over the limit", gpu.buffer_create(limits::BUFFER_BYTES + 4), InvalidSize)?;
    refused("a buffer of 6 bytes", gpu.buffer_create(6), Misaligned)?;
    refused("a buffer over the job's memory", gpu.buffer_create(limits::BUFFER_BYTES), OutOfMemory)?;
    refused("a write at 2", gpu.buffer_write(buffer, 2, &[0; 4]), Misaligned)?;
    refused("a write past the end", gpu.buffer_write(buffer, 508, &[0; 5]), OutOfRange)?;
    refused("a write far past the end", gpu.buffer_write(buffer, u64::MAX - 3, &[0; 4]), OutOfRange)?;
    let fill = |offset, size| BufferRange { buffer, offset, size };
    refused("a fill at 1", gpu.buffer_fill(fill(1, 4), 9), Misaligned)?;
    refused("a fill of 3", gpu.buffer_fill(fill(0, 3), 9), Misaligned)?;
    refused("a fill past the end", gpu.buffer_fill(fill(4, 512), 9), OutOfRange)?;
    refused("a fill without end", gpu.buffer_fill(fill(8, u64::MAX - 3), 9), OutOfRange)?;
    let copy = |source, source_offset, offset, size| BufferCopy { source, source_offset, target: fill(offset, size) };
    refused("a copy from 2", gpu.buffer_copy(copy(other, 2, 0, 4)), Misaligned)?;
    refused("a copy to 2", gpu.buffer_copy(copy(other, 0, 2, 4)), Misaligned)?;
    refused("a copy of 2", gpu.buffer_copy(copy(other, 0, 0, 2)), Misaligned)?;
    refused("a copy past the source", gpu.buffer_copy(copy(other, 508, 0, 8)), OutOfRange)?;
    refused("a copy past the target", gpu.buffer_copy(copy(other, 0, 508, 8)), OutOfRange)?;
    refused("a copy to itself", gpu.buffer_copy(copy(buffer, 0, 256, 4)), Aliased)
}

fn refuse_dispatches(lab: &mut Lab, kernel: KernelId, data: BufferId, add: BufferId) -> Result<(), Failure> {
    use GpuError::{Aliased, BindingMismatch, InvalidSize, Misaligned, OutOfRange};
    let index = |group, binding| BindingIndex { group, binding };
    let one = Grid::Direct([1, 1, 1]);
    let good = at(1, 2, add);
    let wrong = |offset, size| -> [Given; 2] { [(index(0, 0), data, offset, size), good] };
    let cases: [(&str, &[Given], Grid, GpuError); 14] = [
        ("no bindings", &[], one, BindingMismatch(index(0, 0))),
        ("one missing", &[at(0, 0, data)], one, BindingMismatch(index(1, 2))),
        ("one unknown", &[at(0, 0, data), at(1, 1, add), good], one, BindingMismatch(index(1, 1))),
        ("one unknown at the end", &[at(0, 0, data), good, at(3, 0, add)], one, BindingMismatch(index(3, 0))),
        ("one given twice", &[at(0, 0, data), good, at(0, 0, data)], one, BindingMismatch(index(0, 0))),
        ("one too small", &wrong(0, Some(12)), one, BindingMismatch(index(0, 0))),
        ("one of nothing", &wrong(0, Some(0)), one, InvalidSize),
        ("a size of 18", &wrong(0, Some(18)), one, Misaligned),
        ("an offset of 128", &wrong(128, None), one, Misaligned),
        ("an offset past the end", &wrong(768, None), one, OutOfRange),
        ("a size past the end", &wrong(256, Some(260)), one, OutOfRange),
        ("one buffer written and read", &[at(0, 0, data), at(1, 2, data)], one, Aliased),
        ("counts over the limit", &[at(0, 0, data), good], Grid::Direct([1, 65_536, 1]), InvalidSize),
        ("counts in what is written", &[at(0, 0, data), good], Grid::Indirect { buffer: data, offset: 0 }, Aliased),
    ];
    for (what, given, grid, expected) in cases {
        refused(what, lab.gpu.dispatch(kernel, given, grid), expected)?;
    }
    let given = [at(0, 0, data), good];
    for (offset, expected) in [(2, Misaligned), (504, OutOfRange), (u64::MAX - 3, OutOfRange)] {
        let grid = Grid::Indirect { buffer: add, offset };
        refused(&format!("counts at {offset}"), lab.gpu.dispatch(kernel, &given, grid), expected)?;
    }
    Ok(())
}

pub(super) async fn changes_nothing_when_it_refuses(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let buffer = lab.buffer(&[1, 2, 3])?;
    let before = lab.gpu.usage();
    for _ in 0..1000 {
        refused("a write past the end", lab.gpu.buffer_write(buffer, 8, &[9; 8]), GpuError::OutOfRange)?;
        refused("too large a buffer", lab.gpu.buffer_create(limits::BUFFER_BYTES), GpuError::OutOfMemory)?;
    }
    expect("what is used", lab.gpu.usage(), before)?;
    expect_words("the buffer", &lab.words(buffer).await?, &[1, 2, 3])
}

pub(super) async fn refuses_kernels(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let bad = [
        ("fn main() {", RefusalReason::Invalid),
        ("@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }", RefusalReason::Invalid),
        ("@compute @workgroup_size(1) fn other() {}", RefusalReason::UnknownEntryPoint),
        ("@compute @workgroup_size(257) fn main() {}", RefusalReason::Unsupported),
    ];
    for (text, expected) in bad {
        match parse(&Source { text, entry_point: "main", constants: &[] }) {
            Ok(_) => return Err(Failure(format!("`{text}` was accepted"))),
            Err(ParseError::Refused(refusal)) => expect(text, refusal.reason, expected)?,
            Err(error) => return Err(error.into()),
        }
    }
    // The session goes on.
    let buffer = lab.buffer(&[4])?;
    expect_words("a buffer", &lab.words(buffer).await?, &[4])
}
