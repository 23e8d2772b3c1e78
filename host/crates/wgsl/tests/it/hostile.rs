//! Texts made to crash, hang or exhaust a compiler. Each must come back, soon, with a kernel or a refusal.

use crate::lower::lowered;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Far more than the slowest takes in an unoptimized build on a busy machine, far less than a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// A kernel whose entry point has this body.
fn body(body: &str) -> String {
    format!(
        "@group(0) @binding(0) var<storage, read_write> g: array<u32>; @compute @workgroup_size(1) fn main() {{ {body} }}"
    )
}

/// One line for each of `0..n`.
fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).fold(String::new(), |mut text, i| {
        let _ = writeln!(text, "{}", line(i));
        text
    })
}

/// What nests: what comes before, one level's opening and closing, and what is inside.
const NESTED: [(&str, &str, &str, &str); 22] = [
    ("g[0] = ", "(", ")", "1"),
    ("g[0] = ", "g[", "]", "0"),
    ("g[0] = ", "max(1, ", ")", "1"),
    ("let x = ", "vec2(", ")", "1"),
    ("let x = ", "vec2<f32>(", ")", "1"),
    ("let x = ", "array(", ")", "1"),
    ("let x = ", "!", "", "true"),
    ("let x = ", "- ", "", "1"),
    ("g[0] = ", "~", "", "g[0]"),
    ("let x = ", "a<", ">", "1"),
    ("let x = ", "*&", "", "g[0]"),
    ("", "*&", " = 1;", "g[0]"),
    ("", "(", ")", "g[0]"),
    ("", "{", "}", ""),
    ("", "if true {", "}", ""),
    ("", "loop {", "break; }", ""),
    ("", "while true {", "}", ""),
    ("", "for (;;) {", "break; }", ""),
    ("", "switch 1 { default {", "} }", ""),
    ("var x: ", "array<", ", 1>", "u32"),
    ("var x: ", "ptr<function, ", ">", "u32"),
    ("/*", "/*", "*/", "*/"),
];

/// What is chained.
const CHAINED: [(&str, &str); 13] = [
    ("let x = 1", " + 1"),
    ("g[0] = g[0]", " + g[0]"),
    ("let a = true; let x = a", " && a"),
    ("let x = 1", " < 1"),
    ("let m = mat4x4f(); let x = m", " * m"),
    ("const m = mat4x4f(); let x = m", " * m"),
    ("var v = vec2f(); let x = v", ".xy"),
    ("let x = vec2(1)", ".xy"),
    ("g", "[0]"),
    ("if g[0] == 1 { }", " else if g[0] == 2 { g[0] = 1; }"),
    ("", "_ = g[0];"),
    ("", "let x = g[0]; { } ;"),
    ("let x = array(1", ", 1"),
];

/// Texts that are small, but not what they stand for.
fn bombs() -> Vec<String> {
    let doubling = |one: &str, n: usize| {
        lines(n, |i| {
            if i == 0 {
                format!("const a0 = array({one}, {one});")
            } else {
                format!("const a{i} = array(a{0}, a{0});", i - 1)
            }
        })
    };
    let inlining = lines(40, |i| {
        if i == 0 { "fn f0() { g[0] = 1; }".to_owned() } else { format!("fn f{i}() {{ f{0}(); f{0}(); }}", i - 1) }
    });
    let mut bombs = vec![
        format!("{inlining}{}", body("f39();")),
        format!("const t = array({});{}", "1u,".repeat(10_000), body(&"g[0] = t[0];".repeat(10_000))),
        format!("const a = {};", "1".repeat(1 << 19)),
        format!("const a = 0.{};", "1".repeat(1 << 19)),
        format!("const a = 0x{}p1;", "1".repeat(1 << 19)),
        "const a = 1e999999999; const b = 1e-999999999; const c = 1 << 4000000000;".to_owned(),
        format!("const {} = b;", "é".repeat(1 << 18)),
        // As much quadratic work as the scan lets through: functions, and copies of a table, that just fit.
        lines(8, |i| format!("fn f{i}() {{ {} }}", "_=g[0];".repeat(4_600))) + &body("f0();"),
        format!("const t = array({});", "1u,".repeat(60))
            + &lines(4, |i| format!("fn f{i}() {{ {} }}", "_=t[0];".repeat(4_000)))
            + &body("f0();"),
        // The longest chain of declarations that fits: naga sorts them by recursion.
        lines(52_000, |i| format!("const c{i:x}=c{:x};", i + 1)) + "const ccb20=1;",
        "\u{feff}\0\u{202e}¶ 💥 é".to_owned(),
    ];
    for n in [4, 17, 28, 400] {
        for one in ["1", "1.5", "1u", "mat4x4f()"] {
            bombs.push(format!("{}{}", doubling(one, n), body(&format!("let x = a{};", n - 1))));
            bombs.push(body(&format!("{} let x = a{};", doubling(one, n), n - 1)));
        }
    }
    for n in [1_u64 << 12, 1 << 20, 1 << 28, (1 << 31) - 1, 1 << 31, 1 << 40] {
        bombs.push(body(&format!("const z = array<u32, {n}>(); let y = z; g[0] = z[5] + y[g[1]];")));
        bombs.push(body(&format!(
            "let z = array<f32, {n}>(); let y = array(z, z, z); let x = array<array<u32, {n}>, {n}>();"
        )));
        bombs.push(body(&format!("var z: array<mat4x4f, {n}>; z[0][0][0] = 1;")));
        bombs.push(format!("var<private> z: array<array<u32, {n}>, {n}>; {}", body("z[0][0] = 1;")));
        bombs.push(format!("var<workgroup> z: array<u32, {n}>; {}", body("z[0] = 1;")));
        bombs.push(format!("struct S {{ @size({n}) a: u32, @align({n}) b: u32 }} {}", body("var s: S; s.a = 1;")));
    }
    bombs
}

