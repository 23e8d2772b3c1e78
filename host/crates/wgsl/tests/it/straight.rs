//! Branches that only choose between values are straight code; those that do more stay.

use crate::lower::printed_text;

/// What is written for this, once four numbers, `a` to `d`, were loaded as `%0` to `%3`.
fn printed(rest: &str) -> String {
    let body = printed_text(&format!(
        "@group(0) @binding(0) var<storage, read_write> out: array<u32, 64>; var<private> t: array<u32, 8>;
         @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) l: u32) {{
             let a = out[0]; let b = out[1]; let c = out[2]; let d = out[3]; {rest} }}"
    ));
    let lines = body.lines().skip_while(|line| line.contains("= buffer0"));
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// Holds what is written to what is expected.
fn check(cases: &[(&str, &str)]) {
    for (rest, expected) in cases {
        let actual = printed(rest);
        assert_eq!(actual, *expected, "{rest}\n{actual}");
    }
}

#[test]
fn conditions_of_several_parts_are_straight() {
    check(&[
        (
            "out[4] = u32(a < b && c < d);",
            "\
%4 = LessUnsigned(%0, %1)
%5 = LessUnsigned(%2, %3)
%6 = BoolAnd(%4, %5)
%7 = IntFromBool(%6)
buffer0[16] = %7
",
        ),
        (
            "out[4] = u32(!(a < b) || c < d);",
            "\
%4 = LessUnsigned(%0, %1)
%5 = Not(%4)
%6 = LessUnsigned(%2, %3)
%7 = BoolOr(%5, %6)
%8 = IntFromBool(%7)
buffer0[16] = %8
",
        ),
        (
            "if a < b && (c < d || a < d) && b < c || a == c { out[4] = 1; }",
            "\
%5 = LessUnsigned(%1, %2)
%6 = LessUnsigned(%3, %4)
%7 = LessUnsigned(%1, %4)
%8 = BoolOr(%6, %7)
%9 = BoolAnd(%5, %8)
%10 = LessUnsigned(%2, %3)
%11 = BoolAnd(%9, %10)
%12 = Equal(%1, %3)
%13 = BoolOr(%11, %12)
if %13
  buffer0[16] = 1
",
        ),
        (
            "while a < out[4] && b < d { out[5] += 1; }",
            "\
loop '0
  %4: int = buffer0[16]
  %5 = LessUnsigned(%1, %4)
  %6 = LessUnsigned(%2, %3)
  %7 = BoolAnd(%5, %6)
  if %7
  else
    leave '0
  %8: int = buffer0[20]
  %9 = Add(%8, 1)
  buffer0[20] = %9
",
        ),
    ]);
}

#[test]
fn choices_are_straight() {
    check(&[
        (
            "var x = 0u; if a < b { x = c; } else { x = d; } out[4] = x;",
            "\
%4 = LessUnsigned(%0, %1)
%5 = %4 ? %2 : %3
buffer0[16] = %5
",
        ),
        (
            "var x = c; if a < b { x += d; } out[4] = x;",
            "\
%4 = LessUnsigned(%0, %1)
%5 = Add(%2, %3)
%6 = %4 ? %5 : %2
buffer0[16] = %6
",
        ),
        (
            "var x = c; if a >= b { x = d; } out[4] = x;",
            "\
%4 = LessUnsigned(%0, %1)
%5 = %4 ? %2 : %3
buffer0[16] = %5
",
        ),
        (
            "var x = c; var y = d; if a < b { let t = x; x = y; y = t; } out[4] = x; out[5] = y;",
            "\
%4 = LessUnsigned(%0, %1)
%5 = %4 ? %3 : %2
%6 = %4 ? %2 : %3
buffer0[16] = %5
buffer0[20] = %6
",
        ),
        (
            "var x = a < b; if c < d { x = !x; } out[4] = u32(x);",
            "\
%4 = LessUnsigned(%0, %1)
%5 = LessUnsigned(%2, %3)
%6 = Not(%4)
%7 = %5 ? %6 : %4
%8 = IntFromBool(%7)
buffer0[16] = %8
",
        ),
        (
            "var x = 0u; if a < b { if c < d { x = 1; } else { x = a; } } out[4] = x;",
            "\
%6 = LessUnsigned(%2, %3)
%7 = LessUnsigned(%4, %5)
%8 = %7 ? 1 : %2
%9 = %6 ? %8 : 0
buffer0[16] = %9
",
        ),
    ]);
}

