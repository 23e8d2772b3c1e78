//! What constant expressions come to: naga evaluates them, so it is held to what `docs/EXACT.md` says.

use crate::parse;
use samebit_wgsl::lowered::{Op, Stmt};
use samebit_wgsl::{Admission, lower};
use std::fmt::Write;

/// The bits of what is computed from expressions, all of them constant.
fn evaluate(expressions: &[&str]) -> Vec<u32> {
    let mut text = "@group(0) @binding(0) var<storage, read_write> out: array<f32>;\n".to_owned();
    for (i, expression) in expressions.iter().enumerate() {
        let _ = writeln!(text, "const c{i} = {expression};");
    }
    text.push_str("@compute @workgroup_size(1) fn main() {\n");
    for (i, expression) in expressions.iter().enumerate() {
        let _ = writeln!(text, "out[{}] = c{i}; out[{}] = {expression};", i * 2, i * 2 + 1);
    }
    text.push('}');
    let kernel = parse(&text, &[]).unwrap_or_else(|refusal| panic!("{refusal}"));
    let lowered = lower(&kernel, &text, Admission::Exact).unwrap_or_else(|error| panic!("{error}"));
    let mut found = Vec::new();
    for stmt in &lowered.body {
        let Stmt::Store { values, .. } = stmt else { continue };
        for value in values {
            match lowered.preamble.iter().find(|(known, _)| known == value) {
                Some((_, Op::Constant(bits))) => found.push(*bits),
                other => panic!("not constant: {other:?}"),
            }
        }
    }
    found
}

fn check(rows: &[(&str, u32)]) {
    let found = evaluate(&rows.iter().map(|(expression, _)| *expression).collect::<Vec<_>>());
    assert_eq!(found.len(), rows.len() * 2);
    for ((expression, bits), found) in rows.iter().zip(found.chunks(2)) {
        // At module scope and inside a function.
        assert_eq!(found, [*bits; 2], "{expression}: {:#x}, not {bits:#x}", found[0]);
    }
}

/// Of binary64, rounded once to binary32, and exact.
#[test]
fn operations_of_abstract_floats_are_those_of_binary64() {
    check(&[
        ("sqrt(2.0)", std::f32::consts::SQRT_2.to_bits()),
        ("1.0 / 3.0", (1.0_f32 / 3.0).to_bits()),
        ("0.1 + 0.2", 0.3_f32.to_bits()),
        ("1e30 * 1e30 / 1e30", 1e30_f32.to_bits()),
        ("16777217.0 - 16777216.0", 1.0_f32.to_bits()),
        ("1e-40", 1e-40_f32.to_bits()),
        ("1e-60", 0),
        ("-0.0", 0x8000_0000),
    ]);
}

/// The first refusal of a text in the exact profile, by its line and column.
fn refused(text: &str, constants: &[(&str, f64)]) -> Option<(u32, u32)> {
    let kernel = parse(text, constants).unwrap_or_else(|refusal| panic!("{refusal}"));
    assert!(lower(&kernel, text, Admission::Native).is_ok(), "{text}");
    match lower(&kernel, text, Admission::Exact) {
        Ok(_) => None,
        Err(samebit_wgsl::ParseError::Refused(refusal)) => {
            assert!(refusal.message.contains("write the value as a number"), "{refusal}");
            refusal.location.map(|at| (at.line, at.column))
        }
        Err(error) => panic!("{error}"),
    }
}

