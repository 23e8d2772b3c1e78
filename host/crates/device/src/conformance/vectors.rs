//! Vectors and matrices: how they are made, taken apart and changed. Floats here are whole numbers, so that there is one
//! answer in every profile.

use super::lab::{Failure, Lab};
use super::sheet::{self, EDGES, Row, pairs};

pub(super) async fn makes_and_takes_apart(mut lab: Lab) -> Result<(), Failure> {
    const FUNCTIONS: &str = "
        fn put(v: vec4u, n: u32, x: u32) -> vec4u { var r = v; r[n & 3u] = x; r.x += 1u; return r; }
        fn parts(v: vec4u) -> u32 { var r: vec4u; r.w = v.x; r.y = v.z; r.z = r.w + r.y; return r.z * 3u + r.x; }
        fn bools(v: vec4u) -> vec4<bool> { var r = v > v.yzwx; r.z = !r.w; return r; }";
    const ROWS: &[Row] = &[
        ("v.wzyx.y + vec2u(v.x, v.w).y * 3u", |[_, _, c, d]| c.wrapping_add(d.wrapping_mul(3))),
        ("vec4u(a, v.zw, b).z ^ vec4u(v.xyz, d).w ^ vec3u(v.xy, 9u).z", |_| 9),
        ("vec4u(vec2u(7u), vec2u(8u, 9u)).y * 10u + vec3u(4u).z", |_| 74),
        ("v.rgba.b ^ v.zzzz.x", |_| 0),
        ("v[b & 3u]", |v| v[v[1] as usize & 3]),
        ("put(v, b, c)[d & 3u]", |v| {
            let mut r = v;
            r[v[1] as usize & 3] = v[2];
            r[0] = r[0].wrapping_add(1);
            r[v[3] as usize & 3]
        }),
        ("parts(v)", |[a, _, c, _]| a.wrapping_add(c).wrapping_mul(3)),
        ("u32(bools(v).x) + 2u * u32(bools(v).z) + 4u * u32(any(!bools(v)))", |[a, b, c, d]| {
            let x = [a > b, b > c, d <= a, d > a];
            u32::from(x[0]) + 2 * u32::from(x[2]) + 4 * u32::from(x.contains(&false))
        }),
        ("(v * 3u + vec4u(b) - a).z", |[a, b, c, _]| c.wrapping_mul(3).wrapping_add(b).wrapping_sub(a)),
        ("(v / vec4u(1u, a - a, 3u, d)).w", |[.., d]| if d == 0 { 0 } else { 1 }),
        ("u32((w.xy % vec2i(j, i - i)).y)", |_| 0),
        ("u32((-w.xy).y == ~j + 1 && all(~v == 0xffffffffu - v))", |_| 1),
        ("select(v, v.wzyx, v < v.yyyy).x", |[a, b, _, d]| if a < b { d } else { a }),
        ("u32(vec3i(v.xyz).y) ^ vec3u(vec3i(w.xyz)).y", |_| 0),
        ("array(a, b, c, d)[a & 3u] + array<vec2u, 2>(v.xy, v.zw)[b & 1u].y", |v| {
            v[v[0] as usize & 3].wrapping_add(v[1 + 2 * (v[1] as usize & 1)])
        }),
    ];
    sheet::check(&mut lab, FUNCTIONS, ROWS, &pairs(&EDGES)).await
}

/// All shapes of matrices, with small whole numbers.
pub(super) async fn has_matrices_of_all_shapes(mut lab: Lab) -> Result<(), Failure> {
    for columns in 2..=4_u32 {
        for rows in 2..=4_u32 {
            let element = |column: u32, row: u32| format!("f32(a * {}u + {}u)", column + 1, row * 3);
            let all: Vec<String> =
                (0..columns).flat_map(|c| (0..rows).map(move |r| (c, r))).map(|(c, r)| element(c, r)).collect();
            let text = format!(
                "fn m(a: u32) -> mat{columns}x{rows}f {{ return mat{columns}x{rows}f({}); }}
                 fn change(a: u32, c: u32, r: u32) -> f32 {{
                     var x = m(a); x[c][r] += 1.0; x[0] *= 2.0; let y = x; return y[c][r] + x[c & 1u].x;
                 }}
                 fn product(a: u32) -> f32 {{
                     let p = m(a) * transpose(m(a)); let q = m(a) * vec{columns}f(1.0); let s = vec{rows}f(1.0) * m(a);
                     return p[{rows}u - 1u][0] + q.y * 2.0 + s[{columns}u - 1u] * 3.0;
                 }}
                 fn sum(a: u32) -> f32 {{ return (m(a) + m(a) * 2.0 - 0.5 * m(a))[1].y; }}",
                all.join(", ")
            );
            let declarations = format!("{text}\nconst COLUMNS = {columns}u; const ROWS = {rows}u;");
            let sheet: Vec<Row> = vec![
                ("u32(m(a)[b % COLUMNS][c % ROWS])", |[a, b, c, d]| at(a, b % (d >> 8), c % (d & 255))),
                ("u32(change(a, b % COLUMNS, c % ROWS))", |[a, b, c, d]| {
                    let (column, row) = (b % (d >> 8), c % (d & 255));
                    let value = |c: u32, r: u32| {
                        let plain = at(a, c, r) + u32::from((c, r) == (column, row));
                        if c == 0 { plain * 2 } else { plain }
                    };
                    value(column, row) + value(column & 1, 0)
                }),
                ("u32(product(a))", |[a, _, _, d]| {
                    let (columns, rows) = (d >> 8, d & 255);
                    let p: u32 = (0..columns).map(|c| at(a, c, 0) * at(a, c, rows - 1)).sum();
                    let q: u32 = (0..columns).map(|c| at(a, c, 1)).sum();
                    let s: u32 = (0..rows).map(|r| at(a, columns - 1, r)).sum();
                    p + q * 2 + s * 3
                }),
                ("u32(sum(a) * 2.0)", |[a, ..]| at(a, 1, 1) * 5),
            ];
            let shape = columns << 8 | rows;
            let inputs: Vec<[u32; 4]> =
                (0..5).flat_map(|a| (0..4).flat_map(move |b| (0..4).map(move |c| [a, b, c, shape]))).collect();
            sheet::check(&mut lab, &declarations, &sheet, &inputs).await?;
        }
    }
    Ok(())
}

/// The element of a matrix of this test.
fn at(a: u32, column: u32, row: u32) -> u32 {
    a * (column + 1) + row * 3
}
