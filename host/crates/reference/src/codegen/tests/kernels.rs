//! Kernels that each try one thing.

use super::check;

fn buffer(words: u32) -> Vec<u32> {
    (0..words).map(|word| word.wrapping_mul(2_654_435_761) >> 7).collect()
}

/// Writes `expression` of `i`, the global index, and `x`, a word, for several workgroup sizes.
fn check_expression(expression: &str) {
    for size in ["64", "5", "8, 8", "3, 2, 2", "2, 8", "1"] {
        let text = format!(
            "@group(0) @binding(0) var<storage> a: array<u32>;
             @group(0) @binding(1) var<storage, read_write> b: array<u32>;
             @compute @workgroup_size({size}) fn main(
                 @builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) l: vec3u,
                 @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) li: u32,
                 @builtin(workgroup_id) g: vec3u,
             ) {{
                 let i = li + (g.x + n.x * g.y) * {};
                 let x = a[i % 97u];
                 b[i] = {expression};
             }}",
            size.split(", ").map(|n| n.parse::<u32>().expect("a number")).product::<u32>()
        );
        check(&text, &[buffer(97), vec![0; 500]], [3, 2, 1]);
    }
}

#[test]
fn builtins() {
    check_expression("id.x + 1000u * id.y + 100000u * id.z");
    check_expression("l.x + 1000u * l.y + 100000u * l.z");
    check_expression("li + 100u * g.x + 1000u * g.y + 10000u * n.x");
}

#[test]
fn integers() {
    for op in ["/", "%", "*", "-", "^"] {
        check_expression(&format!("x {op} (i % 7u)"));
        check_expression(&format!("bitcast<u32>(bitcast<i32>(x * 77777777u) {op} (bitcast<i32>(i % 7u) - 3))"));
        check_expression(&format!("x {op} 8u + x {op} 7u"));
    }
    for f in ["countOneBits", "countLeadingZeros", "countTrailingZeros", "reverseBits", "firstLeadingBit"] {
        check_expression(&format!("{f}(x) + {f}(i * 0u) * 64u + {f}(g.x)"));
    }
    check_expression("(x << (i % 40u)) ^ (x >> (i % 37u)) ^ (x << g.x)");
    check_expression("bitcast<u32>(bitcast<i32>(x * 99999u) >> (i % 37u)) + bitcast<u32>(min(-3, bitcast<i32>(x)))");
    check_expression("select(x, i, x > 100000u || i < 7u) + select(0u, 1u, !(g.x == 1u))");
}

#[test]
fn floats() {
    const F: &str = "bitcast<f32>(x * 31337u)";
    const H: &str = "bitcast<f32>(x * 91337u)";
    for f in ["floor", "ceil", "trunc", "round", "sqrt", "abs", "exp", "sin", "log", "tanh", "fract", "sign"] {
        check_expression(&format!("bitcast<u32>({f}(bitcast<f32>(x * 31337u)))"));
        check_expression(&format!("bitcast<u32>({f}(f32(x) * 0.001) + {f}(f32(g.x)))"));
    }
    check_expression("u32(bitcast<f32>(x * 31337u)) ^ bitcast<u32>(i32(bitcast<f32>(x * 31337u)))");
    check_expression("bitcast<u32>(min(bitcast<f32>(x * 31337u), bitcast<f32>(x * 91337u)))");
    check_expression("bitcast<u32>(max(bitcast<f32>(x * 31337u), f32(g.x)) + pow(f32(x), 0.37))");
    for (x, y) in [(F, H), (F, "0.0"), ("-0.0", H), (H, "1.5")] {
        for (a, b) in [(x, y), (y, x)] {
            for condition in ["<", "<=", ">"] {
                check_expression(&format!("bitcast<u32>(select({a}, {b}, {x} {condition} {y}) + 0.5)"));
            }
        }
    }
    check_expression("bitcast<u32>(fma(f32(x), 1.1, f32(i)) + fma(f32(g.x), 0.3, f32(n.x)))");
}

