// A picture through a filter of 5 by 5.

struct Picture {
    width: u32,
    height: u32,
}

const SIDE = 5;

@group(0) @binding(0) var<uniform> picture: Picture;
@group(0) @binding(1) var<storage, read> filter_weights: array<f32, SIDE * SIDE>;
@group(0) @binding(2) var<storage, read> source: array<f32>;
@group(0) @binding(3) var<storage, read_write> filtered: array<f32>;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= picture.width || id.y >= picture.height {
        return;
    }
    let last = vec2i(i32(picture.width), i32(picture.height)) - 1;
    var sum = 0.0;
    for (var dy = 0; dy < SIDE; dy++) {
        for (var dx = 0; dx < SIDE; dx++) {
            let at = clamp(vec2i(id.xy) + vec2i(dx, dy) - SIDE / 2, vec2i(0), last);
            sum += filter_weights[dy * SIDE + dx] * source[u32(at.y) * picture.width + u32(at.x)];
        }
    }
    filtered[id.y * picture.width + id.x] = sum;
}
