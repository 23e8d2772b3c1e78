//! Where the parts of structures, arrays and matrices are in a buffer, and what an index outside of them touches.

use super::lab::{Failure, Lab, expect_words};
use super::sheet::{self, EDGES, Row, pairs};

/// A structure full of gaps. Offsets of its members in words, by WGSL's rules: `head` 0, `v2` 2, `v3` 4, `tail` 7,
/// `inner` 8, `list` 24, `matrix` 32, `wide` 40, `items` 48, `last` 72; and inside [`Inner`]: 0, 4, 5, 8, in all 12.
const OUTER: &str = "
    struct Inner { a: u32, @align(16) b: u32, @size(12) c: u32, d: vec3u }
    struct Outer {
        head: u32, v2: vec2u, v3: vec3u, tail: u32, @size(64) inner: Inner, list: array<vec3u, 2>,
        matrix: mat3x2f, wide: mat2x3f, items: array<Inner, 2>, last: u32,
    }";
const OUTER_WORDS: u32 = 76;
/// A float that is a number whatever its lower bits are.
const FIRST: u32 = 0x4000_0000;

pub(super) async fn places_members(mut lab: Lab) -> Result<(), Failure> {
    let text = format!(
        "{OUTER}
         @group(0) @binding(0) var<storage> source: Outer;
         @group(0) @binding(1) var<storage, read_write> seen: array<u32>;
         @compute @workgroup_size(1) fn main() {{
            let s = source;
            seen[0] = s.head; seen[1] = s.v2.y; seen[2] = s.v3.z; seen[3] = s.tail; seen[4] = s.inner.a;
            seen[5] = s.inner.b; seen[6] = s.inner.c; seen[7] = source.inner.d.y; seen[8] = s.list[1].x;
            seen[9] = bitcast<u32>(s.matrix[2].y); seen[10] = bitcast<u32>(source.wide[1].z);
            seen[11] = s.items[1].d.z; seen[12] = s.last; seen[13] = source.items[0].c;
         }}"
    );
    let offsets = [0, 3, 6, 7, 8, 12, 13, 17, 28, 37, 46, 70, 72, 53];
    let kernel = lab.kernel(&text)?;
    let source = lab.buffer(&(0..OUTER_WORDS).map(|word| FIRST + word).collect::<Vec<_>>())?;
    let seen = lab.zeros(14)?;
    lab.run(kernel, &[source, seen], [1, 1, 1])?;
    expect_words("what was read", &lab.words(seen).await?, &offsets.map(|word| FIRST + word))
}

/// In the exact profile no word is written that no member is in.
pub(super) async fn leaves_gaps_alone(mut lab: Lab) -> Result<(), Failure> {
    let text = format!(
        "{OUTER}
         @group(0) @binding(0) var<storage> source: Outer;
         @group(0) @binding(1) var<storage, read_write> target_: Outer;
         @compute @workgroup_size(1) fn main() {{
             target_ = source;
             target_.list[0] = source.v3; target_.matrix[1] = vec2f(1.0, 2.0); target_.items[1].b = 77u;
         }}"
    );
    let kernel = lab.kernel(&text)?;
    let source = lab.buffer(&(0..OUTER_WORDS).map(|word| FIRST + word).collect::<Vec<_>>())?;
    let target = lab.buffer(&[9; OUTER_WORDS as usize])?;
    lab.run(kernel, &[source, target], [1, 1, 1])?;
    let inner = [0, 4, 5, 8, 9, 10];
    let mut members = vec![0, 2, 3, 4, 5, 6, 7, 24, 25, 26, 28, 29, 30, 72];
    members.extend((32..38).chain(40..43).chain(44..47));
    members.extend([8, 48, 60].iter().flat_map(|start| inner.map(|word| start + word)));
    let mut expected = vec![9; OUTER_WORDS as usize];
    members.into_iter().for_each(|word| expected[word as usize] = FIRST + word);
    expected[24..27].copy_from_slice(&[FIRST + 4, FIRST + 5, FIRST + 6]);
    expected[34..36].copy_from_slice(&[1.0_f32.to_bits(), 2.0_f32.to_bits()]);
    expected[64] = 77;
    expect_words("the structure", &lab.words(target).await?, &expected)
}

