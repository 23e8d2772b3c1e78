// y = A x, with A in compressed rows.

@group(0) @binding(0) var<storage, read> starts: array<u32>;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= arrayLength(&y) {
        return;
    }
    var sum = 0.0;
    let end = starts[id.x + 1u];
    for (var i = starts[id.x]; i < end; i++) {
        sum += values[i] * x[columns[i]];
    }
    y[id.x] = sum;
}