/// Texts with as many declarations as fit.
fn crowds(n: usize) -> Vec<String> {
    let last = n - 1;
    let chain =
        |first: &str, line: &dyn Fn(usize) -> String| lines(n, |i| if i == 0 { first.to_owned() } else { line(i - 1) });
    vec![
        chain("struct s0 { a: u32 }", &|i| format!("struct s{} {{ a: s{i} }}", i + 1))
            + &body(&format!("var x: s{last};")),
        chain("alias s0 = u32;", &|i| format!("alias s{} = array<s{i}, 1>;", i + 1))
            + &body(&format!("var x: s{last};")),
        chain("const c0 = 1;", &|i| format!("const c{} = c{i};", i + 1)) + &body(&format!("let x = c{last};")),
        chain("override c0 = 1;", &|i| format!("override c{} = c{i} + 1;", i + 1))
            + &body(&format!("var x = c{last};")),
        chain("fn f0() { }", &|i| format!("fn f{}() {{ f{i}(); }}", i + 1)) + &body(&format!("f{last}();")),
        lines(n, |i| format!("fn f{i}() {{ f{}(); }}", i + 1)) + &body("f0();"),
        lines(n, |i| format!("const c{i} = c{};", i + 1)) + &body("let x = c0;"),
        lines(n, |i| format!("var<private> v{i}: u32; fn f{i}() {{ v{i} = 1; }}")) + &body("f0();"),
        lines(n, |i| format!("alias a{i} = array<u32, {}>;", i + 1)),
        body(&lines(n, |i| format!("var v{i} = g[0];"))),
        body(&lines(n, |i| format!("let v{i} = g[0];"))),
        body(&format!("switch g[0] {{ {} default {{ }} }}", lines(n, |i| format!("case {i} {{ }}")))),
        format!("fn f({}) {{ }} {}", lines(n, |i| format!("a{i}: u32,")), body("")),
        format!("struct S {{ {} }} var<private> p: S; {}", lines(n, |i| format!("a{i}: u32,")), body("p.a0 = 1;")),
        "const_assert true;".repeat(n),
        "@".repeat(n),
        "diagnostic(off, a);".repeat(n),
    ]
}

/// Parses and lowers all of `texts`, each soon.
fn survive(texts: impl IntoIterator<Item = String>) {
    for text in texts {
        let start = Instant::now();
        let result = lowered(&text);
        let head: String = text.chars().take(80).collect();
        let took = start.elapsed();
        assert!(took < PATIENCE, "{took:?}: {head}");
        if let Err(refusal) = result {
            assert!(refusal.message.len() < 4_096, "{} bytes of message: {head}", refusal.message.len());
            assert!(!refusal.message.contains("internal error"), "{refusal}: {head}");
        }
    }
}

#[test]
fn nested_texts_come_back() {
    for n in [100, 127, 180, 500, 5_000, 40_000] {
        survive(NESTED.map(|(before, open, close, inside)| {
            body(&format!("{before}{}{inside}{};", open.repeat(n), close.repeat(n)))
        }));
    }
}

#[test]
fn chained_texts_come_back() {
    for n in [250, 500, 3_000, 30_000] {
        survive(CHAINED.map(|(before, link)| body(&format!("{before}{};", link.repeat(n)))));
    }
}

