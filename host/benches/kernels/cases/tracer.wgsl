// A path tracer of spheres over a floor: 200 lines as they come in real kernels, to see what compiling costs.

struct Camera {
    origin: vec3f,
    samples: u32,
    right: vec3f,
    width: u32,
    up: vec3f,
    height: u32,
    forward: vec3f,
    seed: u32,
}

struct Sphere {
    center: vec3f,
    radius: f32,
    color: vec3f,
    kind: u32,
}

struct Ray {
    origin: vec3f,
    direction: vec3f,
}

struct Hit {
    distance: f32,
    point: vec3f,
    normal: vec3f,
    color: vec3f,
    kind: u32,
}

const DIFFUSE = 0u;
const METAL = 1u;
const GLASS = 2u;
const LIGHT = 3u;

const FAR = 1e20;
const NEAR = 1e-3;
const BOUNCES = 6u;
const PI = 3.14159265;
const GLASS_INDEX = 1.5;

@group(0) @binding(0) var<uniform> camera: Camera;
@group(0) @binding(1) var<storage, read> spheres: array<Sphere>;
@group(0) @binding(2) var<storage, read_write> picture: array<vec4f>;

var<private> state: u32;

fn random() -> f32 {
    state = state * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return f32(((word >> 22u) ^ word) >> 8u) / 16777216.0;
}

fn random_direction() -> vec3f {
    let z = 2.0 * random() - 1.0;
    let angle = 2.0 * PI * random();
    let radius = sqrt(max(0.0, 1.0 - z * z));
    return vec3f(radius * cos(angle), radius * sin(angle), z);
}

fn at(ray: Ray, distance: f32) -> vec3f {
    return ray.origin + distance * ray.direction;
}

fn hit_sphere(ray: Ray, sphere: Sphere) -> f32 {
    let way = ray.origin - sphere.center;
    let half_b = dot(way, ray.direction);
    let c = dot(way, way) - sphere.radius * sphere.radius;
    let discriminant = half_b * half_b - c;
    if discriminant < 0.0 {
        return FAR;
    }
    let root = sqrt(discriminant);
    let first = -half_b - root;
    if first > NEAR {
        return first;
    }
    let second = -half_b + root;
    return select(FAR, second, second > NEAR);
}

fn hit_floor(ray: Ray) -> f32 {
    if abs(ray.direction.y) < 1e-6 {
        return FAR;
    }
    let distance = (-1.0 - ray.origin.y) / ray.direction.y;
    return select(FAR, distance, distance > NEAR);
}

fn floor_color(point: vec3f) -> vec3f {
    let tile = vec2i(floor(point.xz));
    if ((tile.x + tile.y) & 1) == 0 {
        return vec3f(0.9, 0.9, 0.85);
    }
    return vec3f(0.2, 0.25, 0.3);
}

fn nearest(ray: Ray) -> Hit {
    var hit = Hit(FAR, vec3f(), vec3f(), vec3f(), DIFFUSE);
    let floor_distance = hit_floor(ray);
    if floor_distance < hit.distance {
        hit.distance = floor_distance;
        hit.point = at(ray, floor_distance);
        hit.normal = vec3f(0.0, 1.0, 0.0);
        hit.color = floor_color(hit.point);
    }
    for (var i = 0u; i < arrayLength(&spheres); i++) {
        let sphere = spheres[i];
        let distance = hit_sphere(ray, sphere);
        if distance < hit.distance {
            hit.distance = distance;
            hit.point = at(ray, distance);
            hit.normal = (hit.point - sphere.center) / sphere.radius;
            hit.color = sphere.color;
            hit.kind = sphere.kind;
        }
    }
    return hit;
}

fn sky(direction: vec3f) -> vec3f {
    let height = 0.5 * (direction.y + 1.0);
    return mix(vec3f(1.0), vec3f(0.5, 0.7, 1.0), height);
}

// Schlick's approximation.
fn reflectance(cosine: f32, ratio: f32) -> f32 {
    let root = (1.0 - ratio) / (1.0 + ratio);
    let head_on = root * root;
    return head_on + (1.0 - head_on) * pow(1.0 - cosine, 5.0);
}

fn through_glass(direction: vec3f, normal: vec3f) -> vec3f {
    let is_entering = dot(direction, normal) < 0.0;
    let outward = select(-normal, normal, is_entering);
    let ratio = select(GLASS_INDEX, 1.0 / GLASS_INDEX, is_entering);
    let cosine = min(dot(-direction, outward), 1.0);
    let sine = sqrt(1.0 - cosine * cosine);
    if ratio * sine > 1.0 || reflectance(cosine, ratio) > random() {
        return reflect(direction, outward);
    }
    return refract(direction, outward, ratio);
}

fn scatter(ray: Ray, hit: Hit) -> Ray {
    var direction = vec3f();
    switch hit.kind {
        case METAL: {
            direction = reflect(ray.direction, hit.normal) + 0.05 * random_direction();
        }
        case GLASS: {
            direction = through_glass(ray.direction, hit.normal);
        }
        default: {
            direction = hit.normal + random_direction();
            if dot(direction, direction) < 1e-8 {
                direction = hit.normal;
            }
        }
    }
    return Ray(hit.point, normalize(direction));
}

fn trace(start: Ray) -> vec3f {
    var ray = start;
    var weight = vec3f(1.0);
    var light = vec3f();
    for (var bounce = 0u; bounce < BOUNCES; bounce++) {
        let hit = nearest(ray);
        if hit.distance >= FAR {
            light += weight * sky(ray.direction);
            break;
        }
        if hit.kind == LIGHT {
            light += weight * hit.color * 4.0;
            break;
        }
        weight *= hit.color;
        ray = scatter(ray, hit);
    }
    return light;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= camera.width || id.y >= camera.height {
        return;
    }
    let index = id.y * camera.width + id.x;
    state = index * 9781u + camera.seed;
    let size = vec2f(f32(camera.width), f32(camera.height));
    var sum = vec3f();
    for (var i = 0u; i < camera.samples; i++) {
        let place = (vec2f(id.xy) + vec2f(random(), random())) / size * 2.0 - 1.0;
        let direction = camera.forward + place.x * camera.right - place.y * camera.up;
        sum += trace(Ray(camera.origin, normalize(direction)));
    }
    let color = sqrt(sum / f32(camera.samples));
    picture[index] = vec4f(clamp(color, vec3f(), vec3f(1.0)), 1.0);
}
