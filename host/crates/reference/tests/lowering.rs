//! What WGSL means, by examples: kernels are lowered and interpreted, and what they write is compared with what the
//! specification says. Expressions run twice: on operands that are known while lowering, and on operands that are not.

use samebit_reference::interp::{self, Ended, Options, Order};
use samebit_wgsl::{Admission, Source, lower, parse};

/// Runs a kernel whose first binding is `a`, 0 to 63, and whose second is `out`; gives back `out`.
fn run(text: &str) -> Vec<u32> {
    let kernel = match parse(&Source { text, entry_point: "main", constants: &[] }) {
        Ok(kernel) => kernel,
        Err(error) => panic!("{error}\n{text}"),
    };
    let lowered = match lower(&kernel, text, Admission::Native) {
        Ok(lowered) => lowered,
        Err(error) => panic!("{error}\n{text}"),
    };
    if let Err(malformed) = lowered.verify() {
        panic!("{malformed}\n{text}\n{lowered}");
    }
    let a: Vec<u8> = (0..64_u32).flat_map(u32::to_le_bytes).collect();
    let orders = [Order::InOrder, Order::Reversed].map(|order| {
        // A kernel that does not use `a` does not bind it.
        let bindings = lowered.interface.bindings.iter();
        let mut buffers: Vec<Vec<u8>> =
            bindings.map(|decl| if decl.binding == 0 { a.clone() } else { vec![0; 256] }).collect();
        let options = Options { order, ..Options::default() };
        let ended = interp::run(&lowered, &mut buffers, [2, 1, 1], &options);
        assert!(matches!(ended, Ok(Ended::Done)), "{ended:?}\n{text}\n{lowered}");
        let out = buffers.pop().expect("every kernel binds `out`");
        out.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().expect("four"))).collect::<Vec<_>>()
    });
    assert_eq!(orders[0], orders[1], "{text}\n{lowered}");
    let [out, _] = orders;
    out
}

const BINDINGS: &str = "@group(0) @binding(0) var<storage> a: array<u32, 64>;
    @group(0) @binding(1) var<storage, read_write> out: array<u32>;
    fn bits(x: u32) -> u32 { return x; }\n";

/// Functions through which nothing is known any more.
const OPAQUE: &str = "fn U(x: u32) -> u32 { return x | a[0]; } fn I(x: i32) -> i32 { return x | i32(a[0]); }
    fn F(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | a[0]); } fn B(x: bool) -> bool { return x && a[1] == 1; }\n";

/// Functions through which everything is.
const CLEAR: &str = "fn U(x: u32) -> u32 { return x; } fn I(x: i32) -> i32 { return x; }
    fn F(x: f32) -> f32 { return x; } fn B(x: bool) -> bool { return x; }\n";

