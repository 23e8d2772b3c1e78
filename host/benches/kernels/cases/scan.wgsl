// Sums of all that come before: in blocks of 1,024, then of the blocks' sums, then both together.

const THREADS = 256u;

@group(0) @binding(0) var<storage, read_write> data: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;

var<workgroup> partial: array<u32, THREADS>;

// The sum of `value` over this and all earlier invocations.
fn inclusive(value: u32, index: u32) -> u32 {
    partial[index] = value;
    for (var step = 1u; step < THREADS; step *= 2u) {
        workgroupBarrier();
        var other = 0u;
        if index >= step {
            other = partial[index - step];
        }
        workgroupBarrier();
        partial[index] += other;
    }
    workgroupBarrier();
    return partial[index];
}

@compute @workgroup_size(THREADS)
fn blocks(
    @builtin(workgroup_id) group: vec3u,
    @builtin(global_invocation_id) id: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let words = data[id.x];
    let two = words.x + words.y;
    let three = two + words.z;
    let four = three + words.w;
    let before = inclusive(four, index) - four;
    data[id.x] = vec4u(before, before + words.x, before + two, before + three);
    if index == THREADS - 1u {
        sums[group.x] = before + four;
    }
}

// One workgroup; each invocation takes a run of the blocks' sums.
@compute @workgroup_size(THREADS)
fn totals(@builtin(local_invocation_index) index: u32) {
    let run = arrayLength(&sums) / THREADS;
    var sum = 0u;
    for (var i = 0u; i < run; i++) {
        sum += sums[index * run + i];
    }
    var before = inclusive(sum, index) - sum;
    for (var i = 0u; i < run; i++) {
        let own = sums[index * run + i];
        sums[index * run + i] = before;
        before += own;
    }
}

@compute @workgroup_size(THREADS)
fn together(@builtin(workgroup_id) group: vec3u, @builtin(global_invocation_id) id: vec3u) {
    data[id.x] += sums[group.x];
}
