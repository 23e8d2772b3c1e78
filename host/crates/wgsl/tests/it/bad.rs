//! Texts that are refused, with the reason and the line that a guest sees.

use crate::parse;
use samebit_wgsl::{Location, RefusalReason};

/// The head of an entry point.
pub(crate) const MAIN: &str = "@compute @workgroup_size(1) fn main() {";

/// Texts that are not WGSL, each with the line of the fault. `$` stands for [`MAIN`].
pub(crate) const INVALID: [(u32, &str); 36] = [
    (1, "fn"),
    (2, "\nfn main( {}"),
    (1, "$"),
    (2, "$\nlet a = b; }"),
    (2, "$\nlet a: i32 = 1.5; }"),
    (2, "$\nlet a = 1u + 1i; }"),
    (2, "$\nlet a = 1; a = 2; }"),
    (2, "$\nfoo(); }"),
    (2, "$\nvar a = array<u32, 0>(); }"),
    (2, "$\nlet a = 1 / 0; }"),
    (2, "$\nlet a = 4294967296u; }"),
    (2, "$\nlet a = vec2f(1, 2, 3); }"),
    (2, "$\nlet a = vec2f().z; }"),
    (2, "$\nbreak; }"),
    (2, "$\nif 1 { } }"),
    (2, "$\nreturn 1; }"),
    (2, "$\nvar x: u32; var x: u32; }"),
    (2, "$\nconst_assert 1 == 2; }"),
    (2, "$\nlet x = array(1, 2)[5]; }"),
    (2, "$\nlet x = 1.0h; }"),
    (2, "$ }\nfn f() { f(); }"),
    (2, "$ }\nfn f() { g(); } fn g() { f(); }"),
    (2, "$ }\nfn f() -> u32 { }"),
    (2, "$ }\nfn f(a: u32, a: u32) { }"),
    (2, "$ }\nstruct S { }"),
    (2, "$ }\nstruct S { s: S }"),
    (2, "$ }\nstruct S { a: array<u32>, b: u32 }"),
    (2, "$ }\nconst a = a;"),
    (2, "$ }\nvar<storage> no_binding: u32;"),
    (2, "$ }\n@group(0) @binding(0) var<uniform> u: array<u32>;"),
    (2, "$ }\n@group(0) @binding(0) var<storage> b: bool;"),
    (2, "$ }\nvar<private> f: u32 = 1.5;"),
    (2, "$ }\nfn main() { }"),
    (2, "$ }\n@fragment fn f() { workgroupBarrier(); }"),
    (2, "$ }\nlet a = 1;"),
    (2, "$ }\n@group(0) @binding(0) @binding(1) var<storage> b: u32;"),
];

/// Texts that are WGSL, but not ours.
pub(crate) const UNSUPPORTED: [(u32, &str); 27] = [
    (2, "\nenable f16;$ }"),
    (2, "\nenable subgroups;$ }"),
    (2, "\nenable wgpu_ray_query;$ }"),
    (2, "\nenable made_up;$ }"),
    (2, "\n@group(0) @binding(0) var t: texture_2d<f32>;$ _ = textureDimensions(t); }"),
    (2, "\n@group(0) @binding(0) var s: sampler;$ _ = s; }"),
    (2, "\n@group(0) @binding(0) var t: texture_storage_2d<r32float, write>;$ textureStore(t, vec2i(), vec4f()); }"),
    (2, "$\nlet x = subgroupAdd(1u); }"),
    (2, "$\ntextureBarrier(); }"),
    (2, "\n@group(4) @binding(0) var<storage> b: u32;$ _ = b; }"),
    (2, "\n@group(0) @binding(1000) var<storage> b: u32;$ _ = b; }"),
    (2, "\n@group(0) @binding(0) var<uniform> b: array<vec4f, 4097>;$ _ = b[0]; }"),
    (2, "\n@group(0) @binding(0) var<storage> b: array<u32, 33554433>;$ _ = b[0]; }"),
    (2, "\nvar<workgroup> w: array<u32, 4097>;$ w[0] = 1; }"),
    (2, "\nvar<private> p: array<u32, 2049>;$ p[0] = 1; }"),
    (2, "\nvar<private> p: array<u32, 100000000>;$ p[0] = 1; }"),
    (2, "$\nvar a: array<u32, 2049>; a[0] = 1; }"),
    (3, "$ var b: array<u32, 2000>; b[0] = 1;\n\nvar a: array<u32, 49>; a[0] = 1; }"),
    (3, "\n@group(0) @binding(0) var<storage, read_write> b: array<u32, 2048>;$\nlet all = b; }"),
    (2, "\n@compute @workgroup_size(257) fn main() { }"),
    (2, "\n@compute @workgroup_size(16, 17) fn main() { }"),
    (2, "\n@compute @workgroup_size(1, 1, 65) fn main() { }"),
    (2, "\n@compute @workgroup_size(16384, 16384, 1) fn main() { }"),
    (2, "\n@compute @workgroup_size(1) fn main(@builtin(subgroup_size) n: u32) { }"),
    (
        2,
        "\nstruct I { @builtin(subgroup_invocation_id) n: u32 } @compute @workgroup_size(1) fn main(i: I) { _ = i.n; }",
    ),
    (1, "$ var x: i64 = 1; x = 2; }"),
    (1, "$ var x: f64; x = 2; }"),
];

