//! How a device computes each operation of floats: by its own instruction, or by a sequence that stands in for it.

/// A group of operations for which a device's instructions are trusted, or not, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Sum and difference.
    Add,
    /// Product.
    Multiply,
    /// Quotient.
    Divide,
    /// Square root.
    Sqrt,
    /// `a * b + c`, rounded once.
    Fma,
    /// Comparisons, and the smaller and larger of two.
    Compare,
    /// `floor`, `ceil`, `trunc` and `round`.
    Round,
    /// From floats to integers.
    ToInteger,
    /// From integers to floats.
    FromInteger,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Add,
        Self::Multiply,
        Self::Divide,
        Self::Sqrt,
        Self::Fma,
        Self::Compare,
        Self::Round,
        Self::ToInteger,
        Self::FromInteger,
    ];

    /// In which ways it can be computed, best first. [`Method::Integer`], the last of each, is right on every device.
    pub const fn methods(self) -> &'static [Method] {
        match self {
            Self::Fma => &[Method::Native, Method::Double, Method::Integer],
            Self::Divide | Self::Sqrt => &[Method::Native, Method::Corrected, Method::Integer],
            _ => &[Method::Native, Method::Integer],
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Add => "add",
            Self::Multiply => "multiply",
            Self::Divide => "divide",
            Self::Sqrt => "sqrt",
            Self::Fma => "fma",
            Self::Compare => "compare",
            Self::Round => "round",
            Self::ToInteger => "to integer",
            Self::FromInteger => "from integer",
        })
    }
}

/// How an operation is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// By the device's instruction for it.
    Native,
    /// By the device's instruction, whose result is off by a few units at most, and integers that put it right.
    Corrected,
    /// By operations of binary64, with the sum rounded to odd. Needs a device that has them.
    Double,
    /// By integers alone.
    Integer,
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Corrected => "corrected",
            Self::Double => "double",
            Self::Integer => "integer",
        })
    }
}

/// How each operation is computed. What stands in for one uses only operations of integers, unless its method says
/// otherwise, so that each can be chosen by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arithmetic {
    methods: [Method; Operation::ALL.len()],
}

impl Arithmetic {
    /// Everything by the device's own instructions.
    pub const NATIVE: Self = Self { methods: [Method::Native; Operation::ALL.len()] };
    /// Everything by integers: slow, and right everywhere.
    pub const INTEGER: Self = Self { methods: [Method::Integer; Operation::ALL.len()] };

    /// How an operation is computed.
    pub const fn of(&self, operation: Operation) -> Method {
        self.methods[operation as usize]
    }

    /// The same, but for one operation.
    #[must_use]
    pub const fn with(mut self, operation: Operation, method: Method) -> Self {
        self.methods[operation as usize] = method;
        self
    }

    /// Whether it takes a device that computes with binary64.
    pub(crate) fn needs_doubles(&self) -> bool {
        self.methods.contains(&Method::Double)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_its_own_method() {
        for (index, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, index);
            let one = Arithmetic::NATIVE.with(operation, Method::Integer);
            for other in Operation::ALL {
                let expected = if other == operation { Method::Integer } else { Method::Native };
                assert_eq!(one.of(other), expected);
            }
            assert_eq!(operation.methods().last(), Some(&Method::Integer));
        }
    }
}
