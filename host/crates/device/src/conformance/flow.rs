//! Branches and loops: `if`, `switch`, `loop`, `for`, `while`, `continuing`, `break if`, and every way out of them. Each
//! is written again in Rust.

use super::lab::{Failure, Lab};
use super::sheet::{self, Row, pairs};

const WORDS: [u32; 12] = [0, 1, 2, 3, 4, 5, 7, 8, 13, 100, 0x8000_0000, u32::MAX];

pub(super) async fn switches(mut lab: Lab) -> Result<(), Failure> {
    const FUNCTIONS: &str = "
        fn default_in_the_middle(x: u32) -> u32 {
            var r = 1u;
            switch x { case 1u { r = 10u; } default { r = 20u; } case 3u, 4u: { r = 30u; } }
            return r;
        }
        fn default_among_others(x: i32) -> i32 {
            switch x & 7 { case 0, default, 5 { return 1; } case 1: { return 2; } case 2, 3 { return 3; } }
        }
        fn breaks_inside(x: u32, y: u32) -> u32 {
            var r = 0u;
            switch x {
                case 2u { if y > 3u { break; } r += 1u; }
                case 5u { r += 7u; switch y { case 5u { break; } default { r += 100u; } } r += 1000u; }
                default {}
            }
            return r + 1u;
        }
        fn only_default(x: u32) -> u32 { switch x { default { return x + 1u; } } }
        fn in_loop(n: u32) -> u32 {
            var r = 0u;
            for (var i = 0u; i < min(n, 10u); i++) {
                switch i { case 1u { continue; } case 3u { r += 5u; break; } case 7u { return r; } default { r += 1u; } }
                r += 10u;
            }
            return r;
        }";
    const ROWS: &[Row] = &[
        ("default_in_the_middle(a)", |[a, ..]| match a {
            1 => 10,
            3 | 4 => 30,
            _ => 20,
        }),
        ("u32(default_among_others(i))", |[a, ..]| match a & 7 {
            1 => 2,
            2 | 3 => 3,
            _ => 1,
        }),
        ("breaks_inside(a, b)", |[a, b, ..]| match (a, b) {
            (2, 4..) => 1,
            (2, _) => 2,
            (5, 5) => 1008,
            (5, _) => 1108,
            _ => 1,
        }),
        ("only_default(a)", |[a, ..]| a.wrapping_add(1)),
        ("in_loop(a)", |[n, ..]| {
            let mut r = 0;
            for i in 0..n.min(10) {
                match i {
                    1 => continue,
                    3 => r += 5,
                    7 => return r,
                    _ => r += 1,
                }
                r += 10;
            }
            r
        }),
    ];
    sheet::check(&mut lab, FUNCTIONS, ROWS, &pairs(&WORDS)).await
}

pub(super) async fn loops(mut lab: Lab) -> Result<(), Failure> {
    const FUNCTIONS: &str = "
        fn collatz(n: u32) -> u32 {
            var x = n & 1023u; var steps = 0u;
            while x > 1u { if x % 2u == 0u { x /= 2u; } else { x = 3u * x + 1u; } steps += 1u; }
            return steps;
        }
        fn with_continuing(n: u32) -> u32 {
            var i = 0u; var r = 0u;
            loop {
                if i >= (n & 15u) { break; }
                if i % 3u == 1u { continue; }
                r += i;
                continuing { r = r * 3u; i += 1u; }
            }
            return r;
        }
        fn break_if(n: u32) -> u32 {
            var i = 0u;
            loop { i += 3u; continuing { let j = i * 2u; break if j > (n & 255u); } }
            return i;
        }
        fn skips_to_break_if(n: u32) -> u32 {
            var i = 0u; var r = 0u;
            loop {
                i += 1u;
                if (i & 1u) == 1u { continue; }
                r += i;
                continuing { r += 100u; break if i > (n & 31u); }
            }
            return r;
        }
        fn nested(n: u32, m: u32) -> u32 {
            var r = 0u;
            for (var i = 0u; i < (n & 15u); i++) {
                for (var j = i; ; j += 2u) {
                    if j > (m & 15u) { break; }
                    if (i ^ j) == 5u { continue; }
                    if r > 200u { return r; }
                    r += i * j + 1u;
                }
                while true { r += 1u; if r % 4u == 0u { break; } }
            }
            return r;
        }
        fn countdown(n: u32) -> u32 {
            var r = 1u;
            for (var i = i32(n & 31u); i >= 0; i -= 3) { r = r * 31u + u32(i); }
            return r;
        }";
    sheet::check(&mut lab, FUNCTIONS, LOOPS, &pairs(&WORDS)).await
}

