//! Integers and booleans: what WGSL defines for every operand. The answers come from Rust's integers of 64 bits.

use super::lab::{Failure, Lab};
use super::sheet::{self, EDGES, Row, pairs};

/// A word as a signed number of any size.
fn s(word: u32) -> i64 {
    i64::from(word as i32)
}

/// The lower 32 bits.
fn cut(value: i64) -> u32 {
    value as u32
}

pub(super) async fn computes(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("a + b", |[a, b, ..]| (u64::from(a) + u64::from(b)) as u32),
        ("a - b", |[a, b, ..]| cut(i64::from(a) - i64::from(b))),
        ("a * b", |[a, b, ..]| (u64::from(a) * u64::from(b)) as u32),
        ("a / b", |[a, b, ..]| a.checked_div(b).unwrap_or(a)),
        ("a % b", |[a, b, ..]| a.checked_rem(b).unwrap_or(0)),
        ("u32(i + j)", |[a, b, ..]| cut(s(a) + s(b))),
        ("u32(i - j)", |[a, b, ..]| cut(s(a) - s(b))),
        ("u32(i * j)", |[a, b, ..]| cut(s(a) * s(b))),
        ("u32(i / j)", |[a, b, ..]| if b == 0 { a } else { cut(s(a) / s(b)) }),
        ("u32(i % j)", |[a, b, ..]| if b == 0 { 0 } else { cut(s(a) % s(b)) }),
        ("u32(-i)", |[a, ..]| cut(-s(a))),
        ("~a", |[a, ..]| u32::MAX - a),
        ("u32(~i)", |[a, ..]| cut(-1 - s(a))),
        ("a & b | c ^ d", |[a, b, c, d]| (a & b) | (c ^ d)),
        ("u32((i & j) | (k ^ l))", |[a, b, c, d]| (a & b) | (c ^ d)),
        ("a << (b & 31)", |[a, b, ..]| (u64::from(a) << (b % 32)) as u32),
        ("a >> (b & 31)", |[a, b, ..]| (u64::from(a) >> (b % 32)) as u32),
        ("u32(i << (b & 31))", |[a, b, ..]| cut(s(a) << (b % 32))),
        ("u32(i >> (b & 31))", |[a, b, ..]| cut(s(a) >> (b % 32))),
        ("u32(vec2i(i, j).y * vec2(k).x + 1)", |[_, b, c, _]| cut(s(b).wrapping_mul(s(c)) + 1)),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&EDGES)).await
}

/// WGSL shifts by the lower five bits.
pub(super) async fn shifts_by_the_lower_bits(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("a << b", |[a, b, ..]| (u64::from(a) << (b % 32)) as u32),
        ("a >> b", |[a, b, ..]| (u64::from(a) >> (b % 32)) as u32),
        ("u32(i << b)", |[a, b, ..]| cut(s(a) << (b % 32))),
        ("u32(i >> b)", |[a, b, ..]| cut(s(a) >> (b % 32))),
        ("(vec2u(a, c) << vec2u(b, d)).y", |[_, _, c, d]| (u64::from(c) << (d % 32)) as u32),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&EDGES)).await
}

pub(super) async fn compares(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("u32(a == b)", |[a, b, ..]| (a == b).into()),
        ("u32(a != b)", |[a, b, ..]| (a != b).into()),
        ("u32(a < b)", |[a, b, ..]| (a < b).into()),
        ("u32(a <= b)", |[a, b, ..]| (a <= b).into()),
        ("u32(a > b)", |[a, b, ..]| (a > b).into()),
        ("u32(a >= b)", |[a, b, ..]| (a >= b).into()),
        ("u32(i < j)", |[a, b, ..]| (s(a) < s(b)).into()),
        ("u32(i <= j)", |[a, b, ..]| (s(a) <= s(b)).into()),
        ("u32(i > j)", |[a, b, ..]| (s(a) > s(b)).into()),
        ("u32(i >= j)", |[a, b, ..]| (s(a) >= s(b)).into()),
        ("u32(a < b && c < d || a == d)", |[a, b, c, d]| ((a < b && c < d) || a == d).into()),
        ("u32((a < b) & (c < d) | !(a == d))", |[a, b, c, d]| (((a < b) & (c < d)) | (a != d)).into()),
        ("u32((a < b) == (c < d))", |[a, b, c, d]| ((a < b) == (c < d)).into()),
        ("u32((a < b) != (c < d))", |[a, b, c, d]| ((a < b) != (c < d)).into()),
        ("select(a, b, i < k)", |[a, b, c, _]| if s(a) < s(c) { b } else { a }),
        ("select(v.xy, v.zw, vec2(a < b, c < d)).y", |[_, b, c, d]| if c < d { d } else { b }),
        ("u32(all(v.xy < v.zw)) + 2 * u32(any(v.xy < v.zw))", |[a, b, c, d]| {
            u32::from(a < c && b < d) + 2 * u32::from(a < c || b < d)
        }),
        ("u32(bool(a)) + 2 * u32(bool(i)) + 4 * u32(i32(a == b))", |[a, b, ..]| {
            3 * u32::from(a != 0) + 4 * u32::from(a == b)
        }),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&EDGES)).await
}

