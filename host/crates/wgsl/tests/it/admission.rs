//! What is not admitted: each refusal's kind, line, column and words.

use crate::parse;
use samebit_wgsl::{Admission, ParseError, Refusal, RefusalReason, lower};

/// What texts of the tables start with, in one line, so that their own start in the second.
const HEAD: &str = "@group(0) @binding(0) var<storage, read_write> out: array<u32>; \
    @group(0) @binding(1) var<storage> fixed: array<u32>; @group(0) @binding(2) var<uniform> par: vec4u; \
    @group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>; \
    var<workgroup> tile: array<u32, 64>; var<workgroup> tally: atomic<u32>; var<workgroup> bins: array<atomic<u32>, 64>;";

/// Head of an entry point of its own line.
const MAIN: &str = "@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32, \
    @builtin(local_invocation_id) local: vec3u, @builtin(global_invocation_id) id: vec3u, \
    @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {";

/// `$` stands for [`HEAD`] and a line feed, `#` for [`MAIN`] and a line feed: a body starts in line 3.
fn admit(text: &str, admission: Admission) -> Result<(), Refusal> {
    let text = text.replace('#', &format!("{MAIN}\n")).replace('$', &format!("{HEAD}\n"));
    let kernel = parse(&text, &[])?;
    match lower(&kernel, &text, admission) {
        Ok(_) => Ok(()),
        Err(ParseError::Refused(refusal)) => Err(refusal),
        Err(error) => panic!("{error}"),
    }
}

