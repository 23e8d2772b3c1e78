// BLAKE3 chaining values of pieces of 64 KiB: a workgroup hashes the 64 chunks of a piece, an invocation each, and joins
// them in pairs until one value is left. It computes with integers alone, and only reads what lies inside its piece.

struct Task {
    // Where the first piece begins in `data`, in words.
    start: u32,
    // Where its value goes in `values`, counted in values.
    place: u32,
    // The number of its first chunk in all that is hashed: low and high word.
    chunk_low: u32,
    chunk_high: u32,
}

@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
@group(0) @binding(2) var<uniform> task: Task;

struct Value {
    low: vec4u,
    high: vec4u,
}

struct Message {
    a: vec4u,
    b: vec4u,
    c: vec4u,
    d: vec4u,
}

struct State {
    a: vec4u,
    b: vec4u,
    c: vec4u,
    d: vec4u,
}

const CHUNKS: u32 = 64;
const CHUNK_WORDS: u32 = 256;
const BLOCKS: u32 = 16;
const BLOCK_BYTES: u32 = 64;

const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const PARENT: u32 = 4;

const IV_LOW = vec4u(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a);
const IV_HIGH = vec4u(0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);

var<workgroup> joined: array<Value, 64>;

fn turn(x: vec4u, by: u32) -> vec4u {
    return (x >> vec4u(by)) | (x << vec4u(32 - by));
}

// Four quarter rounds side by side.
fn mix(s: State, x: vec4u, y: vec4u) -> State {
    var r = s;
    r.a += r.b + x;
    r.d = turn(r.d ^ r.a, 16);
    r.c += r.d;
    r.b = turn(r.b ^ r.c, 12);
    r.a += r.b + y;
    r.d = turn(r.d ^ r.a, 8);
    r.c += r.d;
    r.b = turn(r.b ^ r.c, 7);
    return r;
}

// Down the columns, then down the diagonals.
fn mixed(s: State, m: Message) -> State {
    var r = mix(s, vec4u(m.a.xz, m.b.xz), vec4u(m.a.yw, m.b.yw));
    r = State(r.a, r.b.yzwx, r.c.zwxy, r.d.wxyz);
    r = mix(r, vec4u(m.c.xz, m.d.xz), vec4u(m.c.yw, m.d.yw));
    return State(r.a, r.b.wxyz, r.c.zwxy, r.d.yzwx);
}

fn permuted(m: Message) -> Message {
    return Message(
        vec4u(m.a.z, m.b.z, m.a.w, m.c.z),
        vec4u(m.b.w, m.a.x, m.b.x, m.d.y),
        vec4u(m.a.y, m.c.w, m.d.x, m.b.y),
        vec4u(m.c.y, m.d.zw, m.c.x),
    );
}

fn compress(value: Value, message: Message, chunk: vec2u, flags: u32) -> Value {
    var m = message;
    var s = mixed(State(value.low, value.high, IV_LOW, vec4u(chunk, BLOCK_BYTES, flags)), m);
    m = permuted(m);
    s = mixed(s, m);
    m = permuted(m);
    s = mixed(s, m);
    m = permuted(m);
    s = mixed(s, m);
    m = permuted(m);
    s = mixed(s, m);
    m = permuted(m);
    s = mixed(s, m);
    m = permuted(m);
    s = mixed(s, m);
    return Value(s.a ^ s.c, s.b ^ s.d);
}

fn four(at: u32) -> vec4u {
    return vec4u(data[at], data[at + 1], data[at + 2], data[at + 3]);
}

fn chunk_value(start: u32, chunk: vec2u) -> Value {
    var value = Value(IV_LOW, IV_HIGH);
    for (var block = 0u; block < BLOCKS; block++) {
        let at = start + block * 16;
        let message = Message(four(at), four(at + 4), four(at + 8), four(at + 12));
        let flags = select(0, CHUNK_START, block == 0) | select(0, CHUNK_END, block == BLOCKS - 1);
        value = compress(value, message, chunk, flags);
    }
    return value;
}

@compute @workgroup_size(64)
fn pieces(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let before = group.x * CHUNKS + index;
    let low = task.chunk_low + before;
    let chunk = vec2u(low, task.chunk_high + select(0u, 1u, low < before));
    joined[index] = chunk_value(task.start + before * CHUNK_WORDS, chunk);
    workgroupBarrier();
    for (var width = CHUNKS / 2; width > 0; width /= 2) {
        var value: Value;
        if index < width {
            let left = joined[2 * index];
            let right = joined[2 * index + 1];
            let message = Message(left.low, left.high, right.low, right.high);
            value = compress(Value(IV_LOW, IV_HIGH), message, vec2u(), PARENT);
        }
        workgroupBarrier();
        if index < width {
            joined[index] = value;
        }
        workgroupBarrier();
    }
    if index == 0 {
        let value = joined[0];
        let at = (task.place + group.x) * 8;
        values[at] = value.low.x;
        values[at + 1] = value.low.y;
        values[at + 2] = value.low.z;
        values[at + 3] = value.low.w;
        values[at + 4] = value.high.x;
        values[at + 5] = value.high.y;
        values[at + 6] = value.high.z;
        values[at + 7] = value.high.w;
    }
}
