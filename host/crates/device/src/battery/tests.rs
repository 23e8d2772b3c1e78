//! Devices that cut corners are caught, each at what it cuts. They compute as [`eval`] says, but for one lie.

mod calculator;

use samebit_wgsl::lowered::{Binary, Op, Unary, eval};

use super::*;
use calculator::{Calculator, Invocation, Lie};

const HONEST: Lie = |_, _| None;

#[test]
fn every_program_is_admitted() {
    for test in Test::ALL {
        let rows: Vec<_> = test.rows().iter().map(|row| (test, *row)).collect();
        let text = text(&rows);
        let kernel = parse(&Source { text: &text, entry_point: "main", constants: &[] }).expect("valid");
        lower(&kernel, &text, Admission::Exact).unwrap_or_else(|why| panic!("{test}: {why}\n{text}"));
    }
}

#[test]
fn every_test_has_a_name_and_operands_of_its_own() {
    let mut names: Vec<_> = Test::ALL.iter().map(ToString::to_string).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), Test::ALL.len());
    for (index, test) in Test::ALL.into_iter().enumerate() {
        assert_eq!(test as usize, index);
        let operands = inputs::of(test, SEED, 1000);
        assert!(operands.len() > 1000 + 1000, "{test}: boundaries, hard cases and random ones");
        assert_eq!(operands, inputs::of(test, SEED, 1000), "the same every time");
    }
}

fn multiply(a: u32, b: u32) -> u32 {
    eval::binary(Binary::FloatMultiply, a, b)
}

fn divide(a: u32, b: u32) -> u32 {
    eval::binary(Binary::FloatDivide, a, b)
}

/// Whether a device with this lie fails a test, and whether the short form says so.
fn caught(lie: Lie, test: Test) -> [bool; 2] {
    let mut device = Calculator::new(lie);
    let whole = pollster::block_on(run_with(&mut device, test, 1 << 10)).expect("it runs");
    let short = pollster::block_on(run_short(&mut device)).expect("it runs");
    [whole.is_some(), short.iter().any(|miss| miss.test == test)]
}

#[test]
fn an_honest_device_passes() {
    for test in Test::ALL {
        assert_eq!(caught(HONEST, test), [false, false], "{test}");
    }
}

#[test]
fn every_lie_is_caught() {
    let lies: [(Lie, Test); 19] = [
        (|op, at| flush(op, Binary::FloatAdd, at), Test::Add),
        (|op, at| flush(op, Binary::FloatSubtract, at), Test::Subtract),
        (|op, at| flush(op, Binary::FloatMultiply, at), Test::Multiply),
        (|op, at| flush(op, Binary::FloatDivide, at), Test::Divide),
        (|op, at| flush(op, Binary::FloatLess, at), Test::Compare),
        (
            |op, at| match *op {
                Op::Fma(a, b, c) => Some(eval::binary(Binary::FloatAdd, multiply(at.word(a), at.word(b)), at.word(c))),
                _ => None,
            },
            Test::Fma,
        ),
        (
            |op, at| match *op {
                Op::Binary(Binary::FloatAdd, a, c) => match *at.op(a)? {
                    Op::Binary(Binary::FloatMultiply, x, y) => Some(eval::fma(at.word(x), at.word(y), at.word(c))),
                    _ => None,
                },
                _ => None,
            },
            Test::Contract,
        ),
        (
            |op, at| match *op {
                Op::Binary(Binary::FloatSubtract, a, x) => match *at.op(a)? {
                    Op::Binary(Binary::FloatAdd, first, y) if first == x => Some(at.word(y)),
                    _ => None,
                },
                _ => None,
            },
            Test::Reassociate,
        ),
        (
            |op, at| match *op {
                Op::Binary(Binary::FloatMultiply, _, b) => (*at.op(b)? == Op::Constant(0)).then_some(0),
                _ => None,
            },
            Test::Fold,
        ),
        (
            |op, at| match *op {
                Op::Binary(Binary::FloatDivide, a, b) => Some(multiply(at.word(a), divide(0x3f80_0000, at.word(b)))),
                _ => None,
            },
            Test::Divide,
        ),
        (
            |op, at| match *op {
                Op::Unary(Unary::Sqrt, a) => {
                    let root = eval::unary(Unary::Sqrt, at.word(a));
                    Some(multiply(at.word(a), divide(0x3f80_0000, root)))
                }
                _ => None,
            },
            Test::Sqrt,
        ),
        (|op, at| without_nan(op, Binary::FloatMin, at), Test::Min),
        (|op, at| without_nan(op, Binary::FloatMax, at), Test::Max),
        (|op, at| swap(op, Unary::Floor, Unary::Trunc, at), Test::Floor),
        (|op, at| swap(op, Unary::Ceil, Unary::RoundEven, at), Test::Ceil),
        (|op, at| swap(op, Unary::RoundEven, Unary::Floor, at), Test::Round),
        (|op, at| swap(op, Unary::SignedFromFloat, Unary::UnsignedFromFloat, at), Test::ToSigned),
        (|op, at| swap(op, Unary::UnsignedFromFloat, Unary::SignedFromFloat, at), Test::ToUnsigned),
        (|op, at| swap(op, Unary::FloatFromUnsigned, Unary::FloatFromSigned, at), Test::FromUnsigned),
    ];
    for (index, (lie, test)) in lies.into_iter().enumerate() {
        assert_eq!(caught(lie, test), [true, true], "lie {index}, `{test}`");
    }
}

/// Both operands flushed if they are subnormal, before one operation.
fn flush(op: &Op, of: Binary, at: &Invocation<'_>) -> Option<u32> {
    let flushed = |value| match at.word(value) {
        word if word & 0x7f80_0000 == 0 => word & 0x8000_0000,
        word => word,
    };
    match *op {
        Op::Binary(op, a, b) if op == of => Some(eval::binary(op, flushed(a), flushed(b))),
        _ => None,
    }
}

/// The other operand's NaN, where the first is one.
fn without_nan(op: &Op, of: Binary, at: &Invocation<'_>) -> Option<u32> {
    match *op {
        Op::Binary(op, a, _) if op == of && f32::from_bits(at.word(a)).is_nan() => Some(at.word(a)),
        _ => None,
    }
}

/// Another operation in the place of one.
fn swap(op: &Op, from: Unary, to: Unary, at: &Invocation<'_>) -> Option<u32> {
    match *op {
        Op::Unary(op, a) if op == from => Some(eval::unary(to, at.word(a))),
        _ => None,
    }
}

#[test]
fn a_device_that_gives_too_little_fails() {
    let mut device = Calculator::new(HONEST);
    device.is_short = true;
    let error = pollster::block_on(run_short(&mut device)).expect_err("half of the bytes are missing");
    assert!(error.to_string().contains("fewer bytes"), "{error}");
}