const LOOPS: &[Row] = &[
    ("collatz(a)", |[n, ..]| {
        let (mut x, mut steps) = (n & 1023, 0);
        while x > 1 {
            x = if x % 2 == 0 { x / 2 } else { 3 * x + 1 };
            steps += 1;
        }
        steps
    }),
    ("with_continuing(a)", |[n, ..]| {
        (0..n & 15).fold(0u32, |r, i| (r + if i % 3 == 1 { 0 } else { i }).wrapping_mul(3))
    }),
    ("break_if(a)", |[n, ..]| {
        let last = n & 255;
        (1..).map(|step| step * 3).find(|i| i * 2 > last).unwrap_or(0)
    }),
    ("skips_to_break_if(a)", |[n, ..]| {
        let mut r = 0;
        for i in 1.. {
            r += if i & 1 == 1 { 100 } else { i + 100 };
            if i > n & 31 {
                break;
            }
        }
        r
    }),
    ("nested(a, b)", |[n, m, ..]| {
        let mut r = 0;
        for i in 0..n & 15 {
            for j in (i..=m & 15).step_by(2) {
                if i ^ j == 5 {
                    continue;
                }
                if r > 200 {
                    return r;
                }
                r += i * j + 1;
            }
            r = (r + 1).next_multiple_of(4);
        }
        r
    }),
    ("countdown(a)", |[n, ..]| (0..=n & 31).rev().step_by(3).fold(1u32, |r, i| r.wrapping_mul(31).wrapping_add(i))),
];

/// Invocations that are side by side take different ways, and leave at different times.
pub(super) async fn diverges(mut lab: Lab) -> Result<(), Failure> {
    const TEXT: &str = "
        @group(0) @binding(0) var<storage, read_write> out: array<u32>;
        @compute @workgroup_size(96) fn main(@builtin(global_invocation_id) id: vec3u) {
            let x = id.x;
            if x % 7u == 3u { return; }
            var r = x;
            for (var i = 0u; i < x % 11u; i++) {
                if (x + i) % 5u == 0u { continue; }
                if i == 8u { break; }
                if r % 13u == 1u { out[x] = r + 1000000u; return; }
                if x % 2u == 0u { r = r * 5u + i; } else { r = r ^ (i << 4u); }
            }
            out[x] = r;
        }";
    let model = |x: u32| {
        if x % 7 == 3 {
            return 0;
        }
        let mut r = x;
        for i in 0..x % 11 {
            if (x + i).is_multiple_of(5) {
                continue;
            }
            if i == 8 {
                break;
            }
            if r % 13 == 1 {
                return r.wrapping_add(1_000_000);
            }
            r = if x.is_multiple_of(2) { r.wrapping_mul(5).wrapping_add(i) } else { r ^ (i << 4) };
        }
        r
    };
    let kernel = lab.kernel(TEXT)?;
    let out = lab.zeros(96 * 9)?;
    lab.run(kernel, &[out], [9, 1, 1])?;
    let expected: Vec<u32> = (0..96 * 9).map(model).collect();
    super::lab::expect_words("what each left", &lab.words(out).await?, &expected)
}
