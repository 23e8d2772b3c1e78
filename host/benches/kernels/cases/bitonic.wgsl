// A bitonic sort. Distances below a block's length are done in workgroup memory.

struct Step {
    // Runs of this length become sorted, upwards and downwards in turn.
    run: u32,
    // How far apart the elements are that are compared.
    distance: u32,
}

const THREADS = 256u;
const BLOCK = 512u;

@group(0) @binding(0) var<storage, read_write> keys: array<u32>;
@group(0) @binding(1) var<uniform> step: Step;

var<workgroup> block: array<u32, BLOCK>;

// The first of the two elements that an invocation compares.
fn lower(index: u32, distance: u32) -> u32 {
    return (index / distance) * (2u * distance) + index % distance;
}

fn compare_in_block(index: u32, distance: u32, is_upwards: bool) {
    let at = lower(index, distance);
    let a = block[at];
    let b = block[at + distance];
    if (a > b) == is_upwards {
        block[at] = b;
        block[at + distance] = a;
    }
}

@compute @workgroup_size(THREADS)
fn sort_blocks(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let first = group.x * BLOCK;
    block[index] = keys[first + index];
    block[index + THREADS] = keys[first + index + THREADS];
    for (var run = 2u; run <= BLOCK; run *= 2u) {
        for (var distance = run / 2u; distance > 0u; distance /= 2u) {
            workgroupBarrier();
            let at = first + lower(index, distance);
            compare_in_block(index, distance, (at & run) == 0u);
        }
    }
    workgroupBarrier();
    keys[first + index] = block[index];
    keys[first + index + THREADS] = block[index + THREADS];
}

@compute @workgroup_size(THREADS)
fn merge_blocks(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let first = group.x * BLOCK;
    block[index] = keys[first + index];
    block[index + THREADS] = keys[first + index + THREADS];
    for (var distance = BLOCK / 2u; distance > 0u; distance /= 2u) {
        workgroupBarrier();
        compare_in_block(index, distance, (first & step.run) == 0u);
    }
    workgroupBarrier();
    keys[first + index] = block[index];
    keys[first + index + THREADS] = block[index + THREADS];
}

@compute @workgroup_size(THREADS)
fn compare(@builtin(global_invocation_id) id: vec3u) {
    let at = lower(id.x, step.distance);
    let a = keys[at];
    let b = keys[at + step.distance];
    if (a > b) == ((at & step.run) == 0u) {
        keys[at] = b;
        keys[at + step.distance] = a;
    }
}
