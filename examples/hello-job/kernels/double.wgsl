// Doubles numbers, one by each invocation.

@group(0) @binding(0) var<storage, read> numbers: array<f32>;
@group(0) @binding(1) var<storage, read_write> doubled: array<f32>;

// Invocations along x. The grid has rows of them, since one row has an end.
const ROW = 4096u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = id.y * ROW + id.x;
    if index < arrayLength(&numbers) {
        doubled[index] = 2.0 * numbers[index];
    }
}
