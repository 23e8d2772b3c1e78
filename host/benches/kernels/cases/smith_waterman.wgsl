// The best local alignment of one sequence with each of many, all of 128 letters, four to a word.

const LENGTH = 128u;
const MATCH = 3;
const MISMATCH = -2;
const GAP = 4;

@group(0) @binding(0) var<storage, read> query: array<u32, LENGTH / 4u>;
@group(0) @binding(1) var<storage, read> others: array<array<u32, LENGTH / 4u>>;
@group(0) @binding(2) var<storage, read_write> scores: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= arrayLength(&others) {
        return;
    }
    // The row above, one longer than the sequence.
    var row: array<i32, LENGTH + 1u>;
    var best = 0;
    for (var y = 0u; y < LENGTH; y++) {
        let letter = (others[id.x][y / 4u] >> (8u * (y % 4u))) & 0xffu;
        var diagonal = 0;
        var left = 0;
        for (var x = 0u; x < LENGTH; x++) {
            let other = (query[x / 4u] >> (8u * (x % 4u))) & 0xffu;
            let up = row[x + 1u];
            let paired = diagonal + select(MISMATCH, MATCH, letter == other);
            left = max(max(0, paired), max(up, left) - GAP);
            diagonal = up;
            row[x + 1u] = left;
            best = max(best, left);
        }
    }
    scores[id.x] = best;
}
