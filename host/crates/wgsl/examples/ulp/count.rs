//! How many operations a sequence has.

use samebit_wgsl::lowered::{Binary, MathFunction, Ops, Unary};
use samebit_wgsl::math::sequence;
use std::fmt;

/// Operations, without those that only say that bits are a float or an integer.
#[derive(Debug, Default)]
pub(super) struct Operations {
    usual: u32,
    rare: u32,
}

/// Counts the operations of a function.
pub(super) fn operations(function: MathFunction) -> Operations {
    let mut operations = Operations::default();
    sequence(&mut operations, function, &[(); 2][..function.params().len()]);
    operations
}

impl Ops for Operations {
    type V = ();

    fn bits(&mut self, _: u32) {}

    fn unary(&mut self, op: Unary, _: ()) {
        self.usual += u32::from(!matches!(op, Unary::FloatFromBits | Unary::BitsFromFloat));
    }

    fn binary(&mut self, _: Binary, _: (), _: ()) {
        self.usual += 1;
    }

    fn select(&mut self, _: (), _: (), _: ()) {
        self.usual += 1;
    }

    fn fma(&mut self, _: (), _: (), _: ()) {
        self.usual += 1;
    }

    fn rarely<const N: usize>(&mut self, _: (), _: [(); N], rare: impl FnOnce(&mut Self) -> [(); N]) -> [(); N] {
        let mut inner = Self::default();
        rare(&mut inner);
        self.rare += inner.usual + inner.rare;
        [(); N]
    }

    fn call(&mut self, function: MathFunction, args: &[()]) {
        sequence(self, function, args);
    }
}

impl fmt::Display for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.usual)?;
        if self.rare > 0 {
            write!(f, ", rarely {}", self.rare)?;
        }
        Ok(())
    }
}
