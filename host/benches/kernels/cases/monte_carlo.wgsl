// The price of an option by chance: each invocation draws its own paths.

const PATHS = 64u;
const TAU = 6.2831853;

struct Market {
    price: f32,
    strike: f32,
    // Growth and spread over the option's whole time.
    drift: f32,
    deviation: f32,
}

@group(0) @binding(0) var<uniform> market: Market;
@group(0) @binding(1) var<storage, read_write> payoffs: array<f32>;

var<private> seed: u32;

// A number in (0, 1], by the PCG hash.
fn random() -> f32 {
    seed = seed * 747796405u + 2891336453u;
    let word = ((seed >> ((seed >> 28u) + 4u)) ^ seed) * 277803737u;
    return f32((((word >> 22u) ^ word) >> 8u) + 1u) / 16777216.0;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= arrayLength(&payoffs) {
        return;
    }
    seed = id.x * 2654435761u + 12345u;
    var sum = 0.0;
    for (var path = 0u; path < PATHS; path++) {
        let radius = sqrt(-2.0 * log(random()));
        let normal = radius * cos(TAU * random());
        let price = market.price * exp(market.drift + market.deviation * normal);
        sum += max(price - market.strike, 0.0);
    }
    payoffs[id.x] = sum / f32(PATHS);
}