fn check(reason: &RefusalReason, table: &[(u32, &str)]) {
    let mut wrong = Vec::new();
    for (line, text) in table {
        let text = text.replace('$', MAIN);
        match parse(&text, &[]) {
            Ok(_) => wrong.push(format!("accepted: {text}")),
            Err(refusal) => {
                let at = refusal.location.map_or(0, |location| location.line);
                if (&refusal.reason, at) != (reason, *line) {
                    wrong.push(format!(
                        "{:?} in line {at}, not {reason:?} in line {line}: {text}\n{refusal}",
                        refusal.reason
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn invalid_texts_are_refused_at_their_line() {
    check(&RefusalReason::Invalid, &INVALID);
}

#[test]
fn unsupported_texts_are_refused_at_their_line() {
    check(&RefusalReason::Unsupported, &UNSUPPORTED);
}

#[test]
fn too_many_bindings_are_unsupported() {
    for (space, limit) in [("storage", 8), ("uniform", 12)] {
        let text = |n: u32| {
            let declared: String =
                (0..n).map(|i| format!("@group(1) @binding({i}) var<{space}> b{i}: u32;\n")).collect();
            let used: String = (0..n).map(|i| format!("_ = b{i};")).collect();
            format!("{declared}{MAIN}{used} }}")
        };
        assert_eq!(parse(&text(limit), &[]).map(|kernel| kernel.interface().bindings.len()), Ok(limit as usize));
        let refusal = parse(&text(limit + 1), &[]).expect_err("one binding too many");
        assert_eq!(refusal.reason, RefusalReason::Unsupported);
        assert_eq!(refusal.location.map(|location| location.line), Some(limit + 1));
    }
}

#[test]
fn an_unknown_entry_point_is_told() {
    for text in ["", "fn main() { }", "@compute @workgroup_size(1) fn Main() { }", "@fragment fn main() { }"] {
        assert_eq!(parse(text, &[]).map(drop).map_err(|refusal| refusal.reason), Err(RefusalReason::UnknownEntryPoint));
    }
}

#[test]
fn bad_constants_are_named() {
    let text = format!(
        "override a: u32;\n@id(7) override b: bool = true; override c: f32 = 1;override unused: u32;
         {MAIN} var x = a; if b {{ x = u32(c); }} }}"
    );
    let cases: [(&[(&str, f64)], &str); 13] = [
        (&[], "a"),
        (&[("a", 1.0), ("d", 1.0)], "d"),
        (&[("a", 1.0), ("8", 1.0)], "8"),
        (&[("a", 1.0), ("07", 1.0)], "07"),
        (&[("a", 1.0), ("", 1.0)], ""),
        (&[("a", -1.0)], "a"),
        (&[("a", 4_294_967_296.0)], "a"),
        (&[("a", f64::NAN)], "a"),
        (&[("a", 1.0), ("b", 2.0)], "b"),
        (&[("a", 1.0), ("c", f64::INFINITY)], "c"),
        (&[("a", 1.0), ("a", 1.0)], "a"),
        (&[("a", 1.0), ("b", 1.0), ("7", 1.0)], "7"),
        (&[("a", 1.0), ("unused", -1.0)], "unused"),
    ];
    assert!(parse(&text, &[("a", 1.0), ("7", 0.0)]).is_ok());
    for (constants, name) in cases {
        let refusal = parse(&text, constants).expect_err("the constants are bad");
        assert_eq!(refusal.reason, RefusalReason::BadConstant(name.to_owned()), "{constants:?}");
    }
    let missing = parse(&text, &[]).expect_err("a is missing");
    assert_eq!(missing.location, Some(Location { line: 1, column: 1 }));
}

#[test]
fn constants_that_make_a_kernel_invalid_are_refused() {
    let text = format!("override n: u32 = 1; var<workgroup> w: array<u32, 8 / n>; {MAIN} w[0] = 1; }}");
    assert!(parse(&text, &[("n", 8.0)]).is_ok());
    for value in [0.0, 9.0] {
        let refusal = parse(&text, &[("n", value)]).expect_err("the array has no size");
        assert_eq!(refusal.reason, RefusalReason::Invalid, "{refusal}");
    }
    let text = "override n: u32; @compute @workgroup_size(n) fn main() { }";
    let reason = |value| parse(text, &[("n", value)]).map(drop).map_err(|refusal| refusal.reason);
    assert_eq!(reason(0.0), Err(RefusalReason::Invalid));
    assert_eq!(reason(257.0), Err(RefusalReason::Unsupported));
}
