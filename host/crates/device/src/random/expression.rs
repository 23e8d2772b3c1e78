//! Random expressions of a type.
//!
//! WGSL evaluates what is constant when a kernel is made, and refuses overflow there. So no expression consists of
//! literals alone: every operation has an operand that comes from memory.

use super::scope::Writer;
use super::types::{Scalar, Type};

/// After so many parts of one line, only leaves follow.
const LINE_PARTS: u32 = 60;
/// In a longer text, only leaves follow.
const TEXT_BYTES: usize = 16_000;

impl Writer {
    /// An expression of a type, at most `depth` operations deep.
    pub(super) fn expression(&mut self, ty: &Type, depth: u32) -> String {
        self.parts += 1;
        let depth = if self.parts > LINE_PARTS || self.text.len() > TEXT_BYTES { 0 } else { depth };
        if depth > 0 && self.rng.one_in(6) {
            let paths = self.paths(ty, |_| true);
            if !paths.is_empty() {
                return self.rng.pick(&paths).clone();
            }
        }
        if depth > 0
            && self.rng.one_in(9)
            && let Some(call) = self.call(ty, depth - 1)
        {
            return call;
        }
        match ty {
            Type::Scalar(scalar) => self.scalar(*scalar, depth),
            Type::Vector(size, scalar) => self.vector(*size, *scalar, depth),
            Type::Matrix(columns, rows) => self.matrix(*columns, *rows, depth),
            Type::Array(..) | Type::Struct(_) => self.composite(ty, depth),
        }
    }

    /// A variable of the type, a value loaded from the input, or a literal next to something loaded.
    fn leaf(&mut self, scalar: Scalar) -> String {
        let paths = self.paths(&Type::Scalar(scalar), |_| true);
        if !paths.is_empty() && !self.rng.one_in(4) {
            let path = self.rng.pick(&paths).clone();
            // What a variable holds may have grown.
            return if scalar == Scalar::F32 && self.is_exact() { format!("f32(i32({path}) & 7i)") } else { path };
        }
        let word = self.input();
        match scalar {
            Scalar::Bool => format!("(({word} & {}u) != 0u)", 1u32 << self.rng.below(6)),
            Scalar::I32 => format!("bitcast<i32>({word})"),
            Scalar::U32 => word,
            Scalar::F32 if self.is_exact() => format!("f32({word} & 7u)"),
            Scalar::F32 if self.rng.one_in(3) => format!("(f32({word} & 1023u) * {})", self.float_literal()),
            Scalar::F32 => format!("bitcast<f32>({word})"),
        }
    }

    /// A word of the input or of the parameters.
    fn input(&mut self) -> String {
        match self.rng.below(4) {
            0 => format!("params[{}].{}", self.rng.below(4), self.rng.pick(&["x", "y", "z", "w"])),
            1 => format!("src[{}]", self.rng.below(super::INPUT_WORDS as u32)),
            _ => format!("src[(gi * {}u + {}u) % 256u]", 1 + self.rng.below(9), self.rng.below(99)),
        }
    }

    pub(super) fn literal(&mut self, scalar: Scalar) -> String {
        match scalar {
            Scalar::Bool => (*self.rng.pick(&["true", "false"])).to_owned(),
            Scalar::I32 => format!("{}i", *self.rng.pick(&[1, 2, 3, 5, 7, 16, 100, 65_537, 2_147_483_647])),
            Scalar::U32 => format!("{}u", *self.rng.pick(&[1, 2, 3, 5, 8, 31, 255, 65_537, 2_654_435_761u32])),
            Scalar::F32 => self.float_literal(),
        }
    }

    pub(super) fn float_literal(&mut self) -> String {
        let exact = ["1f", "2f", "3f"];
        let any = ["0.5f", "1f", "0.1f", "3.25f", "1e-3f", "12345.678f", "1e-38f", "1e30f"];
        (*if self.is_exact() { self.rng.pick(&exact) } else { self.rng.pick(&any) }).to_owned()
    }

    pub(super) fn scalar(&mut self, scalar: Scalar, depth: u32) -> String {
        if depth == 0 {
            return self.leaf(scalar);
        }
        if self.rng.one_in(8) {
            let from = 2 + self.rng.below(3);
            let vector = self.expression(&Type::Vector(from, scalar), depth - 1);
            return match self.rng.below(2) {
                0 => format!("{vector}.{}", ["x", "y", "z", "w"][self.rng.below(from) as usize]),
                _ => format!("{vector}[{}]", self.index(from)),
            };
        }
        match scalar {
            Scalar::Bool => self.boolean(depth - 1),
            Scalar::I32 | Scalar::U32 => self.integer(scalar, depth - 1),
            Scalar::F32 if self.is_exact() => self.exact_float(depth - 1),
            Scalar::F32 => self.float(depth - 1),
        }
    }