#[test]
fn indices_of_every_shape() {
    for index in ["i", "96u - i", "i * 2u", "i * 3u + 1u", "x", "g.x", "i + 90u", "(i + 4294967290u)", "i ^ 1u"] {
        check_expression(&format!("a[{index}]"));
    }
    // Side by side in some gangs.
    for index in ["(i & 15u)", "(i + 3u) % 31u", "min(i, 50u) + 2u", "u32(clamp(i32(i) - 9, 0, 70))"] {
        check_expression(&format!("a[{index}]"));
    }
    for ty in ["vec2u", "vec3u", "vec4u"] {
        for index in ["id.x", "id.x * 2u", "id.x ^ 5u", "id.y", "(id.x + 70u)", "(id.x + 2u) % 16u"] {
            let text = format!(
                "@group(0) @binding(0) var<storage> a: array<{ty}>;
                 @group(0) @binding(1) var<storage, read_write> b: array<{ty}>;
                 @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {{
                     b[id.x] = a[{index}] + 1u;
                     if (id.x % 3u == 1u) {{ b[id.x + 40u] = a[{index}].yxx.xy.x + {ty}(id.x); }}
                 }}"
            );
            check(&text, &[buffer(64 * 4), vec![0; 90 * 4]], [3, 1, 1]);
        }
    }
}

#[test]
fn divergence() {
    for body in [
        "if (x % 2u == 0u) { r = 1u; } else { r = x; }",
        "if (x % 2u == 0u) { if (x % 3u == 0u) { return; } r += 2u; } r += 1u;",
        "for (var k = 0u; k < x % 17u; k++) { if (k == 5u) { continue; } if (k == 11u) { break; } r += k * x; }",
        "for (var k = 0u; k < 9u; k++) { for (var m = 0u; m < k; m++) { if ((m + x) % 5u == 0u) { break; } r += m; } }",
        "var k = 0u; loop { if (k > x % 9u) { break; } k++; continuing { r += k; break if (r > 20u); } }",
        "switch (x % 5u) { case 0u: { r = 3u; } case 1u, 2u: { if (i % 2u == 0u) { break; } r = 9u; } default { r = i; } }",
        "switch (g.x) { case 0u: { r = 3u; } case 1u: { if (i % 2u == 0u) { break; } r = 9u; } default { r = i; } }",
        "for (var k = 0u; k < 7u; k++) { switch ((x + k) % 3u) { case 0u: { continue; } case 1u: { r += 1u; } default { if (k > 4u) { return; } } } r += k; }",
        "var t = array<u32, 9>(); for (var k = 0u; k < 9u; k++) { t[k] = x + k; } t[x % 9u] = 5u; for (var k = 0u; k < x % 9u; k++) { r += t[k] * t[(k * x) % 9u]; }",
        "var s = 0u; for (var k = 0u; k < 5u; k++) { if (x % (k + 2u) == 0u) { s = k; } r += s; } r = r * 100u + s;",
        "var k = 0u; while (k < 20u) { if ((x >> k) % 2u == 1u) { break; } k++; } r = k;",
        "if (i < 5u) { var k = 0u; while (k < 20u) { r += k; k++; } } else { r = 9u; }",
    ] {
        for size in ["64", "6", "4, 3", "2, 2"] {
            let text = format!(
                "@group(0) @binding(0) var<storage> a: array<u32>;
                 @group(0) @binding(1) var<storage, read_write> b: array<u32>;
                 @compute @workgroup_size({size}) fn main(
                     @builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) g: vec3u,
                 ) {{
                     let i = id.x + id.y * 128u;
                     let x = a[i % 97u];
                     var r = 0u;
                     b[i] = 77u;
                     {body}
                     b[i] = r;
                 }}"
            );
            check(&text, &[buffer(97), vec![0; 2000]], [2, 3, 1]);
        }
    }
}

