//! What kernels compute, where WGSL leaves no choice.

use samebit_wgsl::{Source, parse};

use super::lab::{Failure, Lab, expect, expect_words};
use crate::{Device, KernelFault};

pub(super) async fn runs_every_invocation(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(
        "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
         @compute @workgroup_size(8, 4, 2) fn main(
             @builtin(workgroup_id) group: vec3u,
             @builtin(local_invocation_id) local: vec3u,
             @builtin(local_invocation_index) index: u32,
         ) {
             data[group.x * 64 + index] = group.x * 1000 + local.x + local.y * 10 + local.z * 100;
         }",
    )?;
    let data = lab.zeros(192)?;
    lab.run(kernel, &[data], [3, 1, 1])?;
    let expected: Vec<u32> = (0..192).map(|i| i / 64 * 1000 + i % 8 + i / 8 % 4 * 10 + i / 32 % 2 * 100).collect();
    expect_words("the ids", &lab.words(data).await?, &expected)
}

pub(super) async fn covers_grids_of_three_dimensions(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(
        "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
         @compute @workgroup_size(2, 3, 4)
         fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
             let size = grid * vec3u(2, 3, 4);
             data[id.x + size.x * (id.y + size.y * id.z)] += id.x + id.y * 100 + id.z * 10000;
         }",
    )?;
    let data = lab.zeros(14 * 15 * 12)?;
    lab.run(kernel, &[data], [7, 5, 3])?;
    let expected: Vec<u32> = (0..14 * 15 * 12).map(|i| i % 14 + i / 14 % 15 * 100 + i / 210 * 10000).collect();
    expect_words("the ids", &lab.words(data).await?, &expected)
}

pub(super) async fn covers_long_grids(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(
        "@group(0) @binding(0) var<storage, read_write> seen: array<atomic<u32>, 4>;
         @compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u) {
             atomicAdd(&seen[0], 1u);
             atomicMax(&seen[1], id.x); atomicMax(&seen[2], id.y); atomicMax(&seen[3], id.z);
         }",
    )?;
    let seen = lab.zeros(4)?;
    for counts in [[65_535, 1, 1], [1, 65_535, 1], [1, 1, 65_535]] {
        lab.write(seen, 0, &[0; 4])?;
        lab.run(kernel, &[seen], counts)?;
        let expected = [65_535, counts[0] - 1, counts[1] - 1, counts[2] - 1];
        expect_words(&format!("{counts:?}"), &lab.words(seen).await?, &expected)?;
    }
    Ok(())
}

pub(super) async fn resolves_override_constants(device: &dyn Device) -> Result<(), Failure> {
    const TEXT: &str = "
        override factor: u32 = 3;
        @id(7) override add: i32 = i32(factor) + 1;
        override negate: bool = false;
        override size: u32 = 4;
        var<workgroup> tile: array<i32, size * 2>;
        @group(0) @binding(0) var<storage, read_write> data: array<i32>;
        @compute @workgroup_size(size) fn main(@builtin(local_invocation_index) i: u32) {
            tile[i + size] = data[i] * i32(factor) + add;
            workgroupBarrier();
            data[i] = select(tile[2 * size - 1 - i], -tile[2 * size - 1 - i], negate);
        }";
    let mut lab = Lab::open(device).await?;
    let data = lab.buffer(&[1, 2, 3, 4])?;
    let kernel = lab.kernel(TEXT)?;
    lab.run(kernel, &[data], [1, 1, 1])?;
    expect_words("the defaults", &lab.words(data).await?, &[16, 13, 10, 7])?;
    let constants = [("factor", 1.0), ("7", -1.0), ("negate", 1.0), ("size", 2.0)];
    let kernel = lab.kernel_with(TEXT, &constants.map(|(name, value)| (name.to_owned(), value)))?;
    lab.run(kernel, &[data], [1, 1, 1])?;
    let expected = [-12i32 as u32, -15i32 as u32, 10, 7];
    expect_words("the values given", &lab.words(data).await?, &expected)
}

