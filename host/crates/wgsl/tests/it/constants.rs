//! What constant expressions come to. naga evaluates them, with the crate libm's functions and no others: were it built to
//! use the functions of the machine's C library, machines would disagree. `docs/EXACT.md` says which these are.

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

/// Where glibc's functions of binary32 give other bits than those of the crate libm.
#[test]
fn functions_of_f32_are_those_of_libm() {
    check(&[
        ("exp(-9.995117f)", 0x383f_5a6a),
        ("exp(-9.985352f)", 0x3841_3b24),
        ("log(0.6202905f)", 0xbef4_83b4),
        ("log(1.0841113f)", 0x3da5_65d1),
        ("log2(0.30293944f)", 0xbfdc_87f2),
        ("log2(0.5958789f)", 0xbf3f_356c),
        ("sin(-96.875f)", 0xbefb_e5e9),
        ("cos(-95.26367f)", 0x3f06_e06a),
        ("tan(-9.96582f)", 0xbf19_d122),
        ("asin(-0.984375f)", 0xbfb2_67ab),
        ("acos(-1.0f)", 0x4049_0fda),
        ("atan(0.107421875f)", 0x3ddb_28da),
        ("cosh(-4.729004f)", 0x4262_621a),
        ("tanh(-0.99609375f)", 0xbf42_8c00),
        ("atanh(-0.9f)", 0xbfbc_71af),
    ]);
}

/// Of binary64, rounded once more to binary32: which bits of binary64 came out before hardly ever matters.
#[test]
fn functions_of_abstract_floats_are_those_of_binary64() {
    check(&[
        ("acos(-1.0)", std::f32::consts::PI.to_bits()),
        ("4.0 * atan(1.0)", std::f32::consts::PI.to_bits()),
        ("exp(1.0)", std::f32::consts::E.to_bits()),
        ("log(2.0)", std::f32::consts::LN_2.to_bits()),
        ("sqrt(2.0)", std::f32::consts::SQRT_2.to_bits()),
        ("pow(2.0, 0.5)", std::f32::consts::SQRT_2.to_bits()),
        ("1.0 / 3.0", (1.0_f32 / 3.0).to_bits()),
        ("0.1 + 0.2", 0.3_f32.to_bits()),
        ("1e30 * 1e30 / 1e30", 1e30_f32.to_bits()),
        ("16777217.0 - 16777216.0", 1.0_f32.to_bits()),
        ("1e-40", 1e-40_f32.to_bits()),
        ("1e-60", 0),
        ("-0.0", 0x8000_0000),
    ]);
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
