// Sobel's operator on the brightness: how steep it is, in gray. What is outside the picture is like its border.

struct Band {
    // Of the whole picture.
    width: u32,
    height: u32,
    first_row: u32,
    rows: u32,
}

@group(0) @binding(0) var<uniform> band: Band;
// The whole picture.
@group(0) @binding(1) var<storage, read> source: array<u32>;
// The rows of the band.
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

// Brightness by Rec. 709, what is transparent being black: an integer up to 10,000 × 255 × 255.
fn brightness(x: i32, y: i32) -> u32 {
    let column = u32(clamp(x, 0, i32(band.width) - 1));
    let row = u32(clamp(y, 0, i32(band.height) - 1));
    let pixel = source[row * band.width + column];
    let gray = 2126u * (pixel & 255u) + 7152u * ((pixel >> 8u) & 255u) + 722u * ((pixel >> 16u) & 255u);
    return gray * (pixel >> 24u);
}

// The difference of two sides, each up to four times a brightness, which 32 bits just hold, in levels of 8 bits.
fn slope(from_side: u32, to_side: u32) -> f32 {
    let size = f32(max(from_side, to_side) - min(from_side, to_side)) / 2550000.0;
    return select(size, -size, from_side > to_side);
}

@compute @workgroup_size(16, 16)
fn edges(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= band.width || id.y >= band.rows {
        return;
    }
    let x = i32(id.x);
    let y = i32(band.first_row + id.y);
    let a = brightness(x - 1, y - 1);
    let b = brightness(x, y - 1);
    let c = brightness(x + 1, y - 1);
    let d = brightness(x - 1, y);
    let f = brightness(x + 1, y);
    let g = brightness(x - 1, y + 1);
    let h = brightness(x, y + 1);
    let i = brightness(x + 1, y + 1);
    let across = slope(a + 2u * d + g, c + 2u * f + i);
    let down = slope(a + 2u * b + c, g + 2u * h + i);
    let gray = u32(min(sqrt(across * across + down * down), 255.0) + 0.5);
    result[id.y * band.width + id.x] = gray | (gray << 8u) | (gray << 16u) | 0xff000000u;
}
