// One generation of the game of life on a torus, a cell to a word.

override SIZE: u32;

@group(0) @binding(0) var<storage, read> before: array<u32>;
@group(0) @binding(1) var<storage, read_write> after: array<u32>;

fn cell(x: u32, y: u32) -> u32 {
    return before[(y % SIZE) * SIZE + x % SIZE];
}

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let x = id.x + SIZE;
    let y = id.y + SIZE;
    let around = cell(x - 1u, y - 1u) + cell(x, y - 1u) + cell(x + 1u, y - 1u) + cell(x - 1u, y) + cell(x + 1u, y)
        + cell(x - 1u, y + 1u) + cell(x, y + 1u) + cell(x + 1u, y + 1u);
    after[id.y * SIZE + id.x] = u32(around == 3u || (around == 2u && cell(x, y) == 1u));
}
