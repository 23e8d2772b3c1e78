//! Each sequence on this CPU, against what the operation is.

use super::{compare, convert, divide, fma, root, round};
use crate::exact::target::Instructions;
use samebit_device::random::Rng;
use samebit_device::wgsl::lowered::{Binary, Unary, eval};

/// How many random operands a plain run tries for each operation; `SAMEBIT_OPERANDS` says otherwise.
const OPERANDS: u64 = 1 << 17;

fn operands() -> u64 {
    let given = std::env::var("SAMEBIT_OPERANDS").ok().and_then(|text| text.parse().ok());
    given.unwrap_or(OPERANDS)
}

/// A device whose division and root are off by as much as a device's may be, in a direction of its own choosing.
struct Cpu {
    rng: Rng,
    off: u32,
}

impl Cpu {
    fn blur(&mut self, bits: u32) -> u32 {
        bits.wrapping_add(self.rng.below(2 * self.off + 1)).wrapping_sub(self.off)
    }
}

impl Instructions for Cpu {
    type V = u32;
    type Double = u64;

    const MULTIPLIES_HIGH: bool = false;

    fn word(&mut self, bits: u32) -> u32 {
        bits
    }

    fn unary(&mut self, op: Unary, a: u32) -> u32 {
        match op {
            Unary::Sqrt => {
                let root = eval::unary(op, a);
                self.blur(root)
            }
            _ => eval::unary(op, a),
        }
    }

    fn binary(&mut self, op: Binary, a: u32, b: u32) -> u32 {
        match op {
            Binary::ShiftLeft | Binary::ShiftRightUnsigned | Binary::ShiftRightSigned => {
                assert!(b < 32, "{op:?} by {b}");
            }
            Binary::DivideUnsigned => assert_ne!(b, 0),
            Binary::FloatDivide => {
                let quotient = eval::binary(op, a, b);
                return self.blur(quotient);
            }
            _ => {}
        }
        eval::binary(op, a, b)
    }

    fn select(&mut self, condition: u32, accept: u32, reject: u32) -> u32 {
        if condition == 0 { reject } else { accept }
    }

    fn widen(&mut self, a: u32) -> u64 {
        f64::from(f32::from_bits(a)).to_bits()
    }

    fn narrow(&mut self, a: u64) -> u32 {
        (f64::from_bits(a) as f32).to_bits()
    }

    fn double(&mut self, op: Binary, a: u64, b: u64) -> u64 {
        let (a, b) = (f64::from_bits(a), f64::from_bits(b));
        let result = match op {
            Binary::FloatAdd => a + b,
            Binary::FloatSubtract => a - b,
            _ => a * b,
        };
        result.to_bits()
    }

    fn split(&mut self, a: u64) -> [u32; 2] {
        [a as u32, (a >> 32) as u32]
    }

    fn join(&mut self, [low, high]: [u32; 2]) -> u64 {
        u64::from(high) << 32 | u64::from(low)
    }
}

/// Bits at which operations change their mind.
const EDGES: [u32; 34] = [
    0,
    1,
    2,
    3,
    0x3f_ffff,
    0x40_0000,
    0x7f_ffff,
    0x80_0000,
    0x80_0001,
    0x100_0000,
    0x0180_0000,
    0x3380_0000,
    0x3eff_ffff,
    0x3f00_0000,
    0x3f00_0001,
    0x3f7f_ffff,
    0x3f80_0000,
    0x3f80_0001,
    0x3fc0_0000,
    0x4000_0000,
    0x4020_0000,
    0x4afe_0001,
    0x4b00_0001,
    0x4b7f_ffff,
    0x4b80_0000,
    0x4eff_ffff,
    0x4f00_0000,
    0x4f7f_ffff,
    0x4f80_0000,
    0x7f7f_ffff,
    0x7f80_0000,
    0x7f80_0001,
    0x7fc0_0000,
    0x5f00_0000,
];

fn edges() -> impl Iterator<Item = u32> + Clone {
    EDGES.into_iter().flat_map(|bits| [bits, bits | 0x8000_0000])
}

/// Any bits, with few ones or zeros in the fraction as often as not, and near another's exponent.
fn operand(rng: &mut Rng, near: u32) -> u32 {
    let any = rng.next() as u32;
    match rng.below(6) {
        0 => any & 0xff80_0000 | 1 << rng.below(23),
        1 => any | 0x7f_ffff & !(1 << rng.below(23)),
        2 => any & 0x807f_ffff | near & 0x7f80_0000,
        3 => {
            (near & 0x7f80_0000).wrapping_add((rng.below(100) << 23).wrapping_sub(50 << 23)) & 0x7f80_0000
                | any & 0x807f_ffff
        }
        4 => any & 0x807f_ffff | 0x3f80_0000,
        _ => any,
    }
}

fn same(found: u32, expected: u32) -> bool {
    found == expected || f32::from_bits(found).is_nan() && f32::from_bits(expected).is_nan()
}

fn cpu(off: u32) -> Cpu {
    Cpu { rng: Rng::new(u64::from(off)), off }
}

fn check_one(name: &str, expected: fn(u32) -> u32, found: impl Fn(&mut Cpu, u32) -> u32, off: u32) {
    let (mut cpu, mut rng) = (cpu(off), Rng::new(11));
    let random = (0..operands()).map(|_| operand(&mut rng, 0x3f80_0000));
    for a in edges().chain(random.collect::<Vec<_>>()) {
        let (expected, found) = (expected(a), found(&mut cpu, a));
        assert!(same(found, expected), "{name}({a:#x}) is {found:#x}, not {expected:#x}");
    }
}

