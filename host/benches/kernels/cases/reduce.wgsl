// The product of two vectors: sums of blocks, for a second launch over one workgroup.

const THREADS = 256u;
const EACH = 16u;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> total: array<f32, 1>;

var<workgroup> partial: array<f32, THREADS>;

// The sum of `value` over the workgroup, for its first invocation.
fn together(value: f32, index: u32) -> f32 {
    partial[index] = value;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if index < half {
            partial[index] += partial[index + half];
        }
    }
    return partial[0];
}

@compute @workgroup_size(THREADS)
fn blocks(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    var sum = 0.0;
    for (var i = 0u; i < EACH; i++) {
        let at = (group.x * EACH + i) * THREADS + index;
        sum += a[at] * b[at];
    }
    let all = together(sum, index);
    if index == 0u {
        sums[group.x] = all;
    }
}

@compute @workgroup_size(THREADS)
fn last(@builtin(local_invocation_index) index: u32) {
    var sum = 0.0;
    for (var at = index; at < arrayLength(&sums); at += THREADS) {
        sum += sums[at];
    }
    let all = together(sum, index);
    if index == 0u {
        total[0] = all;
    }
}
