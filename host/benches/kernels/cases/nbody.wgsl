// What all bodies do to each: `w` is the mass.

const SOFTENING = 0.01;

@group(0) @binding(0) var<storage, read> bodies: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> accelerations: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let count = arrayLength(&bodies);
    if id.x >= count {
        return;
    }
    let here = bodies[id.x].xyz;
    var sum = vec3f();
    for (var other = 0u; other < count; other++) {
        let body = bodies[other];
        let way = body.xyz - here;
        let inverse = inverseSqrt(dot(way, way) + SOFTENING);
        sum += way * (body.w * inverse * inverse * inverse);
    }
    accelerations[id.x] = vec4f(sum, 0.0);
}
