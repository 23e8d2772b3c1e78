//! The tests: expressions, and what they are by definition.

use std::fmt;

use samebit_wgsl::lowered::{Binary, Unary, eval};

/// One expression of a program, in WGSL, that gives a `u32`.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) expression: &'static str,
    pub(super) expected: fn([u32; 3]) -> u32,
}

macro_rules! tests {
    ($($(#[$doc:meta])* $test:ident $name:literal { $($expression:literal => $expected:expr;)* })*) => {
        /// What a device is asked to compute.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Test {
            $($(#[$doc])* $test,)*
        }

        impl Test {
            /// All of them.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$test),*];

            /// Its expressions, the most telling first.
            pub(super) fn rows(self) -> &'static [Row] {
                match self {
                    $(Self::$test => {
                        const ROWS: &[Row] = &[$(Row { expression: $expression, expected: $expected }),*];
                        ROWS
                    })*
                }
            }
        }

        impl fmt::Display for Test {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$test => $name,)* })
            }
        }
    };
}

const ONE: u32 = 0x3f80_0000;
const THREE: u32 = 0x4040_0000;

fn add(a: u32, b: u32) -> u32 {
    eval::binary(Binary::FloatAdd, a, b)
}

fn subtract(a: u32, b: u32) -> u32 {
    eval::binary(Binary::FloatSubtract, a, b)
}

fn multiply(a: u32, b: u32) -> u32 {
    eval::binary(Binary::FloatMultiply, a, b)
}

fn divide(a: u32, b: u32) -> u32 {
    eval::binary(Binary::FloatDivide, a, b)
}

fn one(op: Unary, a: u32) -> u32 {
    eval::unary(op, a)
}

fn canonical(bits: u32) -> u32 {
    eval::unary(Unary::Canonical, bits)
}

fn holds(op: Binary, a: u32, b: u32) -> u32 {
    eval::binary(op, a, b)
}

fn negate(a: u32) -> u32 {
    eval::unary(Unary::Negate, a)
}

