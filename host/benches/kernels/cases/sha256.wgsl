// SHA-256 of many messages of 64 bytes, each invocation one.

const K = array<u32, 64>(
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
);

@group(0) @binding(0) var<storage, read> messages: array<array<u32, 16>>;
@group(0) @binding(1) var<storage, read_write> digests: array<array<u32, 8>>;

var<private> state: array<u32, 8>;
var<private> words: array<u32, 64>;

fn rotate(x: u32, by: u32) -> u32 {
    return (x >> by) | (x << (32u - by));
}

// Takes the first 16 of `words` into `state`.
fn compress() {
    for (var i = 16u; i < 64u; i++) {
        let x = words[i - 15u];
        let y = words[i - 2u];
        let s0 = rotate(x, 7u) ^ rotate(x, 18u) ^ (x >> 3u);
        let s1 = rotate(y, 17u) ^ rotate(y, 19u) ^ (y >> 10u);
        words[i] = words[i - 16u] + s0 + words[i - 7u] + s1;
    }
    var a = state[0];
    var b = state[1];
    var c = state[2];
    var d = state[3];
    var e = state[4];
    var f = state[5];
    var g = state[6];
    var h = state[7];
    for (var i = 0u; i < 64u; i++) {
        let s1 = rotate(e, 6u) ^ rotate(e, 11u) ^ rotate(e, 25u);
        let choice = (e & f) ^ (~e & g);
        let t1 = h + s1 + choice + K[i] + words[i];
        let s0 = rotate(a, 2u) ^ rotate(a, 13u) ^ rotate(a, 22u);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + s0 + majority;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= arrayLength(&messages) {
        return;
    }
    state = array<u32, 8>(
        0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
    );
    for (var i = 0u; i < 16u; i++) {
        words[i] = messages[id.x][i];
    }
    compress();
    // The padding: a one, zeros, and the message's length in bits.
    words[0] = 0x80000000u;
    for (var i = 1u; i < 15u; i++) {
        words[i] = 0u;
    }
    words[15] = 512u;
    compress();
    digests[id.x] = state;
}
