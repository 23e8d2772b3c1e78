// One step of heat flow on a square, whose border stays as it is.

override SIZE: u32;
const RATE = 0.2;

@group(0) @binding(0) var<storage, read> before: array<f32>;
@group(0) @binding(1) var<storage, read_write> after: array<f32>;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= SIZE || id.y >= SIZE {
        return;
    }
    let at = id.y * SIZE + id.x;
    let here = before[at];
    if id.x == 0u || id.y == 0u || id.x == SIZE - 1u || id.y == SIZE - 1u {
        after[at] = here;
        return;
    }
    let around = before[at - 1u] + before[at + 1u] + before[at - SIZE] + before[at + SIZE];
    after[at] = here + RATE * (around - 4.0 * here);
}