pub(super) async fn starts_workgroup_memory_at_zero(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(
        "var<workgroup> tile: array<u32, 4096>;
         @group(0) @binding(0) var<storage, read_write> dirty: atomic<u32>;
         @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
             for (var at = i; at < 4096; at += 64u) {
                 if tile[at] != 0 { atomicAdd(&dirty, 1u); }
                 tile[at] = 0xffffffff;
             }
         }",
    )?;
    let dirty = lab.zeros(1)?;
    lab.run(kernel, &[dirty], [50, 1, 1])?;
    lab.run(kernel, &[dirty], [50, 1, 1])?;
    expect_words("words that were not zero", &lab.words(dirty).await?, &[0])
}

pub(super) async fn obeys_barriers(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    // A prefix sum, which is wrong if any invocation runs ahead.
    let kernel = lab.kernel(
        "var<workgroup> sums: array<u32, 256>;
         @group(0) @binding(0) var<storage, read_write> data: array<u32>;
         @compute @workgroup_size(256)
         fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
             sums[i] = data[group.x * 256 + i];
             for (var step = 1u; step < 256; step *= 2) {
                 workgroupBarrier();
                 var before = 0u;
                 if i >= step { before = sums[i - step]; }
                 workgroupBarrier();
                 sums[i] += before;
             }
             data[group.x * 256 + i] = sums[i];
         }",
    )?;
    let data = lab.buffer(&(0..1024).map(|i| i * i % 97).collect::<Vec<u32>>())?;
    lab.run(kernel, &[data], [4, 1, 1])?;
    let mut expected = Vec::new();
    for i in 0..1024u32 {
        let before = if i % 256 == 0 { 0 } else { expected[i as usize - 1] };
        expected.push(before + i * i % 97);
    }
    expect_words("the sums", &lab.words(data).await?, &expected)
}

pub(super) async fn counts_with_atomics(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(
        "struct Tally { sum: atomic<u32>, low: atomic<i32>, high: atomic<i32>, bits: atomic<u32>, odd: atomic<u32>,
                        kept: atomic<u32>, wins: atomic<u32> }
         var<workgroup> local: atomic<u32>;
         @group(0) @binding(0) var<storage, read_write> tally: Tally;
         @compute @workgroup_size(64)
         fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) i: u32) {
             atomicAdd(&local, id.x);
             atomicMin(&tally.low, 5 - i32(id.x)); atomicMax(&tally.high, i32(id.x) - 7);
             atomicOr(&tally.bits, 1u << (id.x % 20)); atomicXor(&tally.odd, id.x);
             atomicAnd(&tally.kept, ~(1u << (id.x % 3)));
             if atomicCompareExchangeWeak(&tally.wins, 0xffffffff, 1).old_value == 0xffffffff {}
             workgroupBarrier();
             if i == 0 { atomicAdd(&tally.sum, atomicLoad(&local)); }
         }",
    )?;
    let tally = lab.buffer(&[0, 0, 0, 0, 0, u32::MAX, 3])?;
    lab.run(kernel, &[tally], [16, 1, 1])?;
    let n: u32 = 1024;
    let expected = [n * (n - 1) / 2, (5 - 1023i32) as u32, 1016, (1 << 20) - 1, (0..n).fold(0, |x, i| x ^ i), !7, 3];
    expect_words("the tally", &lab.words(tally).await?, &expected)
}

pub(super) async fn computes_integers_as_defined(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(
        "@group(0) @binding(0) var<storage> pairs: array<vec2u>;
         @group(0) @binding(1) var<storage, read_write> out: array<array<u32, 12>>;
         @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
             let a = pairs[id.x].x; let b = pairs[id.x].y; let i = bitcast<i32>(a); let j = bitcast<i32>(b);
             out[id.x] = array(
                 a + b, a - b, a * b, a / b, a % b, bitcast<u32>(i / j), bitcast<u32>(i % j),
                 a << (b & 31), a >> (b & 31), bitcast<u32>(i >> (b & 31)),
                 countOneBits(a) + 100 * countLeadingZeros(b), reverseBits(a) ^ firstTrailingBit(b),
             );
         }",
    )?;
    let values = [0, 1, 2, 3, 7, 31, 32, 1000, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fff9, u32::MAX];
    let pairs: Vec<[u32; 2]> = values.iter().flat_map(|a| values.map(|b| [*a, b])).collect();
    let source = lab.buffer(pairs.as_flattened())?;
    let out = lab.zeros(pairs.len() * 12)?;
    lab.run(kernel, &[source, out], [pairs.len() as u32, 1, 1])?;
    let found = lab.words(out).await?;
    for ([a, b], found) in pairs.into_iter().zip(found.chunks(12)) {
        expect_words(&format!("of {a:#x} and {b:#x}"), found, &defined(a, b))?;
    }
    Ok(())
}