/// Demands that each expression, of type `u32`, has this value.
fn check_expressions(table: &[(&str, u32)]) {
    let mut wrong = String::new();
    for (expression, expected) in table {
        for helpers in [OPAQUE, CLEAR] {
            let main = format!("@compute @workgroup_size(1) fn main() {{ out[0] = {expression}; }}");
            let actual = run(&format!("{BINDINGS}{helpers}{main}"))[0];
            if actual != *expected {
                let float = f32::from_bits(actual);
                wrong.push_str(&format!("{expression}: {actual} ({actual:#x}, {float:?}), not {expected}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Demands that each expression, of type `i32`, has this value.
fn check_signed(table: &[(&str, i32)]) {
    let table: Vec<(String, u32)> =
        table.iter().map(|(text, value)| (format!("bitcast<u32>({text})"), value.cast_unsigned())).collect();
    check_expressions(&table.iter().map(|(text, value)| (text.as_str(), *value)).collect::<Vec<_>>());
}

/// Demands that each expression, of type `f32`, has this value, to the bit.
fn check_floats(table: &[(&str, f32)]) {
    let bits = |value: f32| if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() };
    let table: Vec<(String, u32)> =
        table.iter().map(|(text, value)| (format!("bitcast<u32>({text})"), bits(*value))).collect();
    check_expressions(&table.iter().map(|(text, value)| (text.as_str(), *value)).collect::<Vec<_>>());
}

/// Demands that the body of `main`, 4 invocations in each of 2 workgroups, writes this first.
fn check_body(before: &str, body: &str, expected: &[u32]) {
    let signature = "@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) w: vec3u,
        @builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) n: vec3u";
    let main = format!("@compute @workgroup_size(4) fn main({signature}) {{ {body} }}");
    let text = format!("{BINDINGS}{OPAQUE}{before}\n{main}");
    let out = run(&text);
    assert_eq!(&out[..expected.len()], expected, "{text}");
}

#[test]
fn integers() {
    check_signed(&[
        ("I(7) / I(-2)", -3),
        ("I(7) / I(0)", 7),
        ("I(-2147483648) / I(-1)", i32::MIN),
        ("I(7) % I(-2)", 1),
        ("I(-7) % I(2)", -1),
        ("I(7) % I(0)", 0),
        ("I(-2147483648) % I(-1)", 0),
        ("I(2147483647) + I(1)", i32::MIN),
        ("-I(-2147483648)", i32::MIN),
        ("~I(5)", -6),
        ("I(-8) >> U(1)", -4),
        ("I(-8) >> U(33)", -4),
        ("I(1) << U(35)", 8),
        ("abs(I(-2147483648))", i32::MIN),
        ("abs(I(-3))", 3),
        ("sign(I(-3))", -1),
        ("sign(I(0))", 0),
        ("sign(I(2147483647))", 1),
        ("min(I(-1), I(1))", -1),
        ("max(I(-1), I(1))", 1),
        ("clamp(I(-5), I(-3), I(3))", -3),
        ("firstLeadingBit(I(-1))", -1),
        ("firstLeadingBit(I(0))", -1),
        ("firstLeadingBit(I(-2))", 0),
        ("firstLeadingBit(I(16))", 4),
        ("firstTrailingBit(I(0))", -1),
        ("firstTrailingBit(I(-2147483648))", 31),
        ("extractBits(I(0xf0), U(4), U(4))", -1),
        ("extractBits(I(0x70), U(4), U(4))", 7),
        ("extractBits(I(-1), U(40), U(4))", 0),
        ("extractBits(I(-5), U(0), U(32))", -5),
        ("insertBits(I(0), I(-1), U(28), U(99))", -268_435_456),
        ("dot(vec3(I(1), I(-2), I(3)), vec3(I(4), I(5), I(6)))", 12),
        ("dot4I8Packed(U(0xff0180u), U(0x02037fu))", -16_255),
        ("i32(F(-2.9))", -2),
        ("i32(F(3e9))", 2_147_483_520),
        ("i32(F(-3e9))", i32::MIN),
        ("i32(F(0.0) / F(0.0))", 0),
        ("i32(B(true))", 1),
        ("i32(U(4294967295u))", -1),
        ("select(I(1), I(2), B(true))", 2),
        ("unpack4xI8(U(0x80ff7f01u)).w", -128),
    ]);
}

#[test]
fn naturals() {
    check_expressions(&[
        ("U(7) / U(0)", 7),
        ("U(7) % U(0)", 0),
        ("U(100) / U(8)", 12),
        ("U(100) % U(8)", 4),
        ("U(4000000000u) / U(7)", 571_428_571),
        ("U(1) - U(2)", u32::MAX),
        ("U(0x10000) * U(0x10000)", 0),
        ("U(0x80000000u) >> U(31)", 1),
        ("U(6) & U(3) | U(8) ^ U(1)", 11),
        ("u32(I(-1) < I(1)) + 2 * u32(U(4294967295u) < U(1))", 1),
        ("u32(I(3) <= I(3)) + 2 * u32(U(3) >= U(4)) + 4 * u32(U(3) > U(2)) + 8 * u32(U(3) != U(3))", 5),
        ("countOneBits(U(0xf0f0u))", 8),
        ("countLeadingZeros(U(0))", 32),
        ("countTrailingZeros(U(0))", 32),
        ("countTrailingZeros(U(24))", 3),
        ("reverseBits(U(6))", 0x6000_0000),
        ("firstLeadingBit(U(0))", u32::MAX),
        ("firstLeadingBit(U(0x8000u))", 15),
        ("extractBits(U(0xabcdu), U(4), U(8))", 0xbc),
        ("extractBits(U(0xabcdu), U(4), U(0))", 0),
        ("insertBits(U(0xffffffffu), U(0x5), U(4), U(8))", 0xffff_f05f),
        ("insertBits(U(7), U(1), U(32), U(8))", 7),
        ("dot4U8Packed(U(0xff0180u), U(0x02037fu))", 510 + 3 + 128 * 127),
        ("u32(F(-1.5))", 0),
        ("u32(F(4294967295.0))", 4_294_967_040),
        ("u32(F(3.99))", 3),
        ("clamp(U(5), U(6), U(9))", 6),
        ("vec4(U(1), 2, 3, 4).wzyx[U(1)] + vec2(U(7), U(9))[U(5)]", 12),
        ("u32(all(vec3(B(true), true, U(1) == 1))) + 2 * u32(any(vec2(B(false), U(2) == 3)))", 1),
        ("u32((B(true) != B(false)) & !(B(true) | B(true)))", 0),
        ("pack4x8snorm(vec4(F(1.0), F(-1.0), F(0.5), F(-2.0)))", 0x8140_817f),
        ("pack4x8unorm(vec4(F(1.0), F(-1.0), F(0.5), F(2.0)))", 0xff80_00ff),
        ("pack2x16snorm(vec2(F(1.0), F(-0.5)))", 0xc001_7fff),
        ("pack2x16unorm(vec2(F(1.0), F(0.5)))", 0x8000_ffff),
        ("pack2x16float(vec2(F(1.0), F(-2.0)))", 0xc000_3c00),
        ("pack4xI8(vec4(I(1), I(-1), I(127), I(-129)))", 0x7f7f_ff01),
        ("pack4xU8(vec4(U(1), U(256), U(255), U(300)))", 0x2cff_0001),
        ("pack4xI8Clamp(vec4(I(1), I(-1), I(1270), I(-129)))", 0x807f_ff01),
        ("pack4xU8Clamp(vec4(U(1), U(256), U(255), U(4294967295u)))", 0xffff_ff01),
        ("unpack4xU8(U(0x80ff7f01u)).z", 0xff),
        ("bitcast<u32>(bitcast<f32>(U(0xffc00001u)))", 0x7fc0_0000),
        ("bitcast<u32>(F(0.0) / F(0.0))", 0x7fc0_0000),
        ("u32(F(0.0) / F(0.0) != F(1.0)) + 2 * u32(F(0.0) / F(0.0) >= F(1.0))", 1),
        ("u32(bool(F(0.0) / F(0.0))) + 2 * u32(bool(F(-0.0))) + 4 * u32(bool(I(-4)))", 5),
        ("arrayLength(&out)", 64),
    ]);
}

#[test]
fn floats() {
    let nan = f32::NAN;
    check_floats(&[
        ("F(1.0) + F(2.5)", 3.5),
        ("F(0.1) + F(0.2)", 0.1 + 0.2),
        ("F(-0.0) + F(0.0)", 0.0),
        ("F(-0.0) * F(1.0)", -0.0),
        ("F(1e-40) * F(0.5)", 1e-40 * 0.5),
        ("F(1.0) / F(0.0)", f32::INFINITY),
        ("-F(0.0)", -0.0),
        ("F(5.5) % F(2.0)", 1.5),
        ("F(-5.5) % F(2.0)", -1.5),
        ("fma(F(16777217.0), F(3.0), F(-1.0))", 50_331_647.0),
        ("sqrt(F(2.0))", 2.0_f32.sqrt()),
        ("sqrt(F(-1.0))", nan),
        ("inverseSqrt(F(3.0))", 1.0 / 3.0_f32.sqrt()),
        ("floor(F(-1.5))", -2.0),
        ("ceil(F(-0.5))", -0.0),
        ("round(F(2.5))", 2.0),
        ("round(F(-3.5))", -4.0),
        ("trunc(F(-3.5))", -3.0),
        ("fract(F(-1.25))", 0.75),
        ("abs(F(-0.0))", 0.0),
        ("sign(F(-2.0)) + sign(F(0.0)) * 4", -1.0),
        ("min(F(0.0) / F(0.0), F(3.0))", 3.0),
        ("min(F(3.0), F(0.0) / F(0.0))", 3.0),
        ("max(F(1.0), F(4.0))", 4.0),
        ("clamp(F(7.0), F(1.0), F(4.0))", 4.0),
        ("saturate(F(-7.0))", 0.0),
        ("step(F(2.0), F(2.0)) + 2 * step(F(2.0), F(1.0))", 1.0),
        ("smoothstep(F(0.0), F(4.0), F(1.0))", 0.15625),
        ("mix(F(2.0), F(4.0), F(0.25))", 2.5),
        ("mix(vec2(F(2.0), F(4.0)), vec2(F(4.0), F(8.0)), F(0.5)).y", 6.0),
        ("degrees(F(2.0))", 2.0 * 57.295_78),
        ("radians(F(90.0))", 90.0 * 0.017_453_292),
        ("dot(vec3(F(1.0), F(2.0), F(3.0)), vec3(F(4.0), F(5.0), F(6.0)))", 32.0),
        ("length(vec2(F(3.0), F(4.0)))", 5.0),
        ("length(F(-3.0))", 3.0),
        ("distance(vec2(F(3.0), F(4.0)), vec2(F(0.0), F(0.0)))", 5.0),
        ("normalize(vec2(F(3.0), F(4.0))).y", 4.0 / 5.0),
        ("cross(vec3(F(1.0), F(2.0), F(3.0)), vec3(F(4.0), F(5.0), F(7.0))).x", -1.0),
        ("cross(vec3(F(1.0), F(2.0), F(3.0)), vec3(F(4.0), F(5.0), F(7.0))).y", 5.0),
        ("cross(vec3(F(1.0), F(2.0), F(3.0)), vec3(F(4.0), F(5.0), F(7.0))).z", -3.0),
        ("faceForward(vec2(F(1.0), 2), vec2(F(1.0), 0), vec2(F(1.0), 0)).y", -2.0),
        ("faceForward(vec2(F(1.0), 2), vec2(F(1.0), 0), vec2(F(-1.0), 0)).y", 2.0),
        ("reflect(vec2(F(1.0), -1), vec2(F(0.0), 1)).y", 1.0),
        ("refract(vec2(F(0.0), -1), vec2(F(0.0), 1), F(0.5)).y", -1.0),
        ("refract(vec2(F(1.0), 0), vec2(F(0.0), 1), F(2.0)).x", 0.0),
        ("determinant(mat2x2f(F(1.0), 2, 3, 4))", -2.0),
        ("determinant(mat3x3f(F(2.0), 0, 1, 1, 3, 2, 1, 1, 1))", 0.0),
        ("determinant(mat4x4f(F(1.0), 0, 2, -1, 3, 0, 0, 5, 2, 1, 4, -3, 1, 0, 5, 0))", 30.0),
        ("transpose(mat2x3f(F(1.0), 2, 3, 4, 5, 6))[1].y", 5.0),
        ("(mat2x3f(F(1.0), 2, 3, 4, 5, 6) * vec2(F(10.0), 1)).z", 36.0),
        ("(vec3(F(1.0), 10, 100) * mat2x3f(F(1.0), 2, 3, 4, 5, 6)).y", 654.0),
        ("(mat2x3f(F(1.0), 2, 3, 4, 5, 6) * mat3x2f(F(1.0), 2, 3, 4, 5, 6))[2].x", 29.0),
        ("(mat2x2f(F(1.0), 2, 3, 4) + mat2x2f(F(1.0), 1, 1, 1) * F(2.0))[1].y", 6.0),
        ("(2.0 - vec2(F(1.0), F(5.0))).y", -3.0),
        ("modf(F(-1.25)).fract", -0.25),
        ("modf(vec2(F(1.0), F(-1.25))).whole.y", -1.0),
        ("frexp(F(6.0)).fract", 0.75),
        ("f32(frexp(vec2(F(6.0), F(0.1))).exp.y)", -3.0),
        ("ldexp(F(0.75), I(3))", 6.0),
        ("quantizeToF16(F(1.0003))", 1.0),
        ("unpack4x8snorm(U(0x80ff7f01u)).x", 1.0 / 127.0),
        ("unpack4x8snorm(U(0x80ff7f01u)).w", -1.0),
        ("unpack4x8unorm(U(0x80ff7f01u)).w", 128.0 / 255.0),
        ("unpack2x16snorm(U(0x80007fffu)).y", -1.0),
        ("unpack2x16unorm(U(0x80007fffu)).y", 32_768.0 / 65_535.0),
        ("unpack2x16float(U(0xc0003c00u)).y", -2.0),
        ("f32(I(16777217))", 16_777_216.0),
        ("f32(U(4294967295u))", 4_294_967_296.0),
        ("f32(B(true)) + vec2f(vec2(B(false), true)).y", 2.0),
        ("select(vec2(F(1.0), F(2.0)), vec2(F(3.0), F(4.0)), vec2(B(false), B(true))).y", 4.0),
        ("exp2(F(3.0))", 8.0),
        ("pow(F(2.0), F(0.5))", 2.0_f32.sqrt()),
    ]);
}

#[test]
fn control_flow() {
    check_body("", "if l == 1 { out[g.x] = 5; return; } out[g.x] = n.x;", &[2, 5, 2, 2, 2, 5, 2, 2]);
    check_body(
        "",
        "var s = 0u; for (var i = 0; i < 5; i++) { if i == 3 { continue; } s += u32(i); } out[g.x] = s;",
        &[7; 8],
    );
    check_body(
        "",
        "var s = 0u; loop { s += 1; if s > l { break; } continuing { s += 1; } } out[l] = s;",
        &[1, 3, 3, 5],
    );
    check_body(
        "",
        "var s = 0u; loop { s += 1; continuing { let d = s > l; s += 1; break if d; } } out[l] = s;",
        &[2, 4, 4, 6],
    );
    check_body("", "var s = l; while s < 9 { s = s * 2 + 1; } out[l] = s;", &[15, 15, 11, 15]);
    let switch = "fn f(x: i32) -> u32 { switch x { case 0, 2: { return 7; } default: { } case -1: { return 8; } case 3 { if a[1] == 1 {
        break; } return 4; } } return 9; }";
    check_body(switch, "out[l] = f(i32(l)); out[4 + l] = f(-i32(l));", &[7, 9, 7, 9, 7, 8, 9, 9]);
    let nested = "var s = 0u; for (var i = 0u; i < 4; i++) { switch i { case 1: { continue; } case 2: { break; } default: { s += 10; } }
        s += 1; } out[l] = s;";
    check_body("", nested, &[23; 4]);
    let early = "fn f(x: u32) -> vec2u { for (var i = 0u; i < 9; i++) { for (var j = 0u; ; j++) { if i * j == x { return vec2(i, j); }
        if j > 8 { break; } } } return vec2(99); }";
    check_body(early, "let r = f(l + 40); out[2 * l] = r.x; out[2 * l + 1] = r.y;", &[5, 8, 99, 99, 6, 7, 99, 99]);
    // What is written before leaving early counts after all.
    let left =
        "var x = 1u; switch a[0] { case 0: { if a[l] > 1 { x = 2; break; } out[4] = 1; } default: { } } out[l] = x;";
    check_body("", left, &[1, 1, 2, 2, 1]);
    let known =
        "var x = 1u; switch 0u { case 0: { if a[l] > 1 { x = 2; break; } out[4] = 1; } default: { } } out[l] = x;";
    check_body("", known, &[1, 1, 2, 2, 1]);
    let returned = "fn f(p: ptr<function, u32>) -> u32 { if a[*p] > 1 { *p = 9; return 5; } return 6; }";
    check_body(returned, "var x = l; let y = f(&x); out[l] = x * 10 + y;", &[6, 16, 95, 95]);
    let inner = "var x = 1u; for (var i = 0u; i < 3; i++) { switch a[0] { case 0: { if i == l { x += i; break; } x += 10; } default: { } }
        out[l] = x; }";
    check_body("", inner, &[21, 22, 23, 31]);
    let logic = "var c = 0u; if l > 1 && a[l] == 2 || l == 0 { c = 1; } out[l] = c;";
    check_body("", logic, &[1, 0, 1, 0]);
    let shadow = "var x = 1u; for (var i = 0; i < 3; i++) { var y: u32; y += x; x = y + y; } out[l] = x;";
    check_body("", shadow, &[8; 4]);
    check_body(
        "",
        "if l < 2 { if l == 0 { out[0] = 3; } else { return; } } else { out[l] = 4; } out[l + 4] = 5;",
        &[3, 0, 4, 4, 5, 0, 5, 5],
    );
}

