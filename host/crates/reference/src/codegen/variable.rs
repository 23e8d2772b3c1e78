//! Variables: where they are, and how lanes that are not active keep theirs.

use super::emit::{Emitter, Mask};
use super::flow::BlockId;
use super::function::Vector;
use super::operand::{Scalar, scalar_type};
use super::shapes::Shape;
use samebit_wgsl::lowered::{Value, Variable};

/// What holds a variable.
#[derive(Clone, Copy, Debug)]
pub(super) enum Home {
    /// A local with what all lanes have, or what lane 0 has.
    Scalar(u32),
    /// A number of each lane.
    Lanes(Vector),
}

impl Emitter<'_> {
    /// What holds a variable.
    pub(super) fn variable(&mut self, variable: Variable) -> Home {
        let index = variable.0 as usize;
        if let Some(home) = self.homes[index] {
            return home;
        }
        let home = match self.shapes.of_variable(variable) {
            Shape::Uniform | Shape::Affine(_) => Home::Scalar(self.f.local(scalar_type(self.kernel.variables[index]))),
            Shape::Clamped(_) | Shape::Varying => Home::Lanes(self.f.vector()),
        };
        self.homes[index] = Some(home);
        home
    }

    /// Makes a variable zero.
    pub(super) fn zero_variable(&mut self, variable: Variable) {
        match self.variable(variable) {
            Home::Scalar(local) => {
                self.f.push_scalar(Scalar::Bits(0), self.kernel.variables[variable.0 as usize]);
                self.f.set(local);
            }
            Home::Lanes(vector) => self.f.for_parts(|f| {
                f.splat_const(0);
                f.set_vector(vector);
            }),
        }
    }

    /// Reads a variable.
    pub(super) fn get_variable(&mut self, value: Value, variable: Variable) {
        match self.variable(variable) {
            Home::Scalar(local) => {
                self.f.get(local);
                self.define_popped(value);
            }
            Home::Lanes(vector) => {
                let copy = self.f.each(|f| f.get_vector(vector));
                self.define_vector(value, copy);
            }
        }
    }

    /// Writes a variable.
    pub(super) fn set_variable(&mut self, variable: Variable, value: Value, block: BlockId, mask: Mask) {
        match self.variable(variable) {
            Home::Scalar(local) => {
                self.push_scalar(value);
                self.f.set(local);
            }
            Home::Lanes(vector) => {
                let lanes = self.lanes(value);
                let blended = self.shapes.is_blended(variable, block);
                self.f.for_parts(|f| {
                    f.push(lanes);
                    if let (Mask::Lanes(mask), true) = (mask, blended) {
                        f.get_vector(vector);
                        f.get_vector(mask);
                        f.ins().v128_bitselect();
                    }
                    f.set_vector(vector);
                });
            }
        }
    }
}
