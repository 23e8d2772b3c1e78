// Which of the centers is nearest to each point, in eight dimensions.

struct Point {
    low: vec4f,
    high: vec4f,
}

@group(0) @binding(0) var<storage, read> points: array<Point>;
@group(0) @binding(1) var<storage, read> centers: array<Point>;
@group(0) @binding(2) var<storage, read_write> nearest: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= arrayLength(&points) {
        return;
    }
    let point = points[id.x];
    var best = 0u;
    var best_distance = 3.0e38;
    for (var i = 0u; i < arrayLength(&centers); i++) {
        let low = point.low - centers[i].low;
        let high = point.high - centers[i].high;
        let distance = dot(low, low) + dot(high, high);
        if distance < best_distance {
            best = i;
            best_distance = distance;
        }
    }
    nearest[id.x] = best;
}