pub(super) async fn reads_uniforms(mut lab: Lab) -> Result<(), Failure> {
    const TEXT: &str = "
        struct Light { at: vec3f, power: f32, color: vec4u }
        struct Params { scale: mat4x4f, small: mat2x2f, lights: array<Light, 3>, counts: array<vec4u, 2>, flags: vec3u, n: u32 }
        @group(0) @binding(0) var<uniform> p: Params;
        @group(0) @binding(1) var<storage, read_write> out: array<u32>;
        @compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) {
            let light = p.lights[min(i, 2u)];
            out[i * 8u] = bitcast<u32>(p.scale[i][3u - i]);
            out[i * 8u + 1u] = bitcast<u32>(p.small[i & 1u].y);
            out[i * 8u + 2u] = bitcast<u32>(light.at.z);
            out[i * 8u + 3u] = bitcast<u32>(light.power);
            out[i * 8u + 4u] = light.color[i];
            out[i * 8u + 5u] = p.counts[i & 1u][i];
            out[i * 8u + 6u] = p.flags.z;
            out[i * 8u + 7u] = p.n;
        }";
    let kernel = lab.kernel(TEXT)?;
    let params = lab.buffer(&(0..56).map(|word| FIRST + word).collect::<Vec<_>>())?;
    let out = lab.zeros(32)?;
    lab.run(kernel, &[params, out], [1, 1, 1])?;
    let of = |i: u32| {
        let light = 20 + 8 * i.min(2);
        [i * 4 + 3 - i, 17 + 2 * (i & 1), light + 2, light + 3, light + 4 + i, 44 + 4 * (i & 1) + i, 54, 55]
    };
    let expected: Vec<u32> = (0..4).flat_map(of).map(|word| FIRST + word).collect();
    expect_words("what was read", &lab.words(out).await?, &expected)
}

pub(super) async fn has_arrays_of_any_length(mut lab: Lab) -> Result<(), Failure> {
    const TEXT: &str = "
        struct Item { key: u32, value: vec3u }
        struct List { count: u32, items: array<Item> }
        @group(0) @binding(0) var<storage, read_write> list: List;
        @group(0) @binding(1) var<storage, read_write> pairs: array<vec2u>;
        @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32) {
            let n = arrayLength(&list.items);
            let p = &pairs;
            if i == 0 { list.count = n * 100u + arrayLength(p); }
            if i < n { list.items[i].key = i + 1u; list.items[i].value.z = i + 10u; }
        }";
    let kernel = lab.kernel(TEXT)?;
    // A list is 4 words and 8 for each item; what is left over is no item.
    for (list_words, pair_words) in [(12, 2), (20, 3), (44, 8), (50, 9)] {
        let list = lab.zeros(list_words)?;
        let pairs = lab.zeros(pair_words)?;
        lab.run(kernel, &[list, pairs], [1, 1, 1])?;
        let items = (list_words - 4) / 8;
        let mut expected = vec![0; list_words];
        expected[0] = (items * 100 + pair_words / 2) as u32;
        for item in 0..items {
            expected[4 + item * 8] = item as u32 + 1;
            expected[4 + item * 8 + 6] = item as u32 + 10;
        }
        expect_words(&format!("a list of {items}"), &lab.words(list).await?, &expected)?;
    }
    Ok(())
}

