// The Mandelbrot set, smoothly colored, four samples a pixel.
//
// Uses additions and multiplications only: logarithms come from the bits of the number and a parabola, which is closer
// than an eye can tell.

struct Band {
    center: vec2f,
    // Distance of two pixels in the plane.
    step: f32,
    iterations: u32,
    // Width and height of the whole picture.
    size: vec2u,
    first_row: u32,
    rows: u32,
}

@group(0) @binding(0) var<uniform> band: Band;
@group(0) @binding(1) var<storage, read_write> pixels: array<u32>;

// A point this far from the origin has escaped: |z|² = 2^16. Far out, the smooth count no longer depends on where.
const ESCAPED = 65536.0;
// The smooth count after which the palette starts again.
const PERIOD = 48.0;

fn palette(index: u32) -> vec3f {
    switch index & 7u {
        case 0u: { return vec3f(0.0, 7.0, 100.0); }
        case 1u: { return vec3f(24.0, 82.0, 177.0); }
        case 2u: { return vec3f(96.0, 172.0, 226.0); }
        case 3u: { return vec3f(237.0, 255.0, 255.0); }
        case 4u: { return vec3f(255.0, 206.0, 90.0); }
        case 5u: { return vec3f(255.0, 150.0, 0.0); }
        case 6u: { return vec3f(130.0, 60.0, 8.0); }
        default: { return vec3f(6.0, 4.0, 30.0); }
    }
}

// The logarithm to base 2 of a normal number.
fn log2_of(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    let exponent = f32(i32(bits >> 23u) - 127);
    let t = bitcast<f32>((bits & 0x007fffffu) | 0x3f800000u) - 1.0;
    return exponent + t * (4.0 - t) * 0.33333334;
}

// Whether a point is in the set's two largest parts, where every step would be in vain.
fn is_inside(c: vec2f) -> bool {
    let x = c.x - 0.25;
    let y2 = c.y * c.y;
    let q = x * x + y2;
    let left = c.x + 1.0;
    return q * (q + x) <= 0.25 * y2 || left * left + y2 <= 0.0625;
}

fn color(c: vec2f) -> vec3f {
    if is_inside(c) {
        return vec3f(0.0);
    }
    var z = vec2f(0.0);
    for (var n = 0u; n < band.iterations; n++) {
        z = vec2f(z.x * z.x - z.y * z.y, 2.0 * z.x * z.y) + c;
        let size = z.x * z.x + z.y * z.y;
        if size > ESCAPED {
            // log2 |z|² doubles with every step, so its own logarithm is the fraction of a step gone too far.
            let smooth_count = max(f32(n) + 4.0 - log2_of(log2_of(size)), 0.0);
            let place = smooth_count * (8.0 / PERIOD);
            let index = u32(place);
            return mix(palette(index), palette(index + 1u), place - f32(index));
        }
    }
    return vec3f(0.0);
}

@compute @workgroup_size(8, 8)
fn draw(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= band.size.x || id.y >= band.rows {
        return;
    }
    let place = vec2f(vec2u(id.x, band.first_row + id.y)) - 0.5 * vec2f(band.size);
    var sum = vec3f(0.0);
    for (var sample = 0u; sample < 4u; sample++) {
        let offset = vec2f(f32(sample & 1u), f32(sample >> 1u)) * 0.5 + 0.25;
        let at = (place + offset) * band.step;
        sum += color(vec2f(band.center.x + at.x, band.center.y - at.y));
    }
    let rgb = vec3u(sum * 0.25 + 0.5);
    pixels[id.y * band.size.x + id.x] = rgb.r | (rgb.g << 8u) | (rgb.b << 16u) | 0xff000000u;
}