fn check_two(name: &str, expected: impl Fn(u32, u32) -> u32, found: impl Fn(&mut Cpu, u32, u32) -> u32, off: u32) {
    let (mut cpu, mut rng) = (cpu(off), Rng::new(12));
    let mut check = |a, b| {
        let (expected, found) = (expected(a, b), found(&mut cpu, a, b));
        assert!(same(found, expected), "{name}({a:#x}, {b:#x}) is {found:#x}, not {expected:#x}");
    };
    edges().for_each(|a| edges().for_each(|b| check(a, b)));
    for _ in 0..operands() {
        let a = operand(&mut rng, 0x3f80_0000);
        check(a, operand(&mut rng, a));
    }
}

fn check_fma(found: fn(&mut Cpu, u32, u32, u32) -> u32) {
    let (mut cpu, mut rng) = (cpu(0), Rng::new(13));
    let mut check = |a, b, c| {
        let (expected, found) = (eval::fma(a, b, c), found(&mut cpu, a, b, c));
        assert!(same(found, expected), "fma({a:#x}, {b:#x}, {c:#x}) is {found:#x}, not {expected:#x}");
    };
    edges().for_each(|a| edges().for_each(|b| edges().for_each(|c| check(a, b, c))));
    for _ in 0..operands() {
        let a = operand(&mut rng, 0x3f80_0000);
        let b = operand(&mut rng, a);
        let product = eval::binary(Binary::FloatMultiply, a, b);
        check(a, b, operand(&mut rng, product));
        // Almost what cancels the product.
        check(a, b, product ^ 0x8000_0000);
        check(a, b, (product ^ 0x8000_0000).wrapping_add(rng.below(3)).wrapping_sub(1));
    }
}

#[test]
fn fused_sums_are_rounded_once() {
    check_fma(fma::integer);
    check_fma(fma::double);
}

#[test]
fn sums_and_products_are_fused_ones() {
    check_two("add", |a, b| eval::binary(Binary::FloatAdd, a, b), |cpu, a, b| fma::integer(cpu, a, 0x3f80_0000, b), 0);
    let multiply = |a, b| eval::binary(Binary::FloatMultiply, a, b);
    check_two("multiply", multiply, |cpu, a, b| fma::integer(cpu, a, b, 0x8000_0000), 0);
}

#[test]
fn quotients_are_rounded_once() {
    let divide = |a, b| eval::binary(Binary::FloatDivide, a, b);
    check_two("divide", divide, divide::integer, 0);
    for off in [0, 1, 3] {
        check_two("divide", divide, divide::corrected, off);
    }
}

#[test]
fn roots_are_rounded_once() {
    let sqrt = |a| eval::unary(Unary::Sqrt, a);
    check_one("sqrt", sqrt, root::integer, 0);
    for off in [0, 1, 3] {
        check_one("sqrt", sqrt, root::corrected, off);
    }
}

#[test]
fn integers_convert() {
    check_one("signed", |a| eval::unary(Unary::SignedFromFloat, a), convert::to_signed, 0);
    check_one("unsigned", |a| eval::unary(Unary::UnsignedFromFloat, a), convert::to_unsigned, 0);
    for op in [Unary::SignedFromFloat, Unary::UnsignedFromFloat] {
        check_two("native", |a, _| eval::unary(op, a), |cpu, a, _| convert::native(cpu, op, a), 0);
    }
    check_one("from signed", |a| eval::unary(Unary::FloatFromSigned, a), convert::from_signed, 0);
    check_one("from unsigned", |a| eval::unary(Unary::FloatFromUnsigned, a), convert::from_unsigned, 0);
    for (a, bits) in (0..32).flat_map(|by| [1u32 << by, u32::MAX >> by, !(u32::MAX >> by)]).map(|a| (a, a)) {
        assert_eq!(convert::from_signed(&mut cpu(0), a), eval::unary(Unary::FloatFromSigned, bits));
        assert_eq!(convert::from_unsigned(&mut cpu(0), a), eval::unary(Unary::FloatFromUnsigned, bits));
    }
}

#[test]
fn floats_round_to_whole_numbers() {
    for op in [Unary::Floor, Unary::Ceil, Unary::Trunc, Unary::RoundEven] {
        let name = format!("{op:?}");
        check_two(&name, |a, _| eval::unary(op, a), |cpu, a, _| round::integer(cpu, op, a), 0);
    }
}

#[test]
fn floats_compare() {
    for op in [Binary::FloatEqual, Binary::FloatLess, Binary::FloatLessEqual] {
        let name = format!("{op:?}");
        check_two(&name, |a, b| eval::binary(op, a, b), |cpu, a, b| compare::integer(cpu, op, a, b), 0);
    }
    let min = |cpu: &mut Cpu, a, b| {
        let less = compare::integer(cpu, Binary::FloatLess, b, a);
        compare::extreme(cpu, less, a, b)
    };
    check_two("min", |a, b| eval::binary(Binary::FloatMin, a, b), min, 0);
    let max = |cpu: &mut Cpu, a, b| {
        let less = compare::integer(cpu, Binary::FloatLess, a, b);
        compare::extreme(cpu, less, a, b)
    };
    check_two("max", |a, b| eval::binary(Binary::FloatMax, a, b), max, 0);
}
