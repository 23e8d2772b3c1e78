// How many steps each point of a picture takes to leave the circle of radius 2.

struct View {
    width: u32,
    height: u32,
    iterations: u32,
    left: f32,
    top: f32,
    step: f32,
}

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= view.width || id.y >= view.height {
        return;
    }
    let c = vec2f(view.left + f32(id.x) * view.step, view.top + f32(id.y) * view.step);
    var z = vec2f();
    var n = 0u;
    while n < view.iterations && z.x * z.x + z.y * z.y <= 4.0 {
        z = vec2f(z.x * z.x - z.y * z.y, 2.0 * z.x * z.y) + c;
        n++;
    }
    counts[id.y * view.width + id.x] = n;
}
