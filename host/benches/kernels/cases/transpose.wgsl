// A square turned over its diagonal, by way of workgroup memory.

override SIZE: u32;
const TILE = 16u;

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> turned: array<f32>;

// One wider than it must be, so that a column is not all in one bank.
var<workgroup> tile: array<array<f32, TILE + 1u>, TILE>;

@compute @workgroup_size(TILE, TILE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    tile[local.y][local.x] = source[(group.y * TILE + local.y) * SIZE + group.x * TILE + local.x];
    workgroupBarrier();
    turned[(group.x * TILE + local.y) * SIZE + group.y * TILE + local.x] = tile[local.x][local.y];
}
