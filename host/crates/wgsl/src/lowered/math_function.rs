//! The float built-ins that are fixed sequences of operations. `docs/EXACT.md` writes each down.

use super::Type;

macro_rules! math_functions {
    ($($(#[$doc:meta])* $name:ident($($param:ident),*) -> $result:ident;)*) => {
        /// A fixed sequence of operations; [`crate::math`] has them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MathFunction { $($(#[$doc])* $name,)* }

        impl MathFunction {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The types of the operands.
            pub const fn params(self) -> &'static [Type] {
                match self { $(Self::$name => &[$(Type::$param),*],)* }
            }

            /// The type of what comes out.
            pub const fn result(self) -> Type {
                match self { $(Self::$name => Type::$result,)* }
            }
        }
    };
}

math_functions! {
    /// `exp`.
    Exp(Float) -> Float;
    /// `exp2`.
    Exp2(Float) -> Float;
    /// `log`.
    Log(Float) -> Float;
    /// `log2`.
    Log2(Float) -> Float;
    /// `pow`.
    Pow(Float, Float) -> Float;
    /// `sin`.
    Sin(Float) -> Float;
    /// `cos`.
    Cos(Float) -> Float;
    /// `tan`.
    Tan(Float) -> Float;
    /// `asin`.
    Asin(Float) -> Float;
    /// `acos`.
    Acos(Float) -> Float;
    /// `atan`.
    Atan(Float) -> Float;
    /// `atan2(y, x)`.
    Atan2(Float, Float) -> Float;
    /// `sinh`.
    Sinh(Float) -> Float;
    /// `cosh`.
    Cosh(Float) -> Float;
    /// `tanh`.
    Tanh(Float) -> Float;
    /// `asinh`.
    Asinh(Float) -> Float;
    /// `acosh`.
    Acosh(Float) -> Float;
    /// `atanh`.
    Atanh(Float) -> Float;
    /// `ldexp(x, e)`, with a signed exponent.
    Ldexp(Float, Int) -> Float;
    /// `frexp(x).fract`.
    FrexpFract(Float) -> Float;
    /// `frexp(x).exp`.
    FrexpExp(Float) -> Int;
    /// `quantizeToF16`.
    QuantizeToF16(Float) -> Float;
    /// The lower 16 bits of the result are the binary16 nearest to the operand; the upper 16 are zero.
    F16FromFloat(Float) -> Int;
    /// The binary16 in the lower 16 bits of the operand.
    FloatFromF16(Int) -> Float;
}
