//! Random expressions of floats, any of them.

use super::scope::Writer;
use super::types::{Scalar, Type};

/// Operations of floats whose results depend on bits that only the exact profile defines.
const FLOAT_FUNCTIONS: [&str; 22] = [
    "sqrt",
    "inverseSqrt",
    "exp",
    "exp2",
    "log",
    "log2",
    "sin",
    "cos",
    "tan",
    "tanh",
    "atan",
    "asin",
    "acos",
    "sinh",
    "cosh",
    "fract",
    "asinh",
    "acosh",
    "atanh",
    "quantizeToF16",
    "saturate",
    "radians",
];

impl Writer {
    /// An operation of floats.
    pub(super) fn float(&mut self, depth: u32) -> String {
        let a = self.scalar(Scalar::F32, depth);
        match self.rng.below(14) {
            0..=3 => {
                let op = *self.rng.pick(&["+", "-", "*", "/", "%"]);
                let b = if self.rng.one_in(3) { self.float_literal() } else { self.scalar(Scalar::F32, depth) };
                format!("({a} {op} {b})")
            }
            4 => {
                let (b, c) = (self.scalar(Scalar::F32, depth), self.scalar(Scalar::F32, depth));
                let name = *self.rng.pick(&["fma", "mix", "smoothstep", "clamp"]);
                format!("{name}({a}, {b}, {c})")
            }
            5 | 6 => format!("{}({a})", *self.rng.pick(&FLOAT_FUNCTIONS)),
            7 => format!("{}({a})", *self.rng.pick(&["floor", "ceil", "trunc", "round", "abs", "sign"])),
            8 => {
                let name = *self.rng.pick(&["min", "max", "pow", "atan2", "step"]);
                format!("{name}({a}, {})", self.scalar(Scalar::F32, depth))
            }
            9 => format!("(-{a})"),
            10 => {
                let from = *self.rng.pick(&[Scalar::I32, Scalar::U32]);
                format!("f32({})", self.scalar(from, depth))
            }
            11 => {
                let part = *self.rng.pick(&["modf(#).fract", "modf(#).whole", "frexp(#).fract", "degrees(#)"]);
                part.replace('#', &a)
            }
            12 => match self.rng.below(3) {
                0 => format!("ldexp({a}, {})", self.scalar(Scalar::I32, depth)),
                1 => format!("unpack2x16float({}).y", self.scalar(Scalar::U32, depth)),
                _ => {
                    let of = Type::Vector(3, Scalar::F32);
                    let name = *self.rng.pick(&["cross", "reflect"]);
                    let (a, b) = (self.expression(&of, depth), self.expression(&of, depth));
                    format!("length({name}({a}, normalize({b})))")
                }
            },
            _ => {
                let size = 2 + self.rng.below(3);
                let of = Type::Vector(size, Scalar::F32);
                let name = *self.rng.pick(&["dot", "distance"]);
                let (a, b) = (self.expression(&of, depth), self.expression(&of, depth));
                format!("{name}({a}, {b})")
            }
        }
    }
}
