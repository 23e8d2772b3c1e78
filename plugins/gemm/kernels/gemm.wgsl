// C = A B, a tile of 64 × 64 elements by each workgroup, 4 × 4 by each invocation.
//
// A step along the inner dimension takes 16 columns of A and 16 rows of B into workgroup memory, as vectors of four
// elements along the outer dimension: an invocation then needs one vector of each to do 16 multiply-adds.
// Every invocation loads one vector of each, in the order in which memory has them.

struct Shape {
    rows: u32,
    columns: u32,
    inner: u32,
    // The first row of this band.
    first_row: u32,
    // Distance of elements: along the rows of A or columns of B, and along the inner dimension.
    a_strides: vec2u,
    b_strides: vec2u,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
// In C order.
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

// [inner][outer / 4]: 16 × 16 vectors, 4 KiB each.
var<workgroup> a_tile: array<vec4f, 256>;
var<workgroup> b_tile: array<vec4f, 256>;

// Which vector of a tile an invocation loads, as (outer / 4, inner): neighbors load neighbors.
fn vector_of(invocation: u32, strides: vec2u) -> vec2u {
    let slow = invocation / 16u;
    let fast = invocation % 16u;
    return select(vec2u(slow, fast), vec2u(fast, slow), strides.x == 1u);
}

fn load_a(row: u32, k: u32) -> vec4f {
    var v = vec4f();
    if k < shape.inner {
        let at = row * shape.a_strides.x + k * shape.a_strides.y;
        if row < shape.rows { v.x = a[at]; }
        if row + 1u < shape.rows { v.y = a[at + shape.a_strides.x]; }
        if row + 2u < shape.rows { v.z = a[at + 2u * shape.a_strides.x]; }
        if row + 3u < shape.rows { v.w = a[at + 3u * shape.a_strides.x]; }
    }
    return v;
}

fn load_b(column: u32, k: u32) -> vec4f {
    var v = vec4f();
    if k < shape.inner {
        let at = column * shape.b_strides.x + k * shape.b_strides.y;
        if column < shape.columns { v.x = b[at]; }
        if column + 1u < shape.columns { v.y = b[at + shape.b_strides.x]; }
        if column + 2u < shape.columns { v.z = b[at + 2u * shape.b_strides.x]; }
        if column + 3u < shape.columns { v.w = b[at + 3u * shape.b_strides.x]; }
    }
    return v;
}

fn store(row: u32, column: u32, v: vec4f) {
    if row < shape.rows {
        let at = row * shape.columns + column;
        if column < shape.columns { c[at] = v.x; }
        if column + 1u < shape.columns { c[at + 1u] = v.y; }
        if column + 2u < shape.columns { c[at + 2u] = v.z; }
        if column + 3u < shape.columns { c[at + 3u] = v.w; }
    }
}

@compute @workgroup_size(16, 16)
fn gemm(
    @builtin(workgroup_id) tile: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) invocation: u32,
) {
    let first_row = shape.first_row + tile.y * 64u;
    let first_column = tile.x * 64u;
    let a_vector = vector_of(invocation, shape.a_strides);
    let b_vector = vector_of(invocation, shape.b_strides);

    var row0 = vec4f();
    var row1 = vec4f();
    var row2 = vec4f();
    var row3 = vec4f();
    for (var first_k = 0u; first_k < shape.inner; first_k += 16u) {
        a_tile[a_vector.y * 16u + a_vector.x] = load_a(first_row + 4u * a_vector.x, first_k + a_vector.y);
        b_tile[b_vector.y * 16u + b_vector.x] = load_b(first_column + 4u * b_vector.x, first_k + b_vector.y);
        workgroupBarrier();
        for (var k = 0u; k < 16u; k++) {
            let x = a_tile[k * 16u + local.y];
            let y = b_tile[k * 16u + local.x];
            row0 += x.x * y;
            row1 += x.y * y;
            row2 += x.z * y;
            row3 += x.w * y;
        }
        workgroupBarrier();
    }

    let row = first_row + 4u * local.y;
    let column = first_column + 4u * local.x;
    store(row, column, row0);
    store(row + 1u, column, row1);
    store(row + 2u, column, row2);
    store(row + 3u, column, row3);
}
