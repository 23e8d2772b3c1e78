// The logistic function of each number: larger numbers score higher, between 0 and 1.

@group(0) @binding(0) var<storage, read> numbers: array<f32>;
@group(0) @binding(1) var<storage, read_write> scores: array<f32>;

// Invocations along x. The grid has rows of them, since one row has an end.
const ROW = 4096u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = id.y * ROW + id.x;
    if index < arrayLength(&numbers) {
        scores[index] = 1.0 / (1.0 + exp(-numbers[index]));
    }
}