#[test]
fn functions_and_pointers() {
    let bump = "fn bump(p: ptr<function, u32>) -> u32 { *p += 2; return *p; }";
    check_body(bump, "var x = l; let y = bump(&x) + bump(&x); out[l] = x * 100 + y;", &[406, 508, 610, 712]);
    let fields = "struct S { x: u32, v: vec2u, t: array<u32, 3> }
        fn put(p: ptr<function, vec2u>, q: ptr<function, array<u32, 3>>, i: u32) { (*p).y = 7; (*q)[i] = 9; }";
    let body = "var s = S(1, vec2(2, 3), array(4, 5, 6)); put(&s.v, &s.t, l); out[l] = s.v.y * 1000 + s.t[0] * 100 + s.t[1] * 10 + s.t[2];";
    check_body(fields, body, &[7956, 7496, 7459, 7459]);
    let copies = "struct S { a: array<u32, 4> } fn change(s: S) -> S { var t = s; t.a[1] = 50; return t; }";
    check_body(
        copies,
        "var s: S; s.a[l] = 3; let t = change(s); s.a[2] = 8; out[l] = s.a[1] + t.a[1] + t.a[2] + s.a[2];",
        &[58, 61, 61, 58],
    );
    let private = "var<private> seed: u32 = 5; fn next() -> u32 { seed = seed * 3 + 1; return seed; }";
    check_body(private, "out[l] = next() + next() * 100;", &[4916; 4]);
    let fresh = "fn f(x: u32) -> u32 { var t: array<u32, 4>; t[x] += 1; return t[0] + t[1] + t[2] + t[3]; }";
    check_body(fresh, "var s = 0u; for (var i = 0u; i < 4; i++) { s += f(i) + f(l); } out[l] = s;", &[8; 4]);
    let swap = "fn swap(p: ptr<function, u32>, q: ptr<function, u32>) { let t = *p; *p = *q; *q = t; }";
    check_body(swap, "var x = l; var y = 10u; swap(&x, &y); out[l] = x * 100 + y;", &[1000, 1001, 1002, 1003]);
    check_body(
        "",
        "var v = vec3u(1, 2, 3); v = v.zxy; v[l] = 9; let p = &v; (*p).y += 1; out[l] = v.x * 100 + v.y * 10 + v.z;",
        &[922, 402, 329, 329],
    );
    check_body(
        "",
        "var m = mat2x2f(1, 2, 3, 4); m[l & 1][1] = 8; m[0] += m[1]; out[l] = u32(m[0].x * 10 + m[0].y);",
        &[52, 50, 52, 50],
    );
}