#[test]
fn bombs_come_back() {
    survive(bombs());
}

#[test]
fn crowds_come_back() {
    for n in [900, 8_000, 30_000] {
        survive(crowds(n));
    }
}

/// Texts that are small, but whose lowered form is not.
fn blowups() -> Vec<String> {
    let chain = |n: usize, first: &str, next: &dyn Fn(usize) -> String| {
        lines(n, |i| if i == 0 { first.to_owned() } else { next(i) })
    };
    vec![
        // Whole arrays, over and over.
        format!("var<private> a: array<u32, 2047>; {}", body(&"g[0] = a[1]; _ = a;".repeat(2_000))),
        body(&format!("var a: array<u32, 2000>; {}", "let x = a; a = x;".repeat(60))),
        format!(
            "struct S {{ a: array<mat4x4f, 100> }} {}{}",
            chain(12, "fn f0(s: S) -> S { var t = s; t.a[g[0]][1][2] = 3; return t; }", &|i| format!(
                "fn f{i}(s: S) -> S {{ return f{0}(f{0}(s)); }}",
                i - 1
            )),
            body("var s: S; s = f11(s); g[0] = u32(s.a[1][2][3]);")
        ),
        // Tables, and values that are indexed.
        body(&lines(200, |i| format!("g[{i}] = array({}7u)[g[0]];", format!("{i}u,").repeat(60)))),
        body(&lines(200, |i| format!("g[{i}] = array({}7u)[g[0]];", "g[1],".repeat(60)))),
        body(&lines(1_000, |_| "g[0] = array<u32, 2047>()[g[0]];".to_owned())),
        body(
            "let z = array<vec4f, 2047>(); g[0] = u32(z[g[1]].x); let y = array(z, z, z); g[1] = u32(y[g[1]][g[2]].y);",
        ),
        // Calls inside blocks inside calls.
        chain(60, "fn f0() { g[0] += 1; }", &|i| {
            format!("fn f{i}() {{ {} f{}(); {} }}", "if g[0] > 1 {".repeat(60), i - 1, "}".repeat(60))
        }) + &body("f59();"),
        chain(500, "fn f0() { g[0] += 1; }", &|i| format!("fn f{i}() {{ f{}(); }}", i - 1)) + &body("f499();"),
        // Loops inside loops, with many variables.
        format!(
            "var<private> p: array<u32, 500>; {}",
            body(&format!(
                "{} {} {} {}",
                lines(300, |i| format!("var v{i} = g[{i}];")),
                "for (var i = 0; i < 3; i++) {".repeat(60),
                lines(300, |i| format!("v{i} += v{}; p[{i}] = v{i};", (i * 7) % 300)),
                "}".repeat(60)
            ))
        ),
        // Conditions that share all they have.
        body(&format!(
            "var a = g[0] > 1; var b = g[1] > 2; {} if a {{ g[3] = 1; }} if b {{ return; }} g[4] = 1;",
            "{ let c = a & b; b = (a | b) != c; a = c | b; }".repeat(300)
        )),
        // Conditions and choices, one inside the other and one after the other.
        body(&format!("if {}g[0] > 1{} {{ g[3] = 1; }}", "g[0] > 1 && (".repeat(100), ")".repeat(100))),
        body(&format!(
            "var a = g[0] > 1; let b = g[1] > 2; {} if a {{ g[3] = 1; }}",
            "a = (a && b) || !(b || a); if a { a = b; } else { if b { a = !b; } }".repeat(500)
        )),
        body(&format!(
            "var x = g[0]; {} x += 1; {} g[3] = x;",
            "if x > 1 { x *= 3;".repeat(100),
            "} else { x = 2; }".repeat(100)
        )),
        // A switch in a switch, in a function of many calls.
        chain(9, "fn f0() { g[0] += 1; }", &|i| {
            let cases = lines(8, |case| format!("case {case} {{ f{}(); }}", i - 1));
            format!("fn f{i}() {{ switch g[{i}] {{ {cases} default {{ return; }} }} }}")
        }) + &body("f8();"),
        // Early returns, each of which leaves the same function.
        body(&lines(1_500, |i| format!("if g[{i}] == 1 {{ return; }}"))),
        // Built-ins of many operations.
        body(&format!("var m = mat4x4f(); {} g[0] = u32(m[0].x);", "m = m * m * determinant(m);".repeat(900))),
        body(&"g[0] = u32(pow(f32(g[1]), sin(f32(g[2]))));".repeat(1_000)),
    ]
}

#[test]
fn blowups_come_back() {
    survive(blowups());
}
