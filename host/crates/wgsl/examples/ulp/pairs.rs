//! Chosen and seeded pairs of operands. A number always gives the same pair.

/// Numbers where something changes.
const EDGES: [u32; 32] = [
    0x0000_0000,
    0x0000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x0080_0001,
    0x3eff_ffff,
    0x3f00_0000,
    0x3f35_04f2,
    0x3f35_04f3,
    0x3f35_04f4,
    0x3f7f_fffe,
    0x3f7f_ffff,
    0x3f80_0000,
    0x3f80_0001,
    0x3fb5_04f3,
    0x3fc0_0000,
    0x3fff_ffff,
    0x4000_0000,
    0x4040_0000,
    0x4080_0000,
    0x4100_0000,
    0x42ff_ffff,
    0x4300_0000,
    0x4b7f_ffff,
    0x4b80_0000,
    0x4c00_0000,
    0x7149_f2ca,
    0x7e80_0000,
    0x7f7f_ffff,
    0x7f80_0000,
    0x7f80_0001,
    0x7fc0_0000,
];

/// Every edge with every edge, all signs; then one in four random in all bits; else x random and y such that the power
/// is a number most of the time.
pub(super) fn pow(number: u32) -> [u32; 2] {
    if let Some(pair) = edges(number) {
        return pair;
    }
    let [a, b] = random(number);
    match number % 4 {
        0 => [a, b],
        // Near 1, where log2(x) has few digits and y is large.
        1 => [0x3f80_0000_u32.wrapping_add_signed(a.cast_signed() >> (7 + b % 25)), 0x4000_0000 + (b & 0x8bff_ffff)],
        _ => {
            let x = a & 0x7fff_ffff;
            let log = f64::from(f32::from_bits(x)).log2();
            let wanted = f64::from(b.cast_signed()) * (150.0 / 2f64.powi(31));
            [x, ((wanted / log) as f32).to_bits()]
        }
    }
}

/// Edges; then half random in all bits, half with exponents near each other.
pub(super) fn atan2(number: u32) -> [u32; 2] {
    if let Some(pair) = edges(number) {
        return pair;
    }
    let [a, b] = random(number);
    if number.is_multiple_of(2) {
        return [a, b];
    }
    let near = (a & 0x7f80_0000).wrapping_add((b >> 4 & 0xf) << 23).wrapping_sub(8 << 23) & 0x7f80_0000;
    [a, (b & 0x807f_ffff) | near]
}

/// Edges; then x random in all bits and an exponent that leads to a number most of the time.
pub(super) fn ldexp(number: u32) -> [u32; 2] {
    if let Some([a, b]) = edges(number) {
        return [a, if number.is_multiple_of(2) { b } else { b.cast_signed().wrapping_shr(20).cast_unsigned() }];
    }
    let [a, b] = random(number);
    let exponent = ((a >> 23) & 0xff).cast_signed();
    let wanted = (b % 290).cast_signed() - 20;
    [a, (wanted - exponent).cast_unsigned()]
}

fn edges(number: u32) -> Option<[u32; 2]> {
    let count = EDGES.len() as u32;
    let (pair, signs) = (number / 4, number % 4);
    (pair < count * count).then(|| {
        let (a, b) = (EDGES[(pair / count) as usize], EDGES[(pair % count) as usize]);
        [a | (signs & 1) << 31, b | (signs >> 1) << 31]
    })
}

/// SplitMix64 of the number.
pub(super) fn random(number: u32) -> [u32; 2] {
    let mut z = (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    [z as u32, (z >> 32) as u32]
}
