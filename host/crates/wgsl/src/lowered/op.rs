//! Operations: from values to a value, without memory and without order.

use super::{MathFunction, Value};

/// The type of a value. An integer has no sign: operations have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// True or false. In [`eval`](super::eval), 1 or 0.
    Bool,
    /// 32 bits.
    Int,
    /// IEEE 754 binary32.
    Float,
}

/// What is known where an invocation runs. The axes are 0 for x, 1 for y, 2 for z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Builtin {
    /// `local_invocation_id`.
    LocalId(u8),
    /// `local_invocation_index`.
    LocalIndex,
    /// `workgroup_id`.
    WorkgroupId(u8),
    /// `num_workgroups`, the same in the whole dispatch.
    NumWorkgroups(u8),
    /// `global_invocation_id`.
    GlobalId(u8),
}

/// How a value comes about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// A constant of the value's type, by its bits. Floats that are NaN are `0x7fc00000`.
    Constant(u32),
    /// Something the invocation knows of itself.
    Builtin(Builtin),
    /// How many bytes are bound to a buffer, a multiple of 4. The same in the whole dispatch.
    Length(u32),
    /// Of one value.
    Unary(Unary, Value),
    /// Of two values.
    Binary(Binary, Value, Value),
    /// The first value if the condition holds, else the second. Both are computed.
    Select {
        /// A `Bool`.
        condition: Value,
        /// The value if it is true.
        accept: Value,
        /// The value if it is false.
        reject: Value,
    },
    /// `a * b + c`, rounded once.
    Fma(Value, Value, Value),
    /// The smaller of an index and the last index, as unsigned numbers: what keeps a [`Place`](super::Place) inside.
    /// `samebit check` reports where the index was the larger.
    Clamp {
        /// Any index.
        index: Value,
        /// The last that is allowed.
        last: Value,
        /// Where in the text something is indexed.
        at: super::At,
    },
    /// A fixed sequence of operations.
    Math(MathFunction, Vec<Value>),
}

impl Op {
    /// Looks at each operand.
    pub fn operands(&self, mut look: impl FnMut(Value)) {
        match self {
            Self::Constant(_) | Self::Builtin(_) | Self::Length(_) => {}
            Self::Unary(_, a) => look(*a),
            Self::Binary(_, a, b) => [*a, *b].into_iter().for_each(look),
            Self::Clamp { index, last, .. } => [*index, *last].into_iter().for_each(look),
            Self::Select { condition, accept, reject } => [*condition, *accept, *reject].into_iter().for_each(look),
            Self::Fma(a, b, c) => [*a, *b, *c].into_iter().for_each(look),
            Self::Math(_, args) => args.iter().copied().for_each(look),
        }
    }

    /// Puts another value in the place of each operand.
    pub fn replace(&mut self, mut with: impl FnMut(Value) -> Value) {
        let mut replace = |value: &mut Value| *value = with(*value);
        match self {
            Self::Constant(_) | Self::Builtin(_) | Self::Length(_) => {}
            Self::Unary(_, a) => replace(a),
            Self::Binary(_, a, b) => [a, b].into_iter().for_each(replace),
            Self::Clamp { index, last, .. } => [index, last].into_iter().for_each(replace),
            Self::Select { condition, accept, reject } => [condition, accept, reject].into_iter().for_each(replace),
            Self::Fma(a, b, c) => [a, b, c].into_iter().for_each(replace),
            Self::Math(_, args) => args.iter_mut().for_each(replace),
        }
    }
}

/// Operations of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unary {
    /// Bool → Bool.
    Not,
    /// Bool → Int: 1 or 0.
    IntFromBool,
    /// Int → Int: how many bits are set.
    CountOnes,
    /// Int → Int: how many zeros lead; 32 for 0.
    LeadingZeros,
    /// Int → Int: how many zeros trail; 32 for 0.
    TrailingZeros,
    /// Int → Int: bits in the opposite order.
    ReverseBits,
    /// Int → Float: of a signed integer, to nearest even.
    FloatFromSigned,
    /// Int → Float: of an unsigned integer, to nearest even.
    FloatFromUnsigned,
    /// Int → Float: the same bits. A NaN may be any.
    FloatFromBits,
    /// Float → Int: towards zero, clamped to -2147483648 ..= 2147483520; NaN becomes 0.
    SignedFromFloat,
    /// Float → Int: towards zero, clamped to 0 ..= 4294967040; NaN becomes 0.
    UnsignedFromFloat,
    /// Float → Int: the same bits. Which NaN a NaN is differs between devices, so an operand that may be one has gone
    /// through [`Canonical`](Unary::Canonical), or what follows is the same for all of them.
    BitsFromFloat,
    /// Float → Float: every NaN becomes `0x7fc00000`.
    Canonical,
    /// Float → Float: the sign bit flipped, of NaN and zero as well.
    Negate,
    /// Float → Float: the sign bit cleared.
    Abs,
    /// Float → Float: rounded to nearest even.
    Sqrt,
    /// Float → Float: towards minus infinity. Keeps the sign of zero, as do the next three.
    Floor,
    /// Float → Float: towards plus infinity.
    Ceil,
    /// Float → Float: towards zero.
    Trunc,
    /// Float → Float: to nearest, ties to even.
    RoundEven,
}

