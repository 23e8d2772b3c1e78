//! Any text, from parsing to an outcome: nothing panics, hangs or takes much memory.
//!
//! Seeds are the kernels of the repository; their entry points are called `main`, or whatever follows the first `fn`.
#![no_main]

use samebit_fuzz::{generate, interpret, lowered};
use samebit_wgsl::Admission;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let entry_point = text
        .find("@compute")
        .and_then(|at| text[at..].find("fn ").map(|fun| &text[at + fun + 3..]))
        .and_then(|rest| rest.split('(').next())
        .map_or("main", str::trim);
    let native = lowered(text, entry_point, Admission::Native);
    let exact = lowered(text, entry_point, Admission::Exact);
    // What exact admits, native does, and means the same by it.
    if let Some(exact) = &exact {
        assert!(native.is_some(), "{text}");
        assert_eq!(native.as_ref().map(ToString::to_string), Some(exact.to_string()));
    }
    if let Some(kernel) = native {
        interpret(&kernel);
        generate(&kernel);
    }
});
