//! Ordinary kernels, and what is reflected of them.

use crate::parse;
use samebit_wgsl::{BindingKind, Interface};

/// The text of a kernel that has `out` to write to.
pub(crate) fn text(body: &str) -> String {
    let body = body.replace("fn main", "@compute @workgroup_size(64) fn main");
    format!("@group(0) @binding(0) var<storage, read_write> out: array<u32>;\n{body}")
}

/// An interface in short: `group.binding:kind:size`, workgroup size, workgroup memory.
fn short(interface: &Interface) -> String {
    let bindings = interface.bindings.iter().map(|decl| {
        let kind = match decl.kind {
            BindingKind::Uniform => "uniform",
            BindingKind::Storage { writable: false } => "read",
            BindingKind::Storage { writable: true } => "write",
        };
        format!("{}.{}:{kind}:{} ", decl.group, decl.binding, decl.size_min_bytes)
    });
    let [x, y, z] = interface.workgroup_size;
    format!("{}{x}x{y}x{z} {}", bindings.collect::<String>(), interface.workgroup_memory_bytes)
}

/// Kernels for [`text`], all of which bind just `out`.
pub(crate) const BODIES: [&str; 24] = [
    "fn main() { out[0] = 1; }",
    "fn main(@builtin(global_invocation_id) id: vec3u) { out[id.x] = id.x; }",
    "fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) g: vec3u) { out[i] = g.x; }",
    "fn main(@builtin(num_workgroups) n: vec3u, @builtin(local_invocation_id) l: vec3u) { out[l.x] = n.x; }",
    "fn main() { for (var i = 0u; i < arrayLength(&out); i++) { out[i] += i; } }",
    "fn main() { var i = 0; while i < 4 { i += 1; if i == 3 { continue; } else { break; } } out[0] = u32(i); }",
    "fn main() { loop { out[0] += 1; continuing { break if out[0] > 9; } } }",
    "fn main() { switch out[0] { case 1, 2: { out[1] = 3; } case 4: { } default: { return; } } }",
    "fn f(a: f32, b: f32) -> f32 { return fma(a, b, sqrt(a)); } fn main() { out[0] = bitcast<u32>(f(1.5, 2.5)); }",
    "fn f(p: ptr<function, u32>) { *p = 3; } fn main() { var x = 1u; f(&x); out[0] = x; }",
    "struct S { a: u32, b: vec3f } fn main() { var s = S(1, vec3f(2)); s.b.x = 3; out[0] = s.a + u32(s.b.x); }",
    "const T = array(1u, 2u, 3u); fn main() { var t = T; out[0] = t[out[1]]; }",
    "alias V = vec4<f32>; fn main() { let v = V(1) * 2; out[0] = u32(dot(v, v.wzyx)); }",
    "fn main() { let m = mat3x3f(1, 0, 0, 0, 1, 0, 0, 0, 1); out[0] = u32((m * vec3f(f32(out[0]))).x); }",
    "fn main() { out[0] = pack2x16float(vec2f(1)); out[1] = pack4x8unorm(vec4f(1)); }",
    "fn main() { out[0] = select(1u, 2u, any(vec2(true, false)) && out[1] > 3); }",
    "fn main() { out[0] = countOneBits(out[1]) << 3 | firstLeadingBit(out[2]) ^ ~out[3]; }",
    "var<private> p: array<u32, 16>; fn main() { p[out[0]] = 1; out[0] = p[out[1]]; }",
    "fn main() { var a: array<array<u32, 4>, 4>; a[1][2] = 3; out[0] = a[out[0]][out[1]]; }",
    "fn main() { let x = f32(out[0]); out[0] = u32(exp(x) + log(x) + pow(x, 2) + sin(x) + floor(x)); }",
    "fn main() { storageBarrier(); workgroupBarrier(); out[0] = 1; }\nfn unused() { out[0] = 1; }",
    "fn main() { const a = 1 << 3; const_assert a == 8; let b: i32 = -a; out[0] = u32(abs(b)); }",
    "fn main() { _ = out[0]; { var out = 1; out = 2; } }",
    "fn g() -> u32 { return h(); } fn h() -> u32 { return 4; } fn main() { out[0] = g(); }",
];

