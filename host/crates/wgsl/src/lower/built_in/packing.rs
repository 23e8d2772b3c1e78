//! Functions between vectors and the bits of one word.

use super::super::data::Values;
use super::super::function::Lowerer;
use crate::lowered::{Binary, MathFunction as Fixed, Unary, Value};
use naga::MathFunction;

/// How a component is a part of a word.
#[derive(Clone, Copy)]
enum Format {
    /// So many steps from 0 to 1, and from 0 to -1.
    Snorm(f32),
    /// So many steps from 0 to 1.
    Unorm(f32),
    /// A binary16.
    Float,
    /// The lower bits of an integer.
    Int {
        /// Whether the sign is among them.
        is_signed: bool,
        /// Whether what does not fit becomes the nearest that does.
        is_clamped: bool,
    },
}

/// The format of a function, its bits per component, and whether it unpacks.
fn format(function: MathFunction) -> Option<(Format, u32, bool)> {
    let int = |is_signed, is_clamped| Format::Int { is_signed, is_clamped };
    Some(match function {
        MathFunction::Pack4x8snorm => (Format::Snorm(127.0), 8, false),
        MathFunction::Pack4x8unorm => (Format::Unorm(255.0), 8, false),
        MathFunction::Pack2x16snorm => (Format::Snorm(32_767.0), 16, false),
        MathFunction::Pack2x16unorm => (Format::Unorm(65_535.0), 16, false),
        MathFunction::Pack2x16float => (Format::Float, 16, false),
        MathFunction::Pack4xI8 => (int(true, false), 8, false),
        MathFunction::Pack4xU8 => (int(false, false), 8, false),
        MathFunction::Pack4xI8Clamp => (int(true, true), 8, false),
        MathFunction::Pack4xU8Clamp => (int(false, true), 8, false),
        MathFunction::Unpack4x8snorm => (Format::Snorm(127.0), 8, true),
        MathFunction::Unpack4x8unorm => (Format::Unorm(255.0), 8, true),
        MathFunction::Unpack2x16snorm => (Format::Snorm(32_767.0), 16, true),
        MathFunction::Unpack2x16unorm => (Format::Unorm(65_535.0), 16, true),
        MathFunction::Unpack2x16float => (Format::Float, 16, true),
        MathFunction::Unpack4xI8 => (int(true, false), 8, true),
        MathFunction::Unpack4xU8 => (int(false, false), 8, true),
        _ => return None,
    })
}

impl Lowerer<'_> {
    /// A function that packs or unpacks, if it is one.
    pub(super) fn packing(&mut self, function: MathFunction, args: &[Values]) -> Option<Values> {
        if let (MathFunction::Dot4I8Packed | MathFunction::Dot4U8Packed, [a, b]) = (function, args) {
            return Some(self.dot_packed(function == MathFunction::Dot4I8Packed, *a.first()?, *b.first()?));
        }
        let (format, bits, is_unpacking) = format(function)?;
        let values = args.first()?;
        if is_unpacking {
            let &word = values.first()?;
            let each = (0..32 / bits).map(|index| self.unpack(format, bits, index, word));
            return Some(Values::new(each.collect()));
        }
        let mut word = self.builder.int(0);
        for (index, &value) in (0..).zip(values.iter()) {
            let part = self.pack(format, bits, value);
            let by = self.builder.int(index * bits);
            let shifted = self.builder.binary(Binary::ShiftLeft, part, by);
            word = self.builder.binary(Binary::Or, word, shifted);
        }
        Some(Values::new(vec![word]))
    }

    /// The sum of the products of bytes.
    fn dot_packed(&mut self, is_signed: bool, a: Value, b: Value) -> Values {
        let mut sum = self.builder.int(0);
        for index in 0..4 {
            let (a, b) = (self.field(is_signed, 8, index, a), self.field(is_signed, 8, index, b));
            let product = self.builder.binary(Binary::Multiply, a, b);
            sum = self.builder.binary(Binary::Add, sum, product);
        }
        Values::new(vec![sum])
    }

    /// A part of a word as an integer.
    fn field(&mut self, is_signed: bool, bits: u32, index: u32, word: Value) -> Value {
        let builder = &mut self.builder;
        if is_signed {
            let (above, others) = (builder.int(32 - bits * (index + 1)), builder.int(32 - bits));
            let at_top = builder.binary(Binary::ShiftLeft, word, above);
            return builder.binary(Binary::ShiftRightSigned, at_top, others);
        }
        let (below, mask) = (builder.int(bits * index), builder.int((1 << bits) - 1));
        let at_bottom = builder.binary(Binary::ShiftRightUnsigned, word, below);
        builder.binary(Binary::And, at_bottom, mask)
    }

    fn unpack(&mut self, format: Format, bits: u32, index: u32, word: Value) -> Value {
        match format {
            Format::Snorm(steps) => {
                let field = self.field(true, bits, index, word);
                let builder = &mut self.builder;
                let float = builder.unary(Unary::FloatFromSigned, field);
                let (steps, least) = (builder.float(steps), builder.float(-1.0));
                let quotient = builder.binary(Binary::FloatDivide, float, steps);
                builder.binary(Binary::FloatMax, quotient, least)
            }
            Format::Unorm(steps) => {
                let field = self.field(false, bits, index, word);
                let builder = &mut self.builder;
                let float = builder.unary(Unary::FloatFromUnsigned, field);
                let steps = builder.float(steps);
                builder.binary(Binary::FloatDivide, float, steps)
            }
            Format::Float => {
                let field = self.field(false, bits, index, word);
                self.builder.math(Fixed::FloatFromF16, &[field])
            }
            Format::Int { is_signed, .. } => self.field(is_signed, bits, index, word),
        }
    }

    /// The lower bits are the part; the others are zero.
    fn pack(&mut self, format: Format, bits: u32, value: Value) -> Value {
        let int = match format {
            Format::Float => return self.builder.math(Fixed::F16FromFloat, &[value]),
            Format::Snorm(steps) | Format::Unorm(steps) => {
                let is_signed = matches!(format, Format::Snorm(_));
                let low = self.builder.float(if is_signed { -1.0 } else { 0.0 });
                let high = self.builder.float(1.0);
                let inside = self.float_clamp(value, low, high);
                let builder = &mut self.builder;
                let (steps, half) = (builder.float(steps), builder.float(0.5));
                let scaled = builder.fma(inside, steps, half);
                let floor = builder.unary(Unary::Floor, scaled);
                builder.unary(Unary::SignedFromFloat, floor)
            }
            Format::Int { is_clamped: false, .. } => value,
            Format::Int { is_signed: true, .. } => {
                let builder = &mut self.builder;
                let (low, high) = (builder.int((-128_i32).cast_unsigned()), builder.int(127));
                let raised = builder.binary(Binary::MaxSigned, value, low);
                builder.binary(Binary::MinSigned, raised, high)
            }
            Format::Int { is_signed: false, .. } => {
                let high = self.builder.int(255);
                self.builder.binary(Binary::MinUnsigned, value, high)
            }
        };
        let mask = self.builder.int((1 << bits) - 1);
        self.builder.binary(Binary::And, int, mask)
    }
}
