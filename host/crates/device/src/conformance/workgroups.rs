//! What the invocations of a workgroup do together: barriers, `workgroupUniformLoad`, and atomics whose order cannot show.

use super::lab::{Failure, Lab, expect_words};

/// Barriers in functions, in loops, and under conditions that are the same for all.
pub(super) async fn meets_at_barriers(mut lab: Lab) -> Result<(), Failure> {
    const TEXT: &str = "
        struct Params { rounds: u32, mode: u32 }
        @group(0) @binding(0) var<uniform> params: Params;
        @group(0) @binding(1) var<storage, read_write> out: array<u32>;
        var<workgroup> tile: array<u32, 30>;
        fn turn(i: u32, by: u32) {
            let x = tile[(i + by) % 30u];
            workgroupBarrier();
            tile[i] = x * 3u + i;
            workgroupBarrier();
        }
        @compute @workgroup_size(5, 3, 2)
        fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
            tile[i] = i + group.x * 100u;
            workgroupBarrier();
            for (var n = 0u; n < params.rounds; n++) {
                if n % 2u == params.mode { turn(i, n); } else if i % 3u == 0u { tile[i] += 1u; }
                workgroupBarrier();
            }
            switch params.mode { case 1u { turn(i, 7u); } default { workgroupBarrier(); } }
            out[group.x * 30u + i] = tile[29u - i];
        }";
    let kernel = lab.kernel(TEXT)?;
    for (rounds, mode) in [(0, 0), (5, 0), (6, 1), (4, 2)] {
        let params = lab.buffer(&[rounds, mode])?;
        let out = lab.zeros(90)?;
        lab.run(kernel, &[params, out], [3, 1, 1])?;
        let mut expected = Vec::new();
        for group in 0..3 {
            let mut tile: Vec<u32> = (0..30).map(|i| i + group * 100).collect();
            let turn = |tile: &mut Vec<u32>, by: u32| {
                let old = tile.clone();
                for i in 0..30 {
                    tile[i as usize] = old[(i + by) as usize % 30].wrapping_mul(3).wrapping_add(i);
                }
            };
            for n in 0..rounds {
                if n % 2 == mode {
                    turn(&mut tile, n);
                } else {
                    tile.iter_mut().step_by(3).for_each(|x| *x = x.wrapping_add(1));
                }
            }
            if mode == 1 {
                turn(&mut tile, 7);
            }
            tile.reverse();
            expected.extend(tile);
        }
        expect_words(&format!("{rounds} rounds in mode {mode}"), &lab.words(out).await?, &expected)?;
    }
    Ok(())
}

/// What lives across a barrier, in variables and arrays of the invocation.
pub(super) async fn keeps_variables_across_barriers(mut lab: Lab) -> Result<(), Failure> {
    const TEXT: &str = "
        @group(0) @binding(0) var<storage, read_write> out: array<u32>;
        var<workgroup> tile: array<u32, 70>;
        var<private> calls: u32;
        fn note(x: u32) -> u32 { calls += 1u; return x + calls; }
        @compute @workgroup_size(70) fn main(@builtin(local_invocation_index) i: u32) {
            var kept: array<u32, 5>;
            var flag = i % 3u == 0u;
            var at = vec3f(f32(i), 1.5, -2.0);
            for (var n = 0u; n < 10u; n++) {
                tile[i] = note(i * n);
                workgroupBarrier();
                kept[(i + n) % 5u] += tile[(i + n) % 70u];
                if flag { at.x += 1.0; flag = n < 4u; } else { at.z -= at.y; }
                workgroupBarrier();
            }
            out[i] = kept[0] + kept[4] * 3u + calls * 1000u + u32(at.x) + u32(-at.z) + u32(flag);
        }";
    let kernel = lab.kernel(TEXT)?;
    let out = lab.zeros(70)?;
    lab.run(kernel, &[out], [1, 1, 1])?;
    let of = |i: u32| {
        let mut kept = [0; 5];
        let (mut flag, mut x, mut z) = (i.is_multiple_of(3), f64::from(i), -2.0_f64);
        for n in 0..10 {
            kept[(i + n) as usize % 5] += (i + n) % 70 * n + n + 1;
            if flag {
                x += 1.0;
                flag = n < 4;
            } else {
                z -= 1.5;
            }
        }
        kept[0] + kept[4] * 3 + 10_000 + x as u32 + (-z) as u32 + u32::from(flag)
    };
    expect_words("what was kept", &lab.words(out).await?, &(0..70).map(of).collect::<Vec<_>>())
}

