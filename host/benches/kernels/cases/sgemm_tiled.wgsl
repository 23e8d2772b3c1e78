// c = a b, each workgroup a square of 16 by 16, which it takes from workgroup memory.

override SIZE: u32;
const TILE = 16u;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

var<workgroup> tile_a: array<array<f32, TILE>, TILE>;
var<workgroup> tile_b: array<array<f32, TILE>, TILE>;

@compute @workgroup_size(TILE, TILE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
    var sum = 0.0;
    for (var start = 0u; start < SIZE; start += TILE) {
        tile_a[local.y][local.x] = a[id.y * SIZE + start + local.x];
        tile_b[local.y][local.x] = b[(start + local.y) * SIZE + id.x];
        workgroupBarrier();
        for (var k = 0u; k < TILE; k++) {
            sum += tile_a[local.y][k] * tile_b[k][local.x];
        }
        workgroupBarrier();
    }
    c[id.y * SIZE + id.x] = sum;
}