/// What WGSL defines the operations of [`computes_integers_as_defined`] to be.
fn defined(a: u32, b: u32) -> [u32; 12] {
    let (i, j) = (a as i32, b as i32);
    let first_trailing = if b == 0 { u32::MAX } else { b.trailing_zeros() };
    [
        a.wrapping_add(b),
        a.wrapping_sub(b),
        a.wrapping_mul(b),
        a.checked_div(b).unwrap_or(a),
        a.checked_rem(b).unwrap_or(0),
        i.checked_div(j).unwrap_or(i) as u32,
        i.checked_rem(j).unwrap_or(0) as u32,
        a << (b & 31),
        a >> (b & 31),
        (i >> (b & 31)) as u32,
        a.count_ones() + 100 * b.leading_zeros(),
        a.reverse_bits() ^ first_trailing,
    ]
}

/// Every sum and product here is exact in binary32, so there is one answer however they are ordered or fused.
pub(super) async fn sums_floats_exactly(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(
        "@group(0) @binding(0) var<storage, read_write> data: array<f32>;
         @compute @workgroup_size(32) fn main(@builtin(global_invocation_id) id: vec3u) {
             var sum = 0.0;
             for (var i = 0u; i <= id.x; i++) { sum += f32(i) * 0.25 - 1.5; }
             data[id.x] = sum + data[id.x];
         }",
    )?;
    let data = lab.buffer(&(0..64).map(|i| (i as f32 * 0.5).to_bits()).collect::<Vec<_>>())?;
    lab.run(kernel, &[data], [2, 1, 1])?;
    let sum = |id: i32| (0..=id).map(|i| i as f32 * 0.25 - 1.5).sum::<f32>() + id as f32 * 0.5;
    expect_words("the sums", &lab.words(data).await?, &(0..64).map(|id| sum(id).to_bits()).collect::<Vec<_>>())
}

/// Valid kernels that compilers are known to fall over. A device may refuse them, but not fall.
pub(super) async fn runs_or_refuses_what_is_hard_to_compile(device: &dyn Device) -> Result<(), Failure> {
    const HARD: [&str; 2] = [
        "struct S { a: vec2i, b: vec2i }
         @group(0) @binding(0) var<storage, read_write> data: array<i32>;
         fn f(q: ptr<function, vec2i>) { (*q).x = 3; }
         @compute @workgroup_size(1) fn main() { var s: S; f(&s.b); data[0] = s.b.x; }",
        "@group(0) @binding(0) var<storage, read_write> data: array<i32>;
         fn f(q: ptr<function, i32>) { *q = 3; }
         @compute @workgroup_size(1) fn main() { var s: array<array<i32, 3>, 4>; f(&s[data[0]][1]); data[0] = s[0][1]; }",
    ];
    for text in HARD {
        let mut lab = Lab::open(device).await?;
        // The front end may know better too.
        let Ok(parsed) = parse(&Source { text, entry_point: "main", constants: &[] }) else { continue };
        let data = lab.buffer(&[0])?;
        let expected = match lab.gpu.kernel_create(parsed, text) {
            Ok(kernel) => {
                lab.run(kernel, &[data], [1, 1, 1])?;
                3
            }
            Err(KernelFault::Refused(refusal)) => {
                expect("a message of the refusal", refusal.message.is_empty(), false)?;
                0
            }
            Err(KernelFault::Device(error)) => return Err(error.into()),
        };
        expect_words("what it did", &lab.words(data).await?, &[expected])?;
    }
    Ok(())
}