pub(super) async fn has_numeric_functions(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("u32(abs(i)) + abs(a)", |[a, ..]| cut(s(a).abs() + i64::from(a))),
        ("min(a, b) ^ max(c, d)", |[a, b, c, d]| a.min(b) ^ c.max(d)),
        ("u32(min(i, j) ^ max(k, l))", |[a, b, c, d]| cut(s(a).min(s(b)) ^ s(c).max(s(d)))),
        ("clamp(a, min(b, c), max(b, c))", |[a, b, c, _]| a.clamp(b.min(c), b.max(c))),
        ("u32(clamp(i, min(j, k), max(j, k)))", |[a, b, c, _]| cut(s(a).clamp(s(b).min(s(c)), s(b).max(s(c))))),
        ("u32(sign(i))", |[a, ..]| cut(s(a).signum())),
        ("dot(v, v.wzyx)", |[a, b, c, d]| a.wrapping_mul(d).wrapping_add(b.wrapping_mul(c)).wrapping_mul(2)),
        ("u32(dot(w.xyz, w.yzw))", |[a, b, c, d]| {
            a.wrapping_mul(b).wrapping_add(b.wrapping_mul(c)).wrapping_add(c.wrapping_mul(d))
        }),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&EDGES)).await
}

/// Bits counted one by one, from the lowest.
fn bits(word: u32) -> impl DoubleEndedIterator<Item = (u32, bool)> {
    (0..32).map(move |bit| (bit, word >> bit & 1 == 1))
}

/// The bits of `x` from `offset` on, as many as are inside.
fn field(offset: u32, count: u32) -> impl Fn(u32) -> bool {
    let from = offset.min(32);
    let until = from + count.min(32 - from);
    move |bit| (from..until).contains(&bit)
}

fn extract(x: u32, offset: u32, count: u32, is_signed: bool) -> u32 {
    let is_in = field(offset, count);
    let inside: Vec<bool> = bits(x).filter(|(bit, _)| is_in(*bit)).map(|(_, is_set)| is_set).collect();
    let sign = is_signed && inside.last() == Some(&true);
    (0..32).map(|bit| u32::from(*inside.get(bit).unwrap_or(&sign)) << bit).sum()
}

fn insert(x: u32, new: u32, offset: u32, count: u32) -> u32 {
    let is_in = field(offset, count);
    bits(x)
        .map(|(bit, is_set)| {
            let is_set = if is_in(bit) { new >> (bit - offset) & 1 == 1 } else { is_set };
            u32::from(is_set) << bit
        })
        .sum()
}

fn first(mut of: impl Iterator<Item = (u32, bool)>) -> u32 {
    of.find(|(_, is_set)| *is_set).map_or(u32::MAX, |(bit, _)| bit)
}

pub(super) async fn has_bit_functions(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("countOneBits(a) + u32(countOneBits(j)) * 100", |[a, b, ..]| {
            let count = |word| bits(word).filter(|(_, is_set)| *is_set).count() as u32;
            count(a) + count(b) * 100
        }),
        ("countLeadingZeros(a) + u32(countLeadingZeros(j)) * 100", |[a, b, ..]| {
            let count = |word| bits(word).rev().take_while(|(_, is_set)| !is_set).count() as u32;
            count(a) + count(b) * 100
        }),
        ("countTrailingZeros(a) + u32(countTrailingZeros(j)) * 100", |[a, b, ..]| {
            let count = |word| bits(word).take_while(|(_, is_set)| !is_set).count() as u32;
            count(a) + count(b) * 100
        }),
        ("reverseBits(a) ^ u32(reverseBits(i))", |_| 0),
        ("reverseBits(a)", |[a, ..]| bits(a).map(|(bit, is_set)| u32::from(is_set) << (31 - bit)).sum()),
        ("firstLeadingBit(a)", |[a, ..]| first(bits(a).rev())),
        ("u32(firstLeadingBit(i))", |[a, ..]| first(bits(if a >> 31 == 1 { !a } else { a }).rev())),
        ("firstTrailingBit(a)", |[a, ..]| first(bits(a))),
        ("u32(firstTrailingBit(i))", |[a, ..]| first(bits(a))),
        ("extractBits(a, b & 31, min(c & 31, 32 - (b & 31)))", |[a, b, c, _]| {
            extract(a, b % 32, (c % 32).min(32 - b % 32), false)
        }),
        ("u32(extractBits(i, b & 31, min(c & 31, 32 - (b & 31))))", |[a, b, c, _]| {
            extract(a, b % 32, (c % 32).min(32 - b % 32), true)
        }),
        ("insertBits(a, d, b & 31, min(c & 31, 32 - (b & 31)))", |[a, b, c, d]| {
            insert(a, d, b % 32, (c % 32).min(32 - b % 32))
        }),
        ("u32(insertBits(i, l, b & 31, 32 - (b & 31)))", |[a, b, _, d]| insert(a, d, b % 32, 32)),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&EDGES)).await
}

/// WGSL clamps a field that is not inside the word.
pub(super) async fn clamps_bit_fields(mut lab: Lab) -> Result<(), Failure> {
    const ROWS: &[Row] = &[
        ("extractBits(a, b, c)", |[a, b, c, _]| extract(a, b, c, false)),
        ("u32(extractBits(i, b, c))", |[a, b, c, _]| extract(a, b, c, true)),
        ("insertBits(a, d, b, c)", |[a, b, c, d]| insert(a, d, b, c)),
        ("insertBits(v, v.wzyx, b, c).y", |[_, b, c, _]| insert(b, c, b, c)),
    ];
    sheet::check(&mut lab, "", ROWS, &pairs(&EDGES)).await
}