#[test]
fn atomics() {
    for op in ["Add", "Sub", "Max", "Min", "And", "Or", "Xor"] {
        for ty in ["i32", "u32"] {
            let text = format!(
                "@group(0) @binding(0) var<storage> a: array<u32>;
                 @group(0) @binding(1) var<storage, read_write> b: array<atomic<{ty}>>;
                 var<workgroup> w: array<atomic<{ty}>, 4>;
                 @compute @workgroup_size(6) fn main(
                     @builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) li: u32,
                 ) {{
                     let x = bitcast<{ty}>(a[id.x] * 7777777u);
                     atomic{op}(&b[0], x);
                     atomic{op}(&b[id.x % 3u + 1u], x);
                     if (id.x % 5u < 2u) {{ atomic{op}(&b[4], x); atomic{op}(&b[5u + id.x % 2u], 3); }}
                     atomic{op}(&w[li % 2u], x);
                     atomic{op}(&w[3], x);
                     workgroupBarrier();
                     if (li < 4u) {{ atomicAdd(&b[7u + li], atomicLoad(&w[li])); }}
                 }}"
            );
            check(&text, &[buffer(64), buffer(12)], [4, 1, 1]);
        }
    }
}

#[test]
fn barriers() {
    for body in [
        "w[li] = x; workgroupBarrier(); r = w[(li + 1u) % N];",
        "for (var s = 1u; s < N; s *= 2u) { w[li] = r + x; workgroupBarrier(); r += w[(li + s) % N]; workgroupBarrier(); }",
        "var acc = 0u; for (var t = 0u; t < 4u; t++) { w[li] = x + t; workgroupBarrier();
           for (var k = 0u; k < N; k++) { if (w[k] % 3u == 0u) { continue; } acc += w[k] * li; } workgroupBarrier(); } r = acc;",
        "if (g.x == 1u) { w[li] = x; workgroupBarrier(); r = w[N - 1u - li]; if (r % 2u == 0u) { return; } r += 1u; } else { r = 4u; }",
        "let u = workgroupUniformLoad(&c); if (u == 0u) { c = 5u; } w[li] = u; workgroupBarrier(); r = c + w[0];",
        "switch (g.x) { case 0u: { w[li] = x; workgroupBarrier(); r = w[0]; } case 1u: { r = 6u; } default { workgroupBarrier(); if (li == 2u) { break; } r = x; } }",
        "var t = array<u32, 5>(); t[li % 5u] = x; w[li] = 1u; workgroupBarrier(); t[2] += w[(li + 1u) % N]; workgroupBarrier(); r = t[x % 5u] + t[2];",
        "let q = x % 3u == 0u; let f = f32(x) * 0.5; w[li] = x; workgroupBarrier(); if (q) { r = w[0] + u32(f); } workgroupBarrier();",
        "var k = 0u; loop { if (k >= 3u) { break; } w[li] = k * x; workgroupBarrier(); r ^= w[(li * 3u) % N]; workgroupBarrier(); k++; continuing { break if (k > 10u); } }",
    ] {
        for size in [64, 8, 6, 5, 4, 1] {
            let text = format!(
                "@group(0) @binding(0) var<storage> a: array<u32>;
                 @group(0) @binding(1) var<storage, read_write> b: array<u32>;
                 const N = {size}u;
                 var<workgroup> w: array<u32, N>;
                 var<workgroup> c: u32;
                 @compute @workgroup_size({size}) fn main(
                     @builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) g: vec3u,
                     @builtin(local_invocation_index) li: u32,
                 ) {{
                     let x = a[id.x % 97u];
                     var r = 0u;
                     {body}
                     b[id.x] = r;
                 }}"
            );
            check(&text, &[buffer(97), vec![0; 300]], [3, 1, 1]);
        }
    }
}
