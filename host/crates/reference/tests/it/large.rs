//! Kernels as large as may be: what is admitted compiles, and what would take a compiler minutes is refused.

use samebit_device::wgsl::{Admission, ParseError, RefusalReason, Source, lower, parse};

use crate::support::{Lab, device};

/// A kernel of so many of `line`s, in functions of 100.
fn kernel(line: impl Fn(usize) -> String, lines: usize) -> String {
    let mut text =
        String::from("@group(0) @binding(0) var<storage, read_write> b: array<u32>;\nvar<private> x: u32;\n");
    let mut calls = String::new();
    for first in (0..lines).step_by(100) {
        let body: String = (first..lines.min(first + 100)).map(&line).collect();
        text += &format!("fn f{first}() {{ {body} }}\n");
        calls += &format!("f{first}(); ");
    }
    text + &format!(
        "@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {{ x = b[i]; {calls} b[i] = x; }}"
    )
}

fn is_refused(text: &str) -> bool {
    let kernel = parse(&Source { text, entry_point: "main", constants: &[] }).expect("the text is valid");
    match lower(&kernel, text, Admission::Native) {
        Ok(_) => false,
        Err(ParseError::Refused(refusal)) => {
            assert_eq!(refusal.reason, RefusalReason::TooLarge, "{refusal}");
            true
        }
        Err(error) => panic!("{error}"),
    }
}

/// The most lines that are admitted, up to 8,000.
fn most(line: impl Fn(usize) -> String) -> usize {
    let (mut admitted, mut refused) = (1, 8_000);
    assert!(is_refused(&kernel(&line, refused)));
    while refused - admitted > 1 {
        let middle = admitted.midpoint(refused);
        if is_refused(&kernel(&line, middle)) { refused = middle } else { admitted = middle }
    }
    admitted
}

fn compiles(line: impl Fn(usize) -> String, at_least: usize) {
    let lines = most(&line);
    assert!(lines >= at_least, "{lines}");
    Lab::open(&device(), 1).kernel(&kernel(line, lines));
}

/// Each loop has a bound of its own that is kept from the beginning: what takes longest of all that is admitted.
#[test]
fn the_most_loops_that_are_admitted_compile() {
    compiles(|k| format!("for (var k = 0u; k < b[{k}]; k++) {{ x = x * 3u + k; }}\n"), 500);
}

#[test]
fn the_most_branches_that_are_admitted_compile() {
    compiles(|k| format!("if x > {k}u {{ x = x * 3u; }} else {{ x = x + 7u; }}\n"), 2_000);
}

#[test]
fn the_longest_line_that_is_admitted_compiles() {
    compiles(|k| format!("b[x + {k}u] = x; x += b[x * {k}u];\n"), 2_000);
}
