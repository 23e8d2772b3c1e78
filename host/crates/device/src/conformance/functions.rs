//! Functions, pointers, variables of every space, and constants.

use super::lab::{Failure, Lab, expect_words};
use super::sheet::{self, EDGES, Row, pairs};

pub(super) async fn calls(mut lab: Lab) -> Result<(), Failure> {
    const FUNCTIONS: &str = "
        struct Pair { first: u32, second: vec2u }
        fn early(x: u32) -> u32 { if x > 5u { if x > 50u { return 1u; } return 2u; } else if x == 3u { return 3u; } return 4u; }
        fn nothing(x: u32) { if x == 0u { return; } _ = x + 1u; }
        fn swap(p: Pair) -> Pair { return Pair(p.second.x, vec2u(p.second.y, p.first)); }
        fn sum(x: array<u32, 3>) -> u32 { var s = 0u; for (var n = 0; n < 3; n++) { s += x[n]; } return s; }
        fn twice(x: u32) -> u32 { nothing(x); return early(x) * 10u + early(early(x)); }
        fn order(p: ptr<function, u32>) -> u32 { *p = *p * 3u + 1u; return *p; }
        fn both(p: ptr<function, u32>) -> u32 { return order(p) - order(p); }
        fn bump(p: ptr<function, u32>, by: u32) { *p += by; *p ^= 5u; }
        fn through(x: u32, y: u32) -> u32 { var n = x; let p = &n; bump(p, y); bump(&n, 1u); return *p; }
        fn wrapper(x: u32) -> u32 { var s = x; return both(&s) + s; }
        const TABLE = array(3u, 1u, 4u, 1u, 5u, 9u, 2u, 6u);
        const MASK: u32 = (1u << 3u) - 1u;
        fn lookup(x: u32) -> u32 { const_assert MASK == 7u; let t = TABLE; return t[x & MASK] + TABLE[2]; }";
    const ROWS: &[Row] = &[
        ("twice(a)", |[a, ..]| early(a) * 10 + early(early(a))),
        ("swap(swap(Pair(a, v.yz))).second.y + swap(Pair(a, v.yz)).first * 3u", |[_, b, ..]| b.wrapping_mul(4)),
        ("sum(array(a, b, c))", |[a, b, c, _]| a.wrapping_add(b).wrapping_add(c)),
        ("wrapper(a)", |[a, ..]| {
            let first = a.wrapping_mul(3).wrapping_add(1);
            first
                .wrapping_sub(first.wrapping_mul(3).wrapping_add(1))
                .wrapping_add(first.wrapping_mul(3).wrapping_add(1))
        }),
        ("through(a, b)", |[a, b, ..]| (a.wrapping_add(b) ^ 5).wrapping_add(1) ^ 5),
        ("lookup(a)", |[a, ..]| [3, 1, 4, 1, 5, 9, 2, 6][(a & 7) as usize] + 4),
    ];
    sheet::check(&mut lab, FUNCTIONS, ROWS, &pairs(&EDGES)).await
}

fn early(x: u32) -> u32 {
    match x {
        3 => 3,
        0..=5 => 4,
        6..=50 => 2,
        _ => 1,
    }
}

pub(super) async fn points_into_memory(mut lab: Lab) -> Result<(), Failure> {
    const TEXT: &str = "
        struct Item { count: u32, list: array<u32, 4>, at: vec2u }
        @group(0) @binding(0) var<storage, read_write> items: array<Item, 3>;
        var<private> mine: Item;
        var<private> start: array<u32, 3> = array(7u, 8u, 9u);
        var<workgroup> ours: array<Item, 2>;
        fn push(p: ptr<function, array<u32, 4>>, n: ptr<function, u32>, x: u32) { (*p)[*n & 3u] = x; *n += 1u; }
        fn keep(x: u32) { mine.count += 1u; mine.list[mine.count & 3u] = x; }
        @compute @workgroup_size(2) fn main(@builtin(local_invocation_index) i: u32) {
            var local: array<u32, 4>;
            var n = i;
            for (var k = 0u; k < 6u; k++) { push(&local, &n, k * 10u + i); keep(local[k & 3u]); }
            start[i] += n;
            ours[i] = Item(mine.count, local, vec2u(start[0], start[1]));
            workgroupBarrier();
            let other = &ours[1u - i];
            items[i] = *other;
            let list = &items[i].list;
            (*list)[2] += start[2];
            items[i].at.y *= 2u;
            if i == 0u { items[2].list = mine.list; items[2].at = (*other).at.yx; }
        }";
    let kernel = lab.kernel(TEXT)?;
    let items = lab.zeros(3 * 8)?;
    lab.run(kernel, &[items], [1, 1, 1])?;
    let model = |i: u32| {
        let (mut local, mut mine, mut count) = ([0; 4], [0; 4], 0);
        for k in 0..6 {
            local[(i + k) as usize & 3] = k * 10 + i;
            count += 1;
            mine[count as usize & 3] = local[k as usize & 3];
        }
        let mut start = [7, 8, 9];
        start[i as usize] += i + 6;
        (count, local, [start[0], start[1]], mine)
    };
    let mut expected = Vec::new();
    for i in [0, 1] {
        let (count, local, at, _) = model(1 - i);
        expected.extend([count, local[0], local[1], local[2] + 9, local[3], 0, at[0], at[1] * 2]);
    }
    let (_, _, at, _) = model(1);
    expected.push(0);
    expected.extend(model(0).3);
    expected.extend([0, at[1], at[0]]);
    expect_words("the items", &lab.words(items).await?, &expected)
}

