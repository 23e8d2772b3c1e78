// Unsharp masking: adds the difference between a pixel and its 3 × 3 neighborhood, a number of times. Alpha stays.

struct Band {
    // Of the whole picture.
    width: u32,
    height: u32,
    first_row: u32,
    rows: u32,
}

override AMOUNT: f32;

@group(0) @binding(0) var<uniform> band: Band;
// The whole picture.
@group(0) @binding(1) var<storage, read> source: array<u32>;
// The rows of the band.
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

fn pixel_at(x: i32, y: i32) -> vec4f {
    let column = u32(clamp(x, 0, i32(band.width) - 1));
    let row = u32(clamp(y, 0, i32(band.height) - 1));
    let pixel = source[row * band.width + column];
    return vec4f(vec4u(pixel & 255u, (pixel >> 8u) & 255u, (pixel >> 16u) & 255u, pixel >> 24u));
}

@compute @workgroup_size(16, 16)
fn sharpen(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= band.width || id.y >= band.rows {
        return;
    }
    let x = i32(id.x);
    let y = i32(band.first_row + id.y);
    // Weights 1 2 1, 2 4 2, 1 2 1, times alpha: sums of integers, and exact.
    var sum = vec4f(0.0);
    for (var dy = -1; dy <= 1; dy++) {
        for (var dx = -1; dx <= 1; dx++) {
            let neighbor = pixel_at(x + dx, y + dy);
            let weight = f32((2 - abs(dx)) * (2 - abs(dy))) * neighbor.w;
            sum += weight * vec4f(neighbor.xyz, 1.0);
        }
    }
    let pixel = pixel_at(x, y);
    var color = pixel.xyz;
    if sum.w > 0.0 {
        color += AMOUNT * (color - sum.xyz / sum.w);
    }
    let bytes = vec4u(vec4f(clamp(color, vec3f(0.0), vec3f(255.0)) + 0.5, pixel.w));
    result[id.y * band.width + id.x] = bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}