#[test]
fn memory_layout() {
    let types = "struct Inner { a: vec3f, b: f32, c: mat2x3f } struct Outer { x: u32, @size(16) y: u32, @align(32) z: Inner, w: array<vec3u, 2> }
        @group(0) @binding(2) var<storage, read_write> s: Outer;";
    let types = types.replace("@binding(2)", "@binding(1)");
    let text = format!(
        "{types} @compute @workgroup_size(1) fn main() {{ s.x = 1; s.y = 2; s.z.a = vec3f(3, 4, 5); s.z.b = 6; s.z.c = mat2x3f(7, 8, 9, 10, 11, 12);
         s.w[1] = vec3u(13, 14, 15); var o = s; o.w[0].y = o.x + 15; s.w[0] = o.w[0]; }}"
    );
    let out = run(&format!(
        "@group(0) @binding(0) var<storage> a: array<u32, 64>; {}",
        text.replace("s.x = 1;", "s.x = a[1];")
    ));
    let f = |x: f32| x.to_bits();
    let inner = [f(3.0), f(4.0), f(5.0), f(6.0), f(7.0), f(8.0), f(9.0), 0, f(10.0), f(11.0), f(12.0), 0];
    let expected = [&[1, 2, 0, 0, 0, 0, 0, 0][..], &inner, &[0, 16, 0, 0, 13, 14, 15, 0]].concat();
    assert_eq!(&out[..expected.len()], expected);
    // Rows of bools, vectors and structures in memory that nobody else sees.
    let before = "struct P { flag: bool, v: vec3<bool>, n: u32 } var<workgroup> shared_p: array<P, 5>; var<workgroup> last: u32;";
    let body = "shared_p[l].n = l * 2; shared_p[l].v[l % 3] = true; shared_p[l].flag = l > 1; workgroupBarrier();
        let p = shared_p[3 - l]; out[g.x] = p.n + select(0u, 100u, p.flag) + select(0u, 1000u, p.v.x) + select(0u, 5000u, any(p.v));";
    check_body(before, body, &[6106, 5104, 5002, 6000, 6106, 5104, 5002, 6000]);
    let body = "if l == 2 { last = w.x + 7; } let x = workgroupUniformLoad(&last); out[g.x] = x;";
    check_body(before, body, &[7, 7, 7, 7, 8, 8, 8, 8]);
}