pub(super) async fn loads_uniformly(mut lab: Lab) -> Result<(), Failure> {
    const TEXT: &str = "
        struct Shared { limit: u32, at: vec3u }
        @group(0) @binding(0) var<storage, read_write> out: array<u32>;
        var<workgroup> shared_: Shared;
        var<workgroup> steps: array<u32, 4>;
        @compute @workgroup_size(37)
        fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
            if i == 5u { shared_ = Shared(group.x + 2u, vec3u(7u, 8u, 9u)); }
            let s = workgroupUniformLoad(&shared_);
            var sum = 0u;
            for (var n = 0u; n < s.limit; n++) {
                if i == n { steps[n & 3u] = n * 10u + 1u; }
                sum += workgroupUniformLoad(&steps[n & 3u]);
                if sum > 60u { workgroupBarrier(); break; }
            }
            out[group.x * 37u + i] = sum * 100u + s.at.z;
        }";
    let kernel = lab.kernel(TEXT)?;
    let out = lab.zeros(37 * 6)?;
    lab.run(kernel, &[out], [6, 1, 1])?;
    let of = |group: u32| {
        let mut sum = 0;
        for n in 0..group + 2 {
            sum += n * 10 + 1;
            if sum > 60 {
                break;
            }
        }
        sum * 100 + 9
    };
    let expected: Vec<u32> = (0..6).flat_map(|group| [of(group); 37]).collect();
    expect_words("the sums", &lab.words(out).await?, &expected)
}

/// Every kind on both types, in both memories, by invocations that take different ways.
pub(super) async fn has_atomics_without_order(mut lab: Lab) -> Result<(), Failure> {
    const TEXT: &str = "
        struct Cells { add: atomic<u32>, sub: atomic<i32>, min_u: atomic<u32>, max_u: atomic<u32>, min_i: atomic<i32>,
                       max_i: atomic<i32>, and_: atomic<u32>, or_: atomic<i32>, xor_: atomic<u32>, put: atomic<i32> }
        @group(0) @binding(0) var<storage, read_write> total: Cells;
        @group(0) @binding(1) var<storage, read_write> bins: array<atomic<u32>>;
        @group(0) @binding(2) var<storage, read_write> out: array<u32>;
        var<workgroup> ours: Cells;
        var<workgroup> local: array<atomic<u32>, 8>;
        fn change(x: u32) {
            let p = &ours;
            atomicAdd(&(*p).add, x); atomicSub(&(*p).sub, i32(x)); atomicMax(&(*p).max_u, x * 0x9e3779b9u);
            atomicMin(&(*p).min_i, -i32(x)); atomicXor(&(*p).xor_, x * x); atomicOr(&(*p).or_, i32(1u << (x & 15u)));
        }
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) i: u32) {
            let x = id.x;
            if x % 5u != 4u { change(x); atomicAdd(&local[x & 7u], x); }
            atomicStore(&ours.put, 41);
            workgroupBarrier();
            if i < 8u { atomicAdd(&bins[i], atomicLoad(&local[i])); }
            if i == 9u {
                atomicAdd(&total.add, atomicLoad(&ours.add)); atomicAdd(&total.sub, atomicLoad(&ours.sub));
                atomicMax(&total.max_u, atomicLoad(&ours.max_u)); atomicMin(&total.min_i, atomicLoad(&ours.min_i));
                atomicXor(&total.xor_, atomicLoad(&ours.xor_)); atomicOr(&total.or_, atomicLoad(&ours.or_));
                out[x / 64u] = u32(atomicLoad(&ours.put));
            }
            atomicMin(&total.min_u, x ^ 77u); atomicMax(&total.max_i, i32(x) - 100); atomicAnd(&total.and_, ~(x & 96u));
            atomicStore(&total.put, -5);
        }";
    let kernel = lab.kernel(TEXT)?;
    let total = lab.buffer(&[10, 0, u32::MAX, 0, 0, 0x8000_0000, u32::MAX, 0, 3, 0])?;
    let bins = lab.zeros(9)?;
    let out = lab.zeros(16)?;
    lab.run(kernel, &[total, bins, out], [16, 1, 1])?;
    let some: Vec<u32> = (0..1024).filter(|x| x % 5 != 4).collect();
    let sum: u32 = some.iter().sum();
    let expected = [
        10 + sum,
        sum.wrapping_neg(),
        0,
        some.iter().map(|x| x.wrapping_mul(0x9e37_79b9)).max().unwrap_or(0),
        1023_u32.wrapping_neg(),
        923,
        !96,
        0xffff,
        some.iter().fold(3, |all, x| all ^ x.wrapping_mul(*x)),
        5_u32.wrapping_neg(),
    ];
    expect_words("the cells", &lab.words(total).await?, &expected)?;
    let bin = |bin: u32| some.iter().filter(|x| *x & 7 == bin).sum();
    expect_words("the bins", &lab.words(bins).await?, &[0, 1, 2, 3, 4, 5, 6, 7, 8].map(bin))?;
    expect_words("what was stored", &lab.words(out).await?, &[41; 16])
}
