//! Kernels in, their lowered form out: well-formed for all, and as expected for some.

use crate::good::{BODIES, TEXTS, text};
use samebit_wgsl::lowered::Lowered;
use samebit_wgsl::{Admission, ParseError, Refusal, Source, lower, parse};

/// Lowers the kernel `entry_point`, and checks the form of what comes out.
fn lowered_entry(text: &str, entry_point: &str, constants: &[(String, f64)]) -> Result<Lowered, Refusal> {
    let refused = |error| match error {
        ParseError::Refused(refusal) => refusal,
        error => panic!("{error}"),
    };
    let kernel = parse(&Source { text, entry_point, constants }).map_err(refused)?;
    let lowered = lower(&kernel, text, Admission::Native).map_err(refused)?;
    if let Err(malformed) = lowered.verify() {
        panic!("{malformed}\n{text}\n{lowered}");
    }
    Ok(lowered)
}

/// Lowers the kernel `main`.
pub(crate) fn lowered(text: &str) -> Result<Lowered, Refusal> {
    lowered_entry(text, "main", &[])
}

#[test]
fn ordinary_kernels_are_lowered_well() {
    for text in BODIES.map(text).into_iter().chain(TEXTS.map(|(text, _)| text.to_owned())) {
        if let Err(refusal) = lowered(&text) {
            panic!("{refusal}\n{text}");
        }
    }
}

#[test]
fn shipped_kernels_are_lowered_well() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    for (file, entries) in [
        ("plugins/mandelbrot/kernels/mandelbrot.wgsl", &["draw"][..]),
        ("plugins/gemm/kernels/gemm.wgsl", &["gemm"]),
        ("plugins/image-filter/kernels/blur.wgsl", &["along_rows", "along_columns"]),
        ("plugins/image-filter/kernels/edges.wgsl", &["edges"]),
        ("plugins/image-filter/kernels/sharpen.wgsl", &["sharpen"]),
        ("examples/hello-job/kernels/double.wgsl", &["main"]),
        ("guest-sdk/tests/kernels/add.wgsl", &["add", "scale"]),
    ] {
        let text = std::fs::read_to_string(root.join(file)).expect("the kernel is there");
        for entry in entries {
            let constants: Vec<_> = [("AMOUNT", "sharpen"), ("FACTOR", "scale")]
                .into_iter()
                .filter(|(_, of)| of == entry)
                .map(|(name, _)| (name.to_owned(), 0.5))
                .collect();
            if let Err(refusal) = lowered_entry(&text, entry, &constants) {
                panic!("{file}: {refusal}");
            }
        }
    }
}

/// The largest id along an axis is the workgroups' number times their size, less one.
#[test]
fn global_ids_are_clamped_where_they_can_be_outside() {
    for (size, length, is_clamped) in
        [(2, 100_000, true), (2, 131_069, true), (2, 131_070, false), (64, 4_150_000, true)]
    {
        let text = format!(
            "@group(0) @binding(0) var<storage, read_write> out: array<u32, {length}>;
             @compute @workgroup_size({size}) fn main(@builtin(global_invocation_id) id: vec3u) {{ out[id.x] = 1u; }}"
        );
        let lowered = lowered(&text).unwrap_or_else(|refusal| panic!("{refusal}"));
        let found = format!("{:?}", lowered.body).contains("Clamp");
        assert_eq!(found, is_clamped, "{length} elements, workgroups of {size}");
    }
}
