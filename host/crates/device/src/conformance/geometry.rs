//! Functions of vectors in the exact profile, and functions that blend. The answers follow the sequences of
//! `docs/EXACT.md`, in Rust's IEEE arithmetic.

use std::ops::Sub;

use super::floats::{FLOATS, bits, float, max, min};
use super::lab::{Failure, Lab};
use super::sheet::{self, Row, pairs};

/// The first product, then a fused multiply-add for each next.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut products = a.iter().zip(b);
    let first = products.next().map_or(0.0, |(a, b)| a * b);
    products.fold(first, |sum, (a, b)| a.mul_add(*b, sum))
}

fn of(v: [u32; 4], of: impl Fn([f32; 4]) -> f32) -> u32 {
    bits(of(v.map(float)))
}

/// Ordinary numbers beside the special ones.
fn words() -> Vec<u32> {
    let ordinary = [0.1_f32, -0.3, 0.7, 1.7, -2.9, 13.37, 1e3, -1e-3, 12345.679, 0.999_999, 1e19, -3e20, 2e-20];
    ordinary.map(f32::to_bits).into_iter().chain(FLOATS).collect()
}

pub(super) async fn blends(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("bitcast<u32>(mix(f, g, h))", |v| of(v, |[x, y, a, _]| y.mul_add(a, x * (1.0 - a)))),
        ("bitcast<u32>(mix(u.xy, u.zw, e).y)", |v| of(v, |[_, y, _, w]| w.mul_add(w, y * (1.0 - w)))),
        ("bitcast<u32>(smoothstep(f, g, h))", |v| {
            of(v, |[low, high, x, _]| {
                let t = min(max((x - low) / (high - low), 0.0), 1.0);
                (t * t) * (-2.0_f32).mul_add(t, 3.0)
            })
        }),
        ("bitcast<u32>(radians(f))", |v| of(v, |[x, ..]| x * 0.017_453_292)),
        ("bitcast<u32>(degrees(f))", |v| of(v, |[x, ..]| x * 57.295_78)),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&words())).await
}

pub(super) async fn measures_vectors(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("bitcast<u32>(dot(u.xy, u.zw))", |v| of(v, |[a, b, c, d]| dot(&[a, b], &[c, d]))),
        ("bitcast<u32>(dot(u.xyz, u.wzy))", |v| of(v, |[a, b, c, d]| dot(&[a, b, c], &[d, c, b]))),
        ("bitcast<u32>(dot(u, u.yzwx))", |v| of(v, |[a, b, c, d]| dot(&[a, b, c, d], &[b, c, d, a]))),
        ("bitcast<u32>(length(u))", |v| of(v, |v| dot(&v, &v).sqrt())),
        ("bitcast<u32>(length(u.xy))", |v| of(v, |[a, b, ..]| dot(&[a, b], &[a, b]).sqrt())),
        ("bitcast<u32>(length(f))", |v| of(v, |[a, ..]| a.abs())),
        ("bitcast<u32>(distance(u.xy, u.zw))", |v| of(v, |[a, b, c, d]| dot(&[a - c, b - d], &[a - c, b - d]).sqrt())),
        ("bitcast<u32>(distance(f, g))", |v| of(v, |[a, b, ..]| (a - b).abs())),
        ("bitcast<u32>(normalize(u).z)", |v| of(v, |v| v[2] / dot(&v, &v).sqrt())),
        ("bitcast<u32>(cross(u.xyz, u.yzw).x)", |v| of(v, |[_, b, c, d]| b * d - c * c)),
        ("bitcast<u32>(cross(u.xyz, u.yzw).y)", |v| of(v, |[a, b, c, d]| c * b - a * d)),
        ("bitcast<u32>(cross(u.xyz, u.yzw).z)", |v| of(v, |[a, b, c, _]| a * c - b * b)),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&words())).await
}

pub(super) async fn turns_vectors(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("bitcast<u32>(faceForward(u.xy, u.yz, u.zw).y)", |v| {
            of(v, |[_, b, c, d]| if dot(&[b, c], &[c, d]) < 0.0 { b } else { -b })
        }),
        ("bitcast<u32>(reflect(u.xyz, u.yzw).z)", |v| {
            of(v, |[a, b, c, d]| (-2.0 * dot(&[b, c, d], &[a, b, c])).mul_add(d, c))
        }),
        ("bitcast<u32>(refract(u.xy, u.yz, e).x)", |v| {
            of(v, |[a, b, c, ratio]| {
                let d = dot(&[b, c], &[a, b]);
                let k = (-(ratio * ratio)).mul_add((-d).mul_add(d, 1.0), 1.0);
                if k < 0.0 { 0.0 } else { (-ratio.mul_add(d, k.sqrt())).mul_add(b, ratio * a) }
            })
        }),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&words())).await
}

/// Products of matrices whose every element is a rounded sum.
pub(super) async fn multiplies_matrices(mut lab: Lab) -> Result<(), Failure> {
    const FUNCTIONS: &str = "
        fn m2(u: vec4f) -> mat2x2f { return mat2x2f(u.xy, u.zw); }
        fn m3(u: vec4f) -> mat3x3f { return mat3x3f(u.xyz, u.yzw, u.zwx); }
        fn m4(u: vec4f) -> mat4x4f { return mat4x4f(u, u.yzwx, u.wxyz, u.zzyx); }
        fn m23(u: vec4f) -> mat2x3f { return mat2x3f(u.xyz, u.wzy); }";
    const ROWS: &[Row] = &[
        ("bitcast<u32>((m2(u) * u.wz).x)", |v| of(v, |[a, _, c, d]| dot(&[a, c], &[d, c]))),
        ("bitcast<u32>((u.wz * m2(u)).y)", |v| of(v, |[_, _, c, d]| dot(&[d, c], &[c, d]))),
        ("bitcast<u32>((m2(u) * m2(u.wzyx))[1].y)", |v| of(v, |[a, b, _, d]| dot(&[b, d], &[b, a]))),
        ("bitcast<u32>((m23(u) * u.xw).z)", |v| of(v, |[a, b, c, d]| dot(&[c, b], &[a, d]))),
        ("bitcast<u32>((u.xyw * m23(u)).y)", |v| of(v, |[a, b, c, d]| dot(&[a, b, d], &[d, c, b]))),
        ("bitcast<u32>((m3(u) * u.yxw).y)", |v| of(v, |[a, b, c, d]| dot(&[b, c, d], &[b, a, d]))),
        ("bitcast<u32>((m4(u) * u).w)", |v| of(v, |[a, b, c, d]| dot(&[d, a, c, a], &[a, b, c, d]))),
        ("bitcast<u32>((m2(u) * g)[1].x)", |v| of(v, |[_, b, c, _]| c * b)),
        ("bitcast<u32>((m2(u) + m2(u.wzyx))[0].y)", |v| of(v, |[_, b, c, _]| b + c)),
        ("bitcast<u32>((m3(u) - transpose(m3(u)))[0].z)", |v| of(v, |[_, _, c, _]| Sub::sub(c, c))),
        ("bitcast<u32>(transpose(m23(u))[2].y)", |v| of(v, |[_, b, ..]| b)),
        ("bitcast<u32>(determinant(m2(u)))", |v| of(v, |[a, b, c, d]| a * d - b * c)),
        ("bitcast<u32>(determinant(m3(u)))", |v| {
            of(v, |[a, b, c, d]| dot(&[a, b, c], &[c * a - d * d, d * c - b * a, b * d - c * c]))
        }),
    ];
    sheet::check(&mut lab, FUNCTIONS, ROWS, &pairs(&words())).await
}