/// Whole texts with what is reflected of them.
pub(crate) const TEXTS: [(&str, &str); 12] = [
    ("@compute @workgroup_size(8, 4, 2) fn main() {}", "8x4x2 0"),
    ("@compute @workgroup_size(256) fn main() {}", "256x1x1 0"),
    ("@compute @workgroup_size(4, 1, 64) fn main() {}", "4x1x64 0"),
    (
        "@group(1) @binding(7) var<uniform> u: vec3f; @group(0) @binding(9) var<storage> s: array<vec3f>;
         @group(0) @binding(2) var<storage, read_write> w: array<f32, 4>; @group(3) @binding(999) var<uniform> no: f32;
         @compute @workgroup_size(1) fn main() { w[0] = u.x + s[0].x; }",
        "0.2:write:16 0.9:read:16 1.7:uniform:12 1x1x1 0",
    ),
    (
        "struct P { n: u32, scale: f32, at: vec2f } struct D { count: u32, items: array<vec4f> }
         @group(0) @binding(0) var<uniform> p: P; @group(0) @binding(1) var<storage, read_write> d: D;
         @compute @workgroup_size(1) fn main() { d.items[p.n] = vec4f(p.at, p.scale, 1); }",
        "0.0:uniform:16 0.1:write:32 1x1x1 0",
    ),
    (
        "@group(0) @binding(0) var<storage, read_write> a: atomic<u32>;
         @group(0) @binding(1) var<storage, read_write> b: array<atomic<i32>>;
         @compute @workgroup_size(1) fn main() { atomicAdd(&a, 1); atomicMax(&b[1], -4);
             let r = atomicCompareExchangeWeak(&a, 1, 2); if r.exchanged { atomicStore(&b[0], 1); } }",
        "0.0:write:4 0.1:write:4 1x1x1 0",
    ),
    (
        "var<workgroup> a: array<f32, 100>; var<workgroup> b: u32; var<workgroup> no: array<u32, 9000>;
         @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
             a[i] = 1; workgroupBarrier(); b = u32(a[63 - i]); let c = workgroupUniformLoad(&b); }",
        "64x1x1 416",
    ),
    (
        "var<workgroup> t: array<u32, 4096>; @compute @workgroup_size(1) fn main() { t[0] = 1; }",
        "1x1x1 16384",
    ),
    (
        "@group(0) @binding(0) var<storage> deep: array<u32>; fn f() -> u32 { return deep[0]; } fn g() -> u32 { return f(); }
         @compute @workgroup_size(1) fn main() { let x = g(); } @compute @workgroup_size(2) fn other() { }",
        "0.0:read:4 1x1x1 0",
    ),
    (
        "@group(0) @binding(0) var t: texture_2d<f32>; @vertex fn v() -> @builtin(position) vec4f { return vec4f(); }
         @fragment fn f() -> @location(0) vec4f { return textureLoad(t, vec2i(), 0); }
         @compute @workgroup_size(1) fn main() {}",
        "1x1x1 0",
    ),
    (
        "@group(0) @binding(0) var<storage, read_write> big: array<f32, 33554432>;
         @compute @workgroup_size(1) fn main() { big[5] = 1; }",
        "0.0:write:134217728 1x1x1 0",
    ),
    (
        "@group(0) @binding(0) var<storage, read_write> out: array<u32>; @group(0) @binding(1) var<storage> phony: array<u32>;
         @compute @workgroup_size(1) fn main() { _ = &phony; out[0] = 1; }",
        "0.0:write:4 0.1:read:4 1x1x1 0",
    ),
];

#[test]
fn ordinary_kernels_are_accepted() {
    for body in BODIES {
        match parse(&text(body), &[]) {
            Ok(kernel) => {
                assert_eq!(short(kernel.interface()), "0.0:write:4 64x1x1 0", "{body}");
                assert_eq!(kernel.entry_point(), "main");
                assert_eq!(kernel.module().entry_points.len(), 1);
            }
            Err(refusal) => panic!("{refusal}"),
        }
    }
}

#[test]
fn interfaces_are_reflected() {
    for (text, expected) in TEXTS {
        match parse(text, &[]) {
            Ok(kernel) => assert_eq!(short(kernel.interface()), expected, "{text}"),
            Err(refusal) => panic!("{refusal}"),
        }
    }
}

#[test]
fn override_constants_are_resolved() {
    let text =
        "@id(3) override width: u32 = 8; override height: u32; override half = width / 2; override on: bool = false;
         override unused: f32; var<workgroup> tile: array<f32, half>;
         @compute @workgroup_size(width, height) fn main() { if on { tile[0] = 1; } else { tile[1] = 2; } }";
    let shape = |constants: &[(&str, f64)]| parse(text, constants).map(|kernel| short(kernel.interface()));
    assert_eq!(shape(&[("height", 2.0)]), Ok("8x2x1 16".to_owned()));
    assert_eq!(shape(&[("height", 2.0), ("3", 32.0), ("on", 1.0)]), Ok("32x2x1 64".to_owned()));
    assert_eq!(shape(&[("height", 2.0), ("width", 32.0), ("unused", 0.5)]), Ok("32x2x1 64".to_owned()));
    let kernel = parse(text, &[("height", 2.0)]).expect("the kernel is valid");
    let left = kernel.module().global_expressions.iter().filter(|(_, e)| matches!(e, naga::Expression::Override(_)));
    assert_eq!(left.count(), 0);
}