/// Variables of an invocation start at zero, in each iteration and each call.
pub(super) async fn starts_variables_anew(mut lab: Lab) -> Result<(), Failure> {
    const FUNCTIONS: &str = "
        var<private> seen: array<u32, 8>;
        fn fresh(n: u32) -> u32 { var x: array<u32, 8>; var y: vec3u; x[n & 7u] += 5u; y.z += 2u; return x[(n + 1u) & 7u] + x[n & 7u] + y.z; }
        fn rounds(n: u32) -> u32 {
            var r = 0u;
            for (var k = 0u; k < 4u; k++) { var x: u32; var t: array<u32, 2>; x += n; t[k & 1u] += x; r += t[0] + t[1]; }
            return r;
        }
        fn first(n: u32) -> u32 { seen[n & 7u] += 1u; return seen[n & 7u]; }";
    const ROWS: &[Row] = &[
        ("fresh(a) + fresh(b)", |_| 14),
        ("rounds(a)", |[a, ..]| a.wrapping_mul(4)),
        ("first(a)", |_| 1),
        ("first(a)", |_| 2),
    ];
    sheet::check(&mut lab, FUNCTIONS, ROWS, &pairs(&EDGES)).await
}

/// What the text computes before it runs.
pub(super) async fn evaluates_constants(mut lab: Lab) -> Result<(), Failure> {
    const FUNCTIONS: &str = "
        const A = 7; const B = A * 3 - 1; const C: f32 = 1.5; const V = vec3(1, 2, 3); const M = mat2x2f(1, 2, 3, 4);
        const D = array(V, V * 2, V.zyx); const E = select(1u, 2u, A > 6); const F = abs(-B) + max(A, 40) + i32(C * 2.0);
        const G = vec4u(1, 2, 3, 4).wz; const H = -8 >> 1u; const I = 0xffu ^ 0x0fu; const J = countOneBits(255u);
        const K = 5 % 3 + 7 / 2; const L = all(V == vec3(1, 2, 3)); const N = dot(V, V); const O = f32(1 << 24u) + C;";
    const ROWS: &[Row] = &[
        ("u32(A + B)", |_| 27),
        ("u32(C * 4.0)", |_| 6),
        ("u32(V.x + V.y * 10 + V.z * 100)", |_| 321),
        ("u32(M[1][0] * 10.0 + M[0].y)", |_| 32),
        ("u32(D[1].z + D[2].x)", |_| 9),
        ("E + u32(F)", |_| 65),
        ("G.x * 10u + G.y", |_| 43),
        ("u32(i32(H)) + I + J", |_| 240u32.wrapping_add(8).wrapping_sub(4)),
        ("u32(K) + u32(L) + u32(N)", |_| 20),
        ("bitcast<u32>(O)", |_| 16_777_218_f32.to_bits()),
    ];
    sheet::check(&mut lab, FUNCTIONS, ROWS, &[[0; 4]]).await
}

/// The same text with other values of its constants.
pub(super) async fn takes_override_constants(mut lab: Lab) -> Result<(), Failure> {
    const TEXT: &str = "
        override flag: bool = false; override count: u32 = 3; @id(9) override step: i32 = -2; override scale: f32 = 0.5;
        override size = count * 2 + 1; override large: bool = size > 8 && !flag;
        @group(0) @binding(0) var<storage, read_write> out: array<i32>;
        var<workgroup> tile: array<i32, size + 1>;
        fn part(n: u32) -> i32 { if large { return i32(n); } return step * i32(n); }
        @compute @workgroup_size(count) fn main(@builtin(local_invocation_index) i: u32) {
            tile[i + size - count] = part(i) + i32(scale * 8.0);
            workgroupBarrier();
            if i == 0 { for (var n = 0u; n <= size; n++) { out[n] = tile[n] + select(0, 1000, flag); } }
        }";
    type Given = &'static [(&'static str, f64)];
    let cases: [(Given, u32, i32, i32, i32, bool); 4] = [
        (&[], 3, -2, 4, 0, false),
        (&[("count", 5.0)], 5, -2, 4, 0, true),
        (&[("flag", 1.0), ("9", 7.0), ("scale", -1.25)], 3, 7, -10, 1000, false),
        (&[("count", 4.0), ("flag", 1.0), ("9", -2147483648.0)], 4, i32::MIN, 4, 1000, false),
    ];
    for (given, count, step, offset, flag, is_large) in cases {
        let given: Vec<(String, f64)> = given.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let kernel = lab.kernel_with(TEXT, &given)?;
        let size = count * 2 + 1;
        let out = lab.zeros(size as usize + 1)?;
        lab.run(kernel, &[out], [1, 1, 1])?;
        let of = |n: u32| {
            let Some(i) = n.checked_sub(size - count).filter(|i| *i < count) else { return flag };
            let part = if is_large { i as i32 } else { step.wrapping_mul(i as i32) };
            part.wrapping_add(offset).wrapping_add(flag)
        };
        let expected: Vec<u32> = (0..=size).map(|n| of(n) as u32).collect();
        expect_words(&format!("with {given:?}"), &lab.words(out).await?, &expected)?;
    }
    Ok(())
}