/// Machines evaluate these differently: naga calls their C library.
#[test]
fn float_functions_of_constants_are_refused() {
    const NAMES: [&str; 16] = [
        "acos", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "exp2", "log", "log2", "sin", "sinh", "tan",
        "tanh", "acosh",
    ];
    let head = "@group(0) @binding(0) var<storage, read_write> out: array<f32>;\n\
        @compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u) {\n";
    for name in NAMES {
        let arg = if name == "acosh" { "1.5" } else { "0.5" };
        for (text, place) in [
            (format!("{head}out[0] = {name}({arg}); }}"), Some((3, 10))),
            (format!("{head}out[0] = {name}({arg}f) + 1.0; }}"), Some((3, 10))),
            (format!("{head}out[0] = {name}(vec2f({arg})).y; }}"), Some((3, 10))),
            (format!("{head}let x = vec2f({arg}); out[0] = {name}(x).y; }}"), None),
            (format!("{head}const x = {name}({arg}); out[0] = x; }}"), Some((3, 11))),
            (format!("const x = 2.0 * {name}({arg});\n{head}out[0] = x; }}"), Some((1, 17))),
            (format!("override x = {arg}f; override y = 1.0 + {name}(x);\n{head}out[0] = y; }}"), Some((1, 39))),
            (format!("override x = {arg}f;\n{head}out[0] = {name}(x); }}"), Some((4, 10))),
            (format!("{head}out[0] = {name}(f32(id.x)); }}"), None),
            (format!("override x = {arg}f;\n{head}out[0] = {name}(f32(id.x) + x) * x; }}"), None),
            (format!("{head}var x = {arg}; out[0] = {name}(x); }}"), None),
            (format!("{head}let unused = {name}(f32(id.x)); out[0] = 1; }}"), None),
            (format!("fn f(x: f32) -> f32 {{ return {name}(x); }}\n{head}out[0] = f({arg}); }}"), None),
            (format!("fn {name}(x: f32) -> f32 {{ return x; }}\n{head}out[0] = {name}({arg}); }}"), None),
            (
                format!("fn unused(x: vec3f) -> vec3f {{ return {name}(x); }}\n{head}out[0] = 1; /* {name}(1) */ }}"),
                None,
            ),
            (
                format!(
                    "{head}if id.x == 1 {{ for (var x = 0.0; x < 1; x += 0.5) {{ out[0] += {name}(x + 1); }} }} }}"
                ),
                None,
            ),
        ] {
            assert_eq!(refused(&text, &[]), place, "{text}");
        }
    }
    assert_eq!(refused(&format!("{head}out[0] = pow(2.0, 0.5); }}"), &[]), Some((3, 10)));
    assert_eq!(refused(&format!("{head}out[0] = atan2(1.0, f32(id.x)) + pow(out[1], 2.0); }}"), &[]), None);
    assert_eq!(refused(&format!("{head}out[0] = f32(frexp(out[1]).exp); }}"), &[]), None);
}

#[test]
fn operations_of_f32_are_those_of_binary32() {
    check(&[
        ("1.0f / 3.0f", (1.0_f32 / 3.0).to_bits()),
        ("0.1f + 0.2f", (0.1_f32 + 0.2).to_bits()),
        ("16777217.0f - 16777216.0f", 0),
        ("1e-40f * 0.5f", (1e-40_f32 * 0.5).to_bits()),
        ("5.5f % -2.0f", 1.5_f32.to_bits()),
        ("1e10f % 0.3f", (1e10_f32 % 0.3).to_bits()),
        ("fma(16777217.0f, 16777217.0f, -1.0f)", 16_777_216.0_f32.mul_add(16_777_216.0, -1.0).to_bits()),
        ("dot(vec2f(1e8, 1), vec2f(1e8, -1))", (1e8_f32 * 1e8 - 1.0).to_bits()),
        ("inverseSqrt(2.0f)", (1.0 / 2.0_f32.sqrt()).to_bits()),
        ("f32(u32(3e9f))", 3e9_f32.to_bits()),
        ("f32(i32(-1e30f))", (-2_147_483_648.0_f32).to_bits()),
        ("f32(i32(1e30f))", 2_147_483_520.0_f32.to_bits()),
        ("round(2.5f)", 2.0_f32.to_bits()),
        ("round(-0.5f)", 0x8000_0000),
        ("fract(-0.25f)", 0.75_f32.to_bits()),
        ("clamp(-0.0f, 0.0f, 1.0f)", 0x8000_0000),
    ]);
}

/// What would not be finite, or is outside a function's domain, is not a kernel.
#[test]
fn constants_without_a_value_are_refused() {
    for expression in
        ["1e30f * 1e30f", "1.0f / 0.0f", "log(0.0)", "sqrt(-1.0f)", "acos(2.0)", "exp(1000.0)", "pow(-1, 2)"]
    {
        let text = format!("@compute @workgroup_size(1) fn main() {{ let x = {expression}; }}");
        let refusal = parse(&text, &[]).expect_err(expression);
        assert_eq!(refusal.reason, samebit_wgsl::RefusalReason::Invalid, "{refusal}");
    }
}