    fn boolean(&mut self, depth: u32) -> String {
        match self.rng.below(6) {
            0 => format!("!{}", self.scalar(Scalar::Bool, depth)),
            1 => {
                let op = *self.rng.pick(&["&&", "||", "&", "|", "==", "!="]);
                let (a, b) = (self.scalar(Scalar::Bool, depth), self.scalar(Scalar::Bool, depth));
                format!("({a} {op} {b})")
            }
            2 => {
                let size = 2 + self.rng.below(3);
                let vector = self.expression(&Type::Vector(size, Scalar::Bool), depth);
                format!("{}({vector})", *self.rng.pick(&["any", "all"]))
            }
            _ => {
                let of = *self.rng.pick(&[Scalar::I32, Scalar::U32, Scalar::F32]);
                let op = *self.rng.pick(&["<", "<=", ">", ">=", "==", "!="]);
                let (a, b) = (self.scalar(of, depth), self.scalar(of, depth));
                format!("({a} {op} {b})")
            }
        }
    }

    fn integer(&mut self, scalar: Scalar, depth: u32) -> String {
        let a = self.scalar(scalar, depth);
        let with_literal = self.rng.one_in(3);
        match self.rng.below(11) {
            0..=3 => {
                let op = *self.rng.pick(&["+", "-", "*", "&", "|", "^", "/", "%"]);
                let b = if with_literal { self.literal(scalar) } else { self.scalar(scalar, depth) };
                format!("({a} {op} {b})")
            }
            4 => {
                let op = *self.rng.pick(&["<<", ">>"]);
                let count =
                    if with_literal { format!("{}u", self.rng.below(32)) } else { self.scalar(Scalar::U32, depth) };
                format!("({a} {op} {count})")
            }
            5 => {
                let name = *self.rng.pick(&[
                    "countOneBits",
                    "countLeadingZeros",
                    "countTrailingZeros",
                    "reverseBits",
                    "firstLeadingBit",
                    "firstTrailingBit",
                    "abs",
                ]);
                format!("{name}({a})")
            }
            6 => {
                let name = *self.rng.pick(&["min", "max"]);
                format!("{name}({a}, {})", self.scalar(scalar, depth))
            }
            7 => {
                let (b, c) = (self.scalar(scalar, depth), self.scalar(Scalar::Bool, depth));
                format!("select({a}, {b}, {c})")
            }
            8 if scalar == Scalar::U32 => format!("bitcast<u32>({})", self.scalar(Scalar::I32, depth)),
            8 => format!("(-{a})"),
            9 => {
                let from = *self.rng.pick(&[Scalar::Bool, Scalar::I32, Scalar::U32, Scalar::F32]);
                let value = self.scalar(from, depth);
                let is_clamped = from == Scalar::F32 && scalar == Scalar::U32 && self.is_exact();
                let value = if is_clamped { format!("abs({value})") } else { value };
                format!("{}({value})", scalar.name())
            }
            _ if self.rng.one_in(2) => {
                let (offset, count) = (self.scalar(Scalar::U32, depth), self.scalar(Scalar::U32, depth));
                format!("extractBits({a}, {offset} & 31u, {count} & 31u)")
            }
            _ if scalar == Scalar::I32 => format!("~{a}"),
            _ if self.is_exact() => format!("~{a}"),
            _ => {
                let bits = self.scalar(Scalar::F32, depth);
                format!("(bitcast<u32>({bits}) ^ {a})")
            }
        }
    }

    /// Whole numbers of at most 7 in magnitude come in, and what is computed from them stays exact.
    fn exact_float(&mut self, depth: u32) -> String {
        let a = self.leaf(Scalar::F32);
        let b = self.leaf(Scalar::F32);
        match self.rng.below(7) {
            0 => format!("({a} + {b})"),
            1 => format!("({a} - {b})"),
            2 => format!("({a} * {b})"),
            3 => format!("{}({a}, {b})", *self.rng.pick(&["min", "max"])),
            4 => format!("floor({a} * 0.5f)"),
            5 => format!("abs({a} - {b})"),
            _ => format!("select({a}, {b}, {})", self.scalar(Scalar::Bool, depth)),
        }
    }

    /// An index into `length` elements: inside, if floats are exact; else sometimes out of range.
    pub(super) fn index(&mut self, length: u32) -> String {
        match self.rng.below(4) {
            0 => format!("{}", self.rng.below(length)),
            1 if !self.is_exact() => self.scalar(Scalar::I32, 1),
            _ => format!("({} % {length}u)", self.scalar(Scalar::U32, 1)),
        }
    }

    /// A call of a function with that result, if there is one.
    fn call(&mut self, ty: &Type, depth: u32) -> Option<String> {
        let candidates: Vec<_> = self.functions.iter().filter(|function| function.result == *ty).cloned().collect();
        if candidates.is_empty() {
            return None;
        }
        let function = self.rng.pick(&candidates).clone();
        let mut args: Vec<_> = function.params.iter().map(|ty| self.expression(ty, depth.min(2))).collect();
        if let Some((space, of)) = &function.pointer {
            let pointers: Vec<_> = self
                .names
                .iter()
                .filter(|name| name.ty == *of)
                .filter_map(|name| name.pointer.as_ref().filter(|(_, at)| at == space))
                .map(|(pointer, _)| pointer.clone())
                .collect();
            if pointers.is_empty() {
                return None;
            }
            args.push(self.rng.pick(&pointers).clone());
        }
        Some(format!("{}({})", function.name, args.join(", ")))
    }
}