#[test]
fn choices_in_loops_are_straight() {
    check(&[
        (
            "var x = 0u; for (var i = 0u; i < a; i++) { if i == b { x = c; } } out[4] = x;",
            "\
loop '0
  %4 = $1
  %5 = LessUnsigned(%4, %1)
  if %5
  else
    leave '0
  %6 = Equal(%4, %2)
  %7 = $0
  %8 = %6 ? %3 : %7
  $0 = %8
continuing
  %9 = Add(%4, 1)
  $1 = %9
%10 = $0
buffer0[16] = %10
",
        ),
        (
            "var x = a; var y = b; while x < c { let z = x; x = y; if x == d { x = z; } else { y = 7; } }  out[4] = x;",
            "\
$0 = %1
$1 = %2
loop '0
  %5 = $0
  %6 = LessUnsigned(%5, %3)
  if %6
  else
    leave '0
  %7 = $1
  %8 = Equal(%7, %4)
  %9 = %8 ? %5 : %7
  %10 = %8 ? %7 : 7
  $0 = %9
  $1 = %10
%11 = $0
buffer0[16] = %11
",
        ),
    ]);
}

#[test]
fn branches_that_do_more_stay() {
    for rest in [
        "if a < b { out[4] = 1; }",
        "if a < b && out[4] == c { out[5] = 1; }",
        "var x = 0u; if a < 64 { x = out[a]; } out[4] = x;",
        "var x = 0u; if a < 9 { x = t[a]; } out[4] = x; t[b & 7] = c;",
        "var x = 0u; if a < b { x = vec4u(7, a, b, 9)[c]; } out[4] = x;",
        "var x = 0u; if a < b { for (var i = 0u; i < c; i++) { x += d; } } out[4] = x;",
        "var x = 0u; if a < b { x = c / d; } out[4] = x;",
        "var x = 0f; if a < b { x = sqrt(f32(d)); } out[4] = u32(x);",
        "var x = 0f; if a < b { x = sin(f32(d)); } out[4] = u32(x);",
        "var x = vec3u(); if a < b { x = vec3u(c, d, l); } out[4] = x.x; out[5] = x.y; out[6] = x.z;",
        "var x = a; if a < b { x = x * x; x = x * x + 1; x = x * x + 1; x = x * x + 1; x = x * x + 1; } out[4] = x;",
        "if a < b { return; } out[4] = 1;",
    ] {
        let actual = printed(rest);
        assert!(actual.contains("\nif ") || actual.contains("\n  if "), "{rest}\n{actual}");
    }
}

/// What holds behind a condition only does not hold for what was taken from behind it.
#[test]
fn what_a_condition_says_is_not_known_without_it() {
    for rest in [
        "var x = 0u; if a < 7 { x = a + 1; } out[4] = x; t[a + 1] = b; out[5] = t[c & 7];",
        "var x = 0u; if a < 7 { x = a + 1; } t[x] = b; t[a + 1] = b; out[5] = t[c & 7];",
        "var x = false; if a < 8 { x = b == c; } if !x { t[a] = b; out[5] = t[c & 7]; }",
    ] {
        let actual = printed(rest);
        assert!(actual.contains("clamp"), "{rest}\n{actual}");
        assert!(!actual.contains("if ") || rest.contains("!x"), "{rest}\n{actual}");
    }
    let inside = "if a < 8 && b < c { t[a] = b; out[5] = t[c & 7]; }";
    let actual = printed(inside);
    assert!(!actual.contains("clamp"), "{inside}\n{actual}");
}
