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
        ("examples/ranking/kernels/score.wgsl", &["main"]),
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

/// The body of a kernel's lowered form as text.
fn printed(main: &str) -> String {
    printed_text(&text(main))
}

/// The body of the lowered form of a whole text.
pub(crate) fn printed_text(text: &str) -> String {
    let printed = lowered(text).map(|lowered| lowered.to_string());
    printed.unwrap_or_else(|refusal| panic!("{refusal}")).split_once("body\n").map_or_else(String::new, |(_, body)| {
        body.lines().map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned() + "\n").collect()
    })
}

#[test]
fn a_lowered_kernel_reads_well() {
    let actual = printed(
        "fn main(@builtin(global_invocation_id) id: vec3u) {
             if id.x >= arrayLength(&out) { return; }
             var sum = vec2f(1, -0.0);
             for (var i = 0u; i < id.x; i++) { if out[i] == 3 { break; } sum += sum.yx * 2; }
             switch id.x { case 1, 2: { out[0] = 7; } default: { out[id.x] = bitcast<u32>(sum.x); } } }",
    );
    let expected = "\
%10 = global_id.x
$0 = 1.0
$1 = -0.0
scope '0
  %11 = LessUnsigned(%10, %4)
  if %11
  else
    leave '0
  loop '1
    %12 = $2
    %13 = LessUnsigned(%12, %10)
    if %13
    else
      leave '1
    %14 = clamp(%12, %6)
    %15: int = buffer0[%14*4]
    %16 = Equal(%15, 3)
    if %16
      leave '1
    %17 = $0
    %18 = $1
    %19 = FloatMultiply(%18, 2.0)
    %20 = FloatMultiply(%17, 2.0)
    %21 = FloatAdd(%17, %19)
    %22 = FloatAdd(%18, %20)
    $0 = %21
    $1 = %22
  continuing
    %23 = Add(%12, 1)
    $2 = %23
  switch '2 %10
  case 1, 2
    buffer0[0] = 7
  default
    %24 = $0
    %25 = Canonical(%24)
    %26 = BitsFromFloat(%25)
    buffer0[%10*4] = %26
";
    assert_eq!(actual, expected, "{actual}");
}

#[test]
fn what_stays_inside_is_not_clamped() {
    for inside in [
        "fn main(@builtin(global_invocation_id) id: vec3u) { if id.x < arrayLength(&out) { out[id.x] = 1; } }",
        "fn main(@builtin(global_invocation_id) id: vec3u) { if id.x >= arrayLength(&out) { return; } out[id.x] = 1; }",
        "var<workgroup> t: array<u32, 64>; fn main(@builtin(local_invocation_index) l: u32) { t[l] = 1; t[(l + 1) / 2] = l; }",
        "var<private> t: array<u32, 8>; fn main(@builtin(local_invocation_index) l: u32) { t[l & 7] = 1; out[0] = t[l % 8] + t[l >> 3]; }",
        "var<private> t: array<u32, 8>; fn main() { for (var i = 0; i < 8; i++) { t[i] += out[0]; } out[0] = t[out[0] & 7]; }",
        "var<private> t: array<u32, 8>; fn main() { for (var i = 0u; i <= 7; i += 3) { t[i] += out[0]; } out[0] = t[out[0] % 8]; }",
        "var<private> t: array<u32, 8>; fn main() { out[0] = t[clamp(i32(out[0]), 0, 7)] + t[min(out[0], 7)] + t[select(2, 7, out[0] == 1)]; }",
    ] {
        let body = printed(inside);
        assert!(!body.contains("clamp"), "{inside}\n{body}");
    }
    for outside in [
        "fn main(@builtin(global_invocation_id) id: vec3u) { if id.x <= arrayLength(&out) { out[id.x] = 1; } }",
        "fn main(@builtin(global_invocation_id) id: vec3u) { if id.x < arrayLength(&out) { } out[id.x] = 1; }",
        "fn f(i: u32) { if i >= 8 { return; } out[0] = i; } var<private> t: array<u32, 8>;
         fn main() { let i = out[0]; f(i); t[i] = 1; out[0] = t[3]; }",
        "var<private> t: array<u32, 8>; fn main() { for (var i = 0; i < 9; i++) { t[i] += out[0]; } out[0] = t[3]; }",
        "var<private> t: array<u32, 8>; fn main() { for (var i = -1; i < 8; i++) { t[i] += out[0]; } out[0] = t[3]; }",
        "var<private> t: array<u32, 8>; fn main() { for (var i = 0; i < 8; i++) { t[i] += out[0]; i -= 2; } out[0] = t[3]; }",
        "var<private> t: array<u32, 8>; fn main() { for (var i = 0; i < 8; i += 2147483647) { t[i & 15] += 1; } out[0] = t[3]; }",
        "var<private> t: array<u32, 8>; fn main() { loop { let i = out[1]; if i > 7 { continue; } t[i] = 1; out[0] = t[3];
         continuing { t[i] = 2; break if i == 3; } } }",
    ] {
        let body = printed(outside);
        assert!(body.contains("clamp"), "{outside}\n{body}");
    }
}

#[test]
fn what_a_continue_skips_is_not_used_by_continuing() {
    let with = |first: &str, second: &str| {
        let body = format!("{first} {second} continuing {{ out[2] = x; break if x > 7; }}");
        lowered(&text(&format!("fn main() {{ loop {{ {body} }} }}")))
    };
    assert!(with("let x = out[0];", "if out[1] == 3 { continue; }").is_ok());
    let refusal = with("if out[1] == 3 { continue; }", "let x = out[0];").expect_err("it is skipped");
    assert!(refusal.message.contains("`continue`"), "{refusal}");
}

#[test]
fn malformed_kernels_are_found_out() {
    let good = lowered(&text("fn main() { for (var i = 0u; i < out[1]; i++) { out[i] = bitcast<u32>(f32(i)); } }"))
        .expect("the kernel is fine");
    let breaks: [fn(&mut Lowered); 4] = [
        |kernel| kernel.body.extend(kernel.body.clone()),
        |kernel| kernel.preamble.clear(),
        |kernel| kernel.variables.clear(),
        |kernel| kernel.values.iter_mut().for_each(|ty| *ty = samebit_wgsl::lowered::Type::Bool),
    ];
    for (number, spoil) in breaks.into_iter().enumerate() {
        let mut bad = good.clone();
        spoil(&mut bad);
        assert!(bad.verify().is_err(), "{number}: {bad}");
    }
}