impl Unary {
    /// The type of the operand.
    pub const fn operand(self) -> Type {
        match self {
            Self::Not | Self::IntFromBool => Type::Bool,
            Self::CountOnes
            | Self::LeadingZeros
            | Self::TrailingZeros
            | Self::ReverseBits
            | Self::FloatFromSigned
            | Self::FloatFromUnsigned
            | Self::FloatFromBits => Type::Int,
            Self::SignedFromFloat
            | Self::UnsignedFromFloat
            | Self::BitsFromFloat
            | Self::Canonical
            | Self::Negate
            | Self::Abs
            | Self::Sqrt
            | Self::Floor
            | Self::Ceil
            | Self::Trunc
            | Self::RoundEven => Type::Float,
        }
    }

    /// The type of what comes out.
    pub const fn result(self) -> Type {
        match self {
            Self::Not => Type::Bool,
            Self::IntFromBool
            | Self::CountOnes
            | Self::LeadingZeros
            | Self::TrailingZeros
            | Self::ReverseBits
            | Self::SignedFromFloat
            | Self::UnsignedFromFloat
            | Self::BitsFromFloat => Type::Int,
            Self::FloatFromSigned
            | Self::FloatFromUnsigned
            | Self::FloatFromBits
            | Self::Canonical
            | Self::Negate
            | Self::Abs
            | Self::Sqrt
            | Self::Floor
            | Self::Ceil
            | Self::Trunc
            | Self::RoundEven => Type::Float,
        }
    }
}

/// Operations of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binary {
    /// Bool, Bool → Bool.
    BoolAnd,
    /// Bool, Bool → Bool.
    BoolOr,
    /// Bool, Bool → Bool: whether they are the same.
    BoolEqual,
    /// Int, Int → Int; wraps, as do the next two.
    Add,
    /// Int, Int → Int.
    Subtract,
    /// Int, Int → Int.
    Multiply,
    /// Int, Int → Int: the upper half of the unsigned product of 64 bits.
    MultiplyHigh,
    /// Int, Int → Int: signed; `x / 0` is `x`, and so is `i32::MIN / -1`.
    DivideSigned,
    /// Int, Int → Int: unsigned; `x / 0` is `x`.
    DivideUnsigned,
    /// Int, Int → Int: signed, with the sign of the first; `x % 0` is 0, and so is `i32::MIN % -1`.
    RemainderSigned,
    /// Int, Int → Int: unsigned; `x % 0` is 0.
    RemainderUnsigned,
    /// Int, Int → Int: bitwise.
    And,
    /// Int, Int → Int: bitwise.
    Or,
    /// Int, Int → Int: bitwise.
    Xor,
    /// Int, Int → Int: by the second modulo 32, as the next two.
    ShiftLeft,
    /// Int, Int → Int: zeros come in.
    ShiftRightUnsigned,
    /// Int, Int → Int: copies of the sign come in.
    ShiftRightSigned,
    /// Int, Int → Int.
    MinSigned,
    /// Int, Int → Int.
    MaxSigned,
    /// Int, Int → Int.
    MinUnsigned,
    /// Int, Int → Int.
    MaxUnsigned,
    /// Int, Int → Bool.
    Equal,
    /// Int, Int → Bool.
    LessSigned,
    /// Int, Int → Bool.
    LessUnsigned,
    /// Float, Float → Float: to nearest even, as the next three. Which NaN comes out is open.
    FloatAdd,
    /// Float, Float → Float.
    FloatSubtract,
    /// Float, Float → Float.
    FloatMultiply,
    /// Float, Float → Float.
    FloatDivide,
    /// Float, Float → Float: the second if it is less or the first is NaN, else the first.
    FloatMin,
    /// Float, Float → Float: the second if it is greater or the first is NaN, else the first.
    FloatMax,
    /// Float, Float → Bool: false if either is NaN, as the next two. The negation of this is WGSL's `!=`.
    FloatEqual,
    /// Float, Float → Bool.
    FloatLess,
    /// Float, Float → Bool.
    FloatLessEqual,
}

impl Binary {
    /// The type of both operands.
    pub const fn operand(self) -> Type {
        match self {
            Self::BoolAnd | Self::BoolOr | Self::BoolEqual => Type::Bool,
            Self::FloatAdd
            | Self::FloatSubtract
            | Self::FloatMultiply
            | Self::FloatDivide
            | Self::FloatMin
            | Self::FloatMax
            | Self::FloatEqual
            | Self::FloatLess
            | Self::FloatLessEqual => Type::Float,
            _ => Type::Int,
        }
    }

    /// The type of what comes out.
    pub const fn result(self) -> Type {
        match self {
            Self::BoolAnd
            | Self::BoolOr
            | Self::BoolEqual
            | Self::Equal
            | Self::LessSigned
            | Self::LessUnsigned
            | Self::FloatEqual
            | Self::FloatLess
            | Self::FloatLessEqual => Type::Bool,
            Self::FloatAdd
            | Self::FloatSubtract
            | Self::FloatMultiply
            | Self::FloatDivide
            | Self::FloatMin
            | Self::FloatMax => Type::Float,
            _ => Type::Int,
        }
    }
}
