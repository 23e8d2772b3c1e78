// c = a b, each workgroup a square of 64 by 64 and each invocation 4 by 4 of it, in vectors, with fused additions.

override SIZE: u32;

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;

// 64 rows of 16 numbers, and 16 rows of 64.
var<workgroup> tile_a: array<vec4f, 256>;
var<workgroup> tile_b: array<vec4f, 256>;

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let width = SIZE / 4u;
    var row0 = vec4f();
    var row1 = vec4f();
    var row2 = vec4f();
    var row3 = vec4f();
    for (var start = 0u; start < SIZE; start += 16u) {
        tile_a[index] = a[(group.y * 64u + index / 4u) * width + start / 4u + index % 4u];
        tile_b[index] = b[(start + index / 16u) * width + group.x * 16u + index % 16u];
        workgroupBarrier();
        for (var k = 0u; k < 4u; k++) {
            let a0 = tile_a[local.y * 16u + k];
            let a1 = tile_a[local.y * 16u + 4u + k];
            let a2 = tile_a[local.y * 16u + 8u + k];
            let a3 = tile_a[local.y * 16u + 12u + k];
            let b0 = tile_b[k * 64u + local.x];
            let b1 = tile_b[k * 64u + 16u + local.x];
            let b2 = tile_b[k * 64u + 32u + local.x];
            let b3 = tile_b[k * 64u + 48u + local.x];
            row0 = fma(vec4f(a0.w), b3, fma(vec4f(a0.z), b2, fma(vec4f(a0.y), b1, fma(vec4f(a0.x), b0, row0))));
            row1 = fma(vec4f(a1.w), b3, fma(vec4f(a1.z), b2, fma(vec4f(a1.y), b1, fma(vec4f(a1.x), b0, row1))));
            row2 = fma(vec4f(a2.w), b3, fma(vec4f(a2.z), b2, fma(vec4f(a2.y), b1, fma(vec4f(a2.x), b0, row2))));
            row3 = fma(vec4f(a3.w), b3, fma(vec4f(a3.z), b2, fma(vec4f(a3.y), b1, fma(vec4f(a3.x), b0, row3))));
        }
        workgroupBarrier();
    }
    let at = (group.y * 64u + local.y * 4u) * width + group.x * 16u + local.x;
    c[at] = row0;
    c[at + width] = row1;
    c[at + 2u * width] = row2;
    c[at + 3u * width] = row3;
}
