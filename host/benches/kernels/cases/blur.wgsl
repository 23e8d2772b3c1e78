// A blur in two passes. Rows go through workgroup memory, columns do not need to.

struct Picture {
    width: u32,
    height: u32,
}

const RADIUS = 7u;
const ROW = 256u;

@group(0) @binding(0) var<uniform> picture: Picture;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> source: array<f32>;
@group(0) @binding(3) var<storage, read_write> blurred: array<f32>;

var<workgroup> row: array<f32, ROW + 2u * RADIUS>;

@compute @workgroup_size(ROW)
fn rows(
    @builtin(workgroup_id) group: vec3u,
    @builtin(global_invocation_id) id: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let first = group.y * picture.width;
    for (var at = local.x; at < ROW + 2u * RADIUS; at += ROW) {
        let x = i32(group.x * ROW + at) - i32(RADIUS);
        row[at] = source[first + u32(clamp(x, 0, i32(picture.width) - 1))];
    }
    workgroupBarrier();
    if id.x >= picture.width {
        return;
    }
    var sum = 0.0;
    for (var i = 0u; i <= 2u * RADIUS; i++) {
        sum += weights[i] * row[local.x + i];
    }
    blurred[first + id.x] = sum;
}

@compute @workgroup_size(64)
fn columns(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= picture.width {
        return;
    }
    var sum = 0.0;
    for (var i = 0u; i <= 2u * RADIUS; i++) {
        let y = clamp(i32(id.y + i) - i32(RADIUS), 0, i32(picture.height) - 1);
        sum += weights[i] * source[u32(y) * picture.width + id.x];
    }
    blurred[id.y * picture.width + id.x] = sum;
}