/// In the exact profile an index outside is the last inside, as an unsigned number.
pub(super) async fn clamps_indices(mut lab: Lab) -> Result<(), Failure> {
    const DECLARATIONS: &str = "
        struct Row { x: array<u32, 5>, y: u32 }
        var<workgroup> tile: array<u32, 64>;
        var<private> mine: array<u32, 7>;
        const TABLE = array(10u, 20u, 30u, 40u, 50u, 60u);
        fn in_private(n: u32) -> u32 { for (var k = 0u; k < 7u; k++) { mine[k] = k + 1u; } mine[n] *= 100u; return mine[6] + mine[n]; }
        fn in_function(n: i32) -> u32 { var r: array<vec2u, 3>; r[n].y = 5u; return r[2].y * 10u + r[n].y; }
        fn in_struct(n: u32) -> u32 { var r: Row; r.y = 3u; r.x[n] = 9u; return r.y + r.x[4] * 10u; }
        fn in_table(n: u32) -> u32 { return TABLE[n]; }
        fn in_vector(v: vec4u, n: u32) -> u32 { var r = v; r[n] += 1u; return r.w ^ r[n]; }
        fn in_value(v: vec4u, n: u32) -> u32 { return v.xyz[n] + array(v.x, v.y)[n]; }
        fn in_matrix(n: u32) -> u32 { var m = mat3x2f(1, 2, 3, 4, 5, 6); m[n].y = 9.0; return u32(m[2].y) * 10u + u32(m[n][n]); }";
    const ROWS: &[Row] = &[
        ("in_private(a)", |[a, ..]| if a < 6 { 7 + (a + 1) * 100 } else { 1400 }),
        ("in_function(i)", |[a, ..]| if a < 2 { 5 } else { 55 }),
        ("in_struct(a)", |[a, ..]| if a < 4 { 3 } else { 93 }),
        ("in_table(a)", |[a, ..]| (a.min(5) + 1) * 10),
        ("in_vector(v, a)", |v| {
            let n = v[0].min(3) as usize;
            let mut r = v;
            r[n] = r[n].wrapping_add(1);
            r[3] ^ r[n]
        }),
        ("in_value(v, a)", |v| v[v[0].min(2) as usize].wrapping_add(v[v[0].min(1) as usize])),
        ("in_matrix(a)", |[a, ..]| {
            let last = if a < 2 { 6 } else { 9 };
            last * 10 + if a == 0 { 1 } else { 9 }
        }),
        ("source[a + 5000u].x * 0u + u32(all(source[a | 0x80000000u] == source[arrayLength(&source) - 1u]))", |_| 1),
    ];
    sheet::check(&mut lab, DECLARATIONS, ROWS, &pairs(&EDGES)).await
}

/// A store outside goes to the last element, not past the binding, and not to its neighbor.
pub(super) async fn clamps_stores(mut lab: Lab) -> Result<(), Failure> {
    const TEXT: &str = "
        struct Fixed { a: array<u32, 3>, b: u32 }
        @group(0) @binding(0) var<storage> index: array<u32>;
        @group(0) @binding(1) var<storage, read_write> fixed: Fixed;
        @group(0) @binding(2) var<storage, read_write> open: array<vec2u>;
        @compute @workgroup_size(1) fn main() {
            for (var n = 0u; n < arrayLength(&index); n++) {
                fixed.a[index[n]] += 1u;
                open[index[n]].y += 1u;
                atomicless(index[n]);
            }
        }
        fn atomicless(n: u32) { open[bitcast<i32>(n)].x += 2u; }";
    let kernel = lab.kernel(TEXT)?;
    let index = lab.buffer(&[0, 2, 3, 4, 5, 100, 0x7fff_ffff, 0x8000_0000, u32::MAX])?;
    let fixed = lab.zeros(4)?;
    let open = lab.zeros(9)?;
    lab.run(kernel, &[index, fixed, open], [1, 1, 1])?;
    expect_words("the fixed array", &lab.words(fixed).await?, &[1, 0, 8, 0])?;
    expect_words("the open array", &lab.words(open).await?, &[2, 1, 0, 0, 2, 1, 14, 7, 0])
}
