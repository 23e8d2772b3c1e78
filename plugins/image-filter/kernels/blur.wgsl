// A Gaussian blur in two passes: along rows, then along columns. What is outside the picture is like its border.
//
// Between the passes a pixel is its color times its alpha, and its alpha, unrounded.

struct Band {
    // Of the whole picture.
    width: u32,
    height: u32,
    first_row: u32,
    rows: u32,
}

@group(0) @binding(0) var<uniform> band: Band;
// For distances from 0 to the radius.
@group(0) @binding(1) var<storage, read> weights: array<f32>;
// The whole picture.
@group(0) @binding(2) var<storage, read> source: array<u32>;
// The rows of the band and, as far as there are any, `radius` rows around it.
@group(0) @binding(3) var<storage, read_write> between: array<vec4f>;
// The rows of the band.
@group(0) @binding(4) var<storage, read_write> result: array<u32>;

fn weighted(x: i32, row: u32) -> vec4f {
    let column = u32(clamp(x, 0, i32(band.width) - 1));
    let pixel = source[row * band.width + column];
    let alpha = f32(pixel >> 24u);
    let color = vec3f(f32(pixel & 255u), f32((pixel >> 8u) & 255u), f32((pixel >> 16u) & 255u));
    return vec4f(color * alpha, alpha);
}

// `band` is the rows of `between`.
@compute @workgroup_size(16, 16)
fn along_rows(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= band.width || id.y >= band.rows {
        return;
    }
    let x = i32(id.x);
    let row = band.first_row + id.y;
    var sum = weights[0] * weighted(x, row);
    for (var distance = 1; distance < i32(arrayLength(&weights)); distance++) {
        sum += weights[distance] * (weighted(x - distance, row) + weighted(x + distance, row));
    }
    between[id.y * band.width + id.x] = sum;
}

// `band` is the rows of `result`.
@compute @workgroup_size(16, 16)
fn along_columns(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= band.width || id.y >= band.rows {
        return;
    }
    let radius = i32(arrayLength(&weights)) - 1;
    let top = max(i32(band.first_row) - radius, 0);
    let y = i32(band.first_row + id.y);
    let last = i32(band.height) - 1;
    var sum = weights[0] * between[u32(y - top) * band.width + id.x];
    for (var distance = 1; distance <= radius; distance++) {
        let above = u32(max(y - distance, 0) - top);
        let below = u32(min(y + distance, last) - top);
        sum += weights[distance] * (between[above * band.width + id.x] + between[below * band.width + id.x]);
    }
    var pixel = vec4u();
    if sum.w > 0.0 {
        pixel = vec4u(clamp(vec4f(sum.xyz / sum.w, sum.w), vec4f(0.0), vec4f(255.0)) + 0.5);
    }
    result[id.y * band.width + id.x] = pixel.x | (pixel.y << 8u) | (pixel.z << 16u) | (pixel.w << 24u);
}
