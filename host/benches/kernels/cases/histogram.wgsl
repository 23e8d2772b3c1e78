// How often each byte occurs: counted in each workgroup, then added up.

const THREADS = 256u;
const WORDS_EACH = 16u;

@group(0) @binding(0) var<storage, read> words: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>, 256>;

var<workgroup> own: array<atomic<u32>, 256>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let first = group.x * THREADS * WORDS_EACH;
    for (var i = 0u; i < WORDS_EACH; i++) {
        let word = words[first + i * THREADS + index];
        atomicAdd(&own[word & 0xffu], 1u);
        atomicAdd(&own[(word >> 8u) & 0xffu], 1u);
        atomicAdd(&own[(word >> 16u) & 0xffu], 1u);
        atomicAdd(&own[word >> 24u], 1u);
    }
    workgroupBarrier();
    atomicAdd(&counts[index], atomicLoad(&own[index]));
}