#[test]
fn indices_are_clamped() {
    check_body("", "out[0] = a[l + 100]; out[1] = a[u32(i32(l) - 4)];", &[63, 63]);
    check_body(
        "",
        "var t = array(1u, 2u, 3u); t[l + 2] = 9; out[l] = t[0] * 100 + t[1] * 10 + t[2] + t[U(99)] * 1000;",
        &[9129; 4],
    );
    check_body("", "let t = array(1u, 2u, 3u, 4u, 5u, 6u); out[l] = t[l * 2] + t[i32(l) - 2] * 10;", &[61, 63, 15, 26]);
    check_body("", "out[l + 1000] = 5; out[0] = out[U(99)];", &[5]);
    check_body("", "let v = vec3u(l, 7, 8); out[l] = v[l];", &[0, 7, 8, 8]);
}

#[test]
fn atomics() {
    let before = "var<workgroup> s: atomic<i32>; var<workgroup> t: array<atomic<u32>, 4>;";
    let body = "atomicAdd(&s, i32(l) - 2); atomicMax(&t[l & 1], l); atomicOr(&t[2], 1u << l); workgroupBarrier();
        if l == 0 { out[w.x * 4] = bitcast<u32>(atomicLoad(&s)); out[w.x * 4 + 1] = atomicLoad(&t[0]) * 10 + atomicLoad(&t[1]); out[w.x * 4 + 2] =
        atomicLoad(&t[2]); }";
    check_body(before, body, &[(-2_i32).cast_unsigned(), 23, 15, 0, (-2_i32).cast_unsigned(), 23, 15]);
    let body = "if l == 0 { atomicStore(&s, 5); let r = atomicCompareExchangeWeak(&s, 5, -7); let q = atomicCompareExchangeWeak(&s, 5, 3);
        out[0] = u32(r.exchanged) + 2 * u32(q.exchanged); out[1] = u32(r.old_value); out[2] = bitcast<u32>(q.old_value);
        out[3] = bitcast<u32>(atomicMin(&s, -9)) + bitcast<u32>(atomicSub(&s, 1)); out[4] = bitcast<u32>(atomicExchange(&s, 1)); }";
    check_body(before, body, &[1, 5, -7_i32 as u32, -16_i32 as u32, -10_i32 as u32]);
}