tests! {
    /// Sums.
    Add "add" {
        "bitcast<u32>(x + y)" => |[x, y, _]| add(x, y);
        "bitcast<u32>(x + 1.0)" => |[x, ..]| add(x, ONE);
    }
    /// Differences.
    Subtract "subtract" {
        "bitcast<u32>(x - y)" => |[x, y, _]| subtract(x, y);
        "bitcast<u32>(1.0 - x)" => |[x, ..]| subtract(ONE, x);
    }
    /// Sums that an optimizer would take apart and put together otherwise.
    Reassociate "reassociate" {
        "bitcast<u32>((x + y) - x)" => |[x, y, _]| subtract(add(x, y), x);
        "bitcast<u32>((x + y) + z)" => |[x, y, z]| add(add(x, y), z);
        "bitcast<u32>(y - ((x + y) - x))" => |[x, y, _]| subtract(y, subtract(add(x, y), x));
        "bitcast<u32>((x * y) * z)" => |[x, y, z]| multiply(multiply(x, y), z);
    }
    /// Products.
    Multiply "multiply" {
        "bitcast<u32>(x * y)" => |[x, y, _]| multiply(x, y);
        "bitcast<u32>(x * 3.0)" => |[x, ..]| multiply(x, THREE);
        "bitcast<u32>(x * x)" => |[x, ..]| multiply(x, x);
    }
    /// Products and sums that an optimizer would fuse.
    Contract "contract" {
        "bitcast<u32>(x * y + z)" => |[x, y, z]| add(multiply(x, y), z);
        "bitcast<u32>(x * y - z)" => |[x, y, z]| subtract(multiply(x, y), z);
        "bitcast<u32>(x * y + x * z)" => |[x, y, z]| add(multiply(x, y), multiply(x, z));
        "bitcast<u32>(z - x * y)" => |[x, y, z]| subtract(z, multiply(x, y));
    }
    /// What an optimizer would take for a zero, a one or the operand itself.
    Fold "fold" {
        "bitcast<u32>(x * 0.0)" => |[x, ..]| multiply(x, 0);
        "bitcast<u32>(x + 0.0)" => |[x, ..]| add(x, 0);
        "bitcast<u32>(x - x)" => |[x, ..]| subtract(x, x);
        "bitcast<u32>(x / x)" => |[x, ..]| divide(x, x);
        "bitcast<u32>(0.0 - x)" => |[x, ..]| subtract(0, x);
    }
    /// Quotients.
    Divide "divide" {
        "bitcast<u32>(x / y)" => |[x, y, _]| divide(x, y);
        "bitcast<u32>(1.0 / x)" => |[x, ..]| divide(ONE, x);
        "bitcast<u32>(x / 3.0)" => |[x, ..]| divide(x, THREE);
    }
    /// Square roots.
    Sqrt "sqrt" {
        "bitcast<u32>(sqrt(x))" => |[x, ..]| one(Unary::Sqrt, x);
        "bitcast<u32>(sqrt(abs(y)))" => |[_, y, _]| one(Unary::Sqrt, one(Unary::Abs, y));
        "bitcast<u32>(inverseSqrt(x))" => |[x, ..]| divide(ONE, one(Unary::Sqrt, x));
    }
    /// Products and sums rounded once.
    Fma "fma" {
        "bitcast<u32>(fma(x, y, z))" => |[x, y, z]| eval::fma(x, y, z);
        "bitcast<u32>(fma(x, y, -z))" => |[x, y, z]| eval::fma(x, y, negate(z));
        "bitcast<u32>(fma(-x, y, x * y))" => |[x, y, _]| eval::fma(negate(x), y, multiply(x, y));
    }
    /// The smaller of two.
    Min "min" {
        "bitcast<u32>(min(x, y))" => |[x, y, _]| canonical(holds(Binary::FloatMin, x, y));
    }
    /// The larger of two.
    Max "max" {
        "bitcast<u32>(max(x, y))" => |[x, y, _]| canonical(holds(Binary::FloatMax, x, y));
    }
    /// Comparisons.
    Compare "compare" {
        "u32(x < y) + 2u * u32(x <= y) + 4u * u32(x == y) + 8u * u32(x != y)" => |[x, y, _]| {
            let equal = holds(Binary::FloatEqual, x, y);
            let order = holds(Binary::FloatLess, x, y) + 2 * holds(Binary::FloatLessEqual, x, y);
            order + 4 * equal + 8 * (1 - equal)
        };
        "u32(x > y) + 2u * u32(x >= y) + 4u * u32(!(x < z)) + 8u * u32(x == x)" => |[x, y, z]| {
            let order = holds(Binary::FloatLess, y, x) + 2 * holds(Binary::FloatLessEqual, y, x);
            order + 4 * (1 - holds(Binary::FloatLess, x, z)) + 8 * holds(Binary::FloatEqual, x, x)
        };
    }
    /// Towards minus infinity.
    Floor "floor" {
        "bitcast<u32>(floor(x))" => |[x, ..]| one(Unary::Floor, x);
    }
    /// Towards plus infinity.
    Ceil "ceil" {
        "bitcast<u32>(ceil(x))" => |[x, ..]| one(Unary::Ceil, x);
    }
    /// Towards zero.
    Trunc "trunc" {
        "bitcast<u32>(trunc(x))" => |[x, ..]| one(Unary::Trunc, x);
    }
    /// To nearest, ties to even.
    Round "round" {
        "bitcast<u32>(round(x))" => |[x, ..]| one(Unary::RoundEven, x);
    }
    /// From floats to signed integers.
    ToSigned "to i32" {
        "bitcast<u32>(i32(x))" => |[x, ..]| one(Unary::SignedFromFloat, x);
    }
    /// From floats to unsigned integers.
    ToUnsigned "to u32" {
        "u32(x)" => |[x, ..]| one(Unary::UnsignedFromFloat, x);
    }
    /// From signed integers to floats.
    FromSigned "from i32" {
        "bitcast<u32>(f32(bitcast<i32>(i)))" => |[i, ..]| one(Unary::FloatFromSigned, i);
    }
    /// From unsigned integers to floats.
    FromUnsigned "from u32" {
        "bitcast<u32>(f32(i))" => |[i, ..]| one(Unary::FloatFromUnsigned, i);
    }
}