/// Demands of each text that it is refused in both profiles or in just the exact one, where, and in which words.
fn check_refused(reason: &RefusalReason, in_native: bool, table: &[(&str, u32, u32, &[&str])]) {
    let mut wrong = Vec::new();
    for (text, line, column, words) in table {
        if admit(text, Admission::Native).is_err() != in_native {
            wrong.push(format!("refused in `native`: {}, {text}", !in_native));
        }
        let Err(refusal) = admit(text, Admission::Exact) else {
            wrong.push(format!("admitted: {text}"));
            continue;
        };
        let at = refusal.location.map(|at| (at.line, at.column));
        let (headline, excerpt) = refusal.message.split_once('\n').unwrap_or_default();
        let is_whole = headline.contains(';') && excerpt.contains('^');
        let has_words = words.iter().all(|word| headline.contains(word));
        if (&refusal.reason, at) != (reason, Some((*line, *column))) || !is_whole || !has_words {
            wrong
                .push(format!("{:?} at {at:?}, not {line}:{column} with {words:?}: {text}\n{refusal}", refusal.reason));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_no_device_offers_is_refused_by_name() {
    check_refused(
        &RefusalReason::Unsupported,
        true,
        &[
            ("enable f16;$ # }", 1, 1, &["extension", "remove the directive"]),
            ("enable subgroups;$ # }", 1, 1, &["extension"]),
            ("$# let x = subgroupAdd(i); }", 3, 10, &["subgroups", "workgroup memory"]),
            ("$# let x = subgroupBallot(true); }", 3, 10, &["subgroups"]),
            ("$# let x = subgroupBroadcast(i, 2u); }", 3, 10, &["subgroups"]),
            ("$# subgroupBarrier(); }", 3, 2, &["subgroups"]),
            (
                "$@group(1) @binding(0) var<storage, read_write> a: atomic<f32>; # atomicAdd(&a, 1.0); }",
                2,
                23,
                &["atomic"],
            ),
            (
                "$@group(1) @binding(0) var<storage, read_write> a: array<atomic<u64>>; # atomicMax(&a[1], 1); }",
                2,
                23,
                &["neither"],
            ),
            (
                "$@group(1) @binding(0) var t: texture_2d<f32>; # let x = textureLoad(t, vec2i(), 0); }",
                2,
                23,
                &["texture"],
            ),
            ("$@group(1) @binding(0) var t: texture_external; # let x = textureDimensions(t); }", 2, 23, &["texture"]),
            ("$@group(1) @binding(0) var s: sampler; # _ = s; }", 2, 23, &["sampler"]),
            ("$# var x: i64 = 1; x = 2; }", 3, 9, &["64 bits"]),
            ("$# var x: f64 = 1; x = 2; }", 3, 9, &["64 bits"]),
            ("$var<private> x: vec2<u64>; # x.x = 2; }", 2, 1, &["64 bits"]),
        ],
    );
}

/// WGSL itself forbids these without an extension, or in a compute shader.
#[test]
fn what_wgsl_forbids_is_refused_without_wrong_advice() {
    check_refused(
        &RefusalReason::Invalid,
        true,
        &[
            ("$# let x = 1.0h; }", 3, 10, &["`f16`", "no device offers any"]),
            ("$# var x: f16; }", 3, 9, &["`f16`", "no device offers any"]),
            ("$# let x = dpdx(1.0); }", 3, 10, &["derivative"]),
            ("$# let x = fwidthFine(f32(i)); }", 3, 10, &["derivative"]),
        ],
    );
}

#[test]
fn barriers_that_only_some_reach_are_refused() {
    let rows: &[(&str, u32, u32, &[&str])] = &[
        ("$#if i < 5 { workgroupBarrier(); } }", 3, 12, &["only some", "which invocation", "workgroupUniformLoad"]),
        ("$#if local.x < 5 { storageBarrier(); } }", 3, 18, &["local_invocation_id"]),
        ("$#if id.x < arrayLength(&out) {\nworkgroupBarrier(); } }", 4, 1, &["which invocation"]),
        ("$#if id.x >= par.x { return; }\n\n workgroupBarrier(); }", 5, 2, &["before the `return`"]),
        ("$#for (var n = 0u; n < i; n++) { workgroupBarrier(); } }", 3, 32, &[]),
        ("$#loop { workgroupBarrier(); if i == 3 { break; } } }", 3, 8, &[]),
        ("$#loop { if i == 3 { continue; } workgroupBarrier(); if par.x > 1 { break; } } }", 3, 32, &[]),
        ("$#switch i { case 1 { workgroupBarrier(); } default {} } }", 3, 21, &[]),
        ("$#if tile[0] == 1 { workgroupBarrier(); } }", 3, 19, &["on what is read at 3:4", "may be written"]),
        ("$#if out[0] == 1 { workgroupBarrier(); } }", 3, 18, &["on what is read at 3:4"]),
        ("$#if fixed[i] == 1 { workgroupBarrier(); } }", 3, 20, &["which invocation"]),
        ("$fn f() {\nworkgroupBarrier(); } #if i == 1 { f(); } }", 3, 1, &[]),
        (
            "$fn f(n: u32) -> u32 { if n > 1 { return 2; } workgroupBarrier(); return 1; } # out[i] = f(i); }",
            2,
            46,
            &[],
        ),
        ("$#let x = select(0u, 1u, i > 2); if x == 1 { workgroupBarrier(); } }", 3, 44, &[]),
        ("$#var x = 0u; if i > 2 { x = 1u; } if x == 1 { workgroupBarrier(); } }", 3, 46, &[]),
        ("$#var a = array(1u, 2u); a[i & 1] = 3; if a[0] == 1 { workgroupBarrier(); } }", 3, 53, &[]),
        ("$#let x = i > 2 && par.x > 1; if x { workgroupBarrier(); } }", 3, 36, &[]),
        ("$#if i < 5 { out[i] = workgroupUniformLoad(&tile)[0]; } }", 3, 21, &[]),
    ];
    check_refused(&RefusalReason::Invalid, true, rows);
}

#[test]
fn barriers_that_all_reach_are_admitted() {
    for text in [
        "$#workgroupBarrier(); if id.x >= par.x { return; } out[id.x] = 1; }",
        "$#if par.x > 1 { workgroupBarrier(); } }",
        "$#if fixed[group.x] > groups.y { workgroupBarrier(); } else { storageBarrier(); } }",
        "$#for (var n = 0u; n < fixed[2]; n++) { tile[i] += n; workgroupBarrier(); } }",
        "$#for (var s = 32u; s > 0; s >>= 1) { if i < s { tile[i] += tile[i + s]; } workgroupBarrier(); } }",
        "$#if workgroupUniformLoad(&tile)[3] == 1 { workgroupBarrier(); } }",
        "$#var x = i; out[i] = x; x = par.x; if x == 1 { workgroupBarrier(); } }",
        "$fn f(n: u32) -> u32 { if n > 1 { return 2; } return 1; } # out[i] = f(i); workgroupBarrier(); }",
        "$#for (var n = 0u; n < i; n++) { out[n] = i; } workgroupBarrier(); }",
        "$#switch par.y { case 1 { workgroupBarrier(); } case 2, default { storageBarrier(); } } }",
        "$#loop { workgroupBarrier(); continuing { break if par.x > 1; } } }",
        "$#if par.x > 4 { return; } workgroupBarrier(); }",
        "$fn g(p: ptr<function, u32>) { *p += 1; } #var n = 0u; loop { g(&n); workgroupBarrier(); if n > 4 { break; } } }",
        "$#var a = array(1u, 2u); a[par.x & 1] = 3; if a[par.y & 1] == 1 { workgroupBarrier(); } }",
        "$#var v = vec2u(i, par.x); out[i] = v.x; if v.y == 1 { workgroupBarrier(); } }",
    ] {
        for admission in [Admission::Exact, Admission::Native] {
            if let Err(refusal) = admit(text, admission) {
                panic!("{text}\n{refusal}");
            }
        }
    }
}

#[test]
fn atomics_whose_order_shows_are_refused_in_exact() {
    let rows: &[(&str, u32, u32, &[&str])] = &[
        ("$#out[i] = atomicAdd(&counts[0], 1); }", 3, 10, &["`atomicAdd` gives back", "prefix sum", "`native`"]),
        ("$#let slot = atomicSub(&tally, 1);\nif slot == 3 { out[0] = 1; } }", 3, 12, &["`atomicSub`"]),
        ("$#let x = atomicExchange(&counts[0], 1); }", 3, 9, &["`atomicExchange` does"]),
        ("$#let r = atomicCompareExchangeWeak(&counts[0], 1, 2); }", 3, 9, &["`atomicCompareExchangeWeak` does"]),
        (
            "$#atomicAdd(&counts[0], 1);\natomicMax(&counts[0], 1); }",
            3,
            1,
            &["`atomicAdd` and `atomicMax` at 4:1", "either order"],
        ),
        ("$#atomicOr(&tally, 1);\natomicAnd(&tally, 1); }", 4, 1, &["`atomicOr` at 3:1", "workgroupBarrier"]),
        ("$#atomicStore(&counts[1], 1); atomicXor(&counts[i], 1); }", 3, 1, &["`atomicStore` and `atomicXor`"]),
        (
            "$#atomicAdd(&counts[i], 1);\n out[0] = atomicLoad(&counts[0]); }",
            4,
            11,
            &["reads what `atomicAdd` at 3:1", "dispatches"],
        ),
        ("$#atomicAdd(&tally, 1); out[i] = atomicLoad(&tally); }", 3, 32, &["`workgroupBarrier()`"]),
        ("$#atomicStore(&tally, 1); out[i] = atomicLoad(&tally); }", 3, 34, &["`atomicStore`"]),
        (
            "$#for (var n = 0u; n < 4; n++) { atomicAdd(&tally, n); workgroupBarrier(); out[i] += atomicLoad(&tally); } }",
            3,
            84,
            &["`atomicAdd` at 3:32"],
        ),
        ("$fn f() -> u32 {\nreturn atomicMin(&counts[4], 1u); } # out[i] = f(); }", 3, 8, &["`atomicMin`"]),
    ];
    check_refused(&RefusalReason::Unsupported, false, rows);
}

#[test]
fn atomics_whose_order_cannot_show_are_admitted() {
    for text in [
        "$#atomicAdd(&counts[out[i]], 1); atomicSub(&counts[0], 2); }",
        "$#let unused = atomicAdd(&counts[0], 1); _ = atomicMax(&tally, 3); }",
        "$#atomicMax(&bins[i], 1); atomicAdd(&tally, 1); }",
        "$#atomicMax(&bins[out[i]], 1); atomicAdd(&tally, 1); }",
        "$#atomicAdd(&tally, 1); workgroupBarrier(); out[i] = atomicLoad(&tally); }",
        "$#if i == 0 { atomicStore(&tally, 0); } workgroupBarrier(); atomicAdd(&tally, 1); workgroupBarrier();
          if i == 0 { atomicAdd(&counts[0], atomicLoad(&tally)); } }",
        "$#atomicOr(&tally, 1); workgroupBarrier(); atomicAnd(&tally, 6); workgroupBarrier(); atomicXor(&tally, 1); }",
        "$#atomicStore(&counts[id.x], i); }",
        "$#out[id.x] = atomicLoad(&counts[id.x]); }",
        "struct S { low: atomic<i32>, high: atomic<i32> } @group(1) @binding(0) var<storage, read_write> s: array<S>;
         @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
             atomicMin(&s[id.x / 2].low, -1); atomicMax(&s[id.x / 2].high, 1); }",
    ] {
        if let Err(refusal) = admit(text, Admission::Exact) {
            panic!("{text}\n{refusal}");
        }
    }
}

/// Kernels that make each analysis work hard are admitted or refused, soon.
#[test]
fn functions_of_constants_that_machines_evaluate_differently_are_refused_in_exact() {
    let words: &[&str] = &["constants", "write the value as a number"];
    check_refused(
        &RefusalReason::Unsupported,
        false,
        &[
            ("$# let x = sin(1.0); }", 3, 10, words),
            ("$# let x = max(0.0, -0.0); }", 3, 10, words),
            ("$const A = -0.0; const B = 0.0; # let x = min(A, B) * 2.0; }", 3, 10, words),
            ("$# let x = vec2f(max(vec2f(), vec2f(1.0))); }", 3, 16, words),
            ("$override A: f32 = 0.0; override B = max(A, -A); # let x = B; }", 2, 37, words),
        ],
    );
    for text in [
        "$# let x = max(0.0, -1.0) + min(0.5, 0.0); }",
        "$const A = 4u; # let x = max(A, 0u) * 2u; }",
        "$override A: f32 = 0.0; override B = max(A, 1.0); # let x = B; }",
        "$# let zero = f32(i); let x = max(zero, -zero); }",
    ] {
        assert!(admit(text, Admission::Exact).is_ok(), "{text}: {:?}", admit(text, Admission::Exact));
    }
}

#[test]
fn hostile_kernels_end_soon() {
    let lines = |n: u32, line: &dyn Fn(u32) -> String| (0..n).map(line).collect::<String>();
    let nested = |depth: usize, inside: &str| {
        format!("{}{inside}{}", "loop { x += par.x; if x > 9 { break; } ".repeat(depth), "}".repeat(depth))
    };
    let texts = [
        format!("$#var x = 1u; {} }}", nested(100, "workgroupBarrier();")),
        format!("$#var x = i; {} workgroupBarrier(); }}", nested(100, "x += 1;")),
        format!(
            "$#var x = i; {} workgroupBarrier(); }}",
            lines(1_500, &|n| format!("if par.x == {n} {{ x += {n}; return; }}\n"))
        ),
        format!(
            "$#{} workgroupBarrier(); }}",
            lines(1_000, &|n| format!("var x{n} = i; if par.x == {n} {{ x{n} = 1; return; }}\n"))
        ),
        format!(
            "$#{} }}",
            lines(2_000, &|n| format!("atomicAdd(&counts[{}], 1); atomicMax(&counts[{}], 1);\n", 2 * n, 2 * n + 1))
        ),
        format!(
            "$#loop {{ {} if par.x == 1 {{ break; }} }} }}",
            "atomicAdd(&tally, 1); workgroupBarrier(); atomicMax(&tally, 1); workgroupBarrier();\n".repeat(400)
        ),
        format!(
            "$#loop {{ {} if par.x == 1 {{ break; }} }} }}",
            lines(700, &|n| format!(
                "if par.y == {n} {{ workgroupBarrier(); }} atomicAdd(&bins[{}], 1); atomicOr(&bins[0], 1);\n",
                n % 64
            ))
        ),
    ];
    for text in texts {
        let start = std::time::Instant::now();
        let result = admit(&text, Admission::Exact);
        let took = start.elapsed();
        assert!(took < std::time::Duration::from_secs(60), "{took:?}: {}", text.chars().take(80).collect::<String>());
        if let Err(refusal) = result {
            assert!(!refusal.message.contains("internal error"), "{refusal}");
        }
    }
}
