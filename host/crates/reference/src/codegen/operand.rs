//! How values are held, and how they are brought onto the stack.

use super::function::{FunctionBuilder, PART_LANES, Vector};
use samebit_wgsl::lowered::Type;
use wasm_encoder::{Ieee32, ValType};

/// A value of each lane.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lanes {
    /// The same bits in all lanes.
    Bits(u32),
    /// A vector.
    Vector(Vector),
    /// The same scalar in all lanes: a local, and what is in it.
    Splat(u32, Type),
    /// An `Int`: the scalar in the local, and so much more with each lane.
    Affine(u32, i32),
    /// The smaller of [`Lanes::Affine`] and the scalar `last`, unsigned. `ok` is a scalar that is 1 if no lane's number is
    /// larger than `last`.
    Clamped {
        /// The number of lane 0.
        base: u32,
        /// How much more it is with each lane.
        step: i32,
        /// The largest number.
        last: u32,
        /// Whether no lane is clamped.
        ok: u32,
    },
}

/// A value that all lanes share.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar {
    /// Known.
    Bits(u32),
    /// In a local.
    Local(u32),
}

/// A value as it is held.
#[derive(Clone, Copy, Debug)]
pub(super) enum Held {
    /// One for all lanes.
    Scalar(Scalar),
    /// One for each lane.
    Lanes(Lanes),
}

/// The type of a local that holds a scalar.
pub(super) fn scalar_type(ty: Type) -> ValType {
    match ty {
        Type::Bool | Type::Int => ValType::I32,
        Type::Float => ValType::F32,
    }
}

impl Held {
    /// The value of each lane.
    pub(super) fn lanes(self, ty: Type) -> Lanes {
        match self {
            Self::Lanes(lanes) => lanes,
            Self::Scalar(Scalar::Local(local)) => Lanes::Splat(local, ty),
            Self::Scalar(Scalar::Bits(bits)) if ty == Type::Bool => Lanes::Bits(0u32.wrapping_sub(bits)),
            Self::Scalar(Scalar::Bits(bits)) => Lanes::Bits(bits),
        }
    }
}

impl FunctionBuilder {
    /// Gives back the locals that something occupies.
    pub(super) fn release_held(&mut self, held: Held) {
        match held {
            Held::Scalar(Scalar::Bits(_)) | Held::Lanes(Lanes::Bits(_)) => {}
            Held::Lanes(Lanes::Vector(vector)) => self.release_vector(vector),
            Held::Scalar(Scalar::Local(local)) | Held::Lanes(Lanes::Splat(local, _) | Lanes::Affine(local, _)) => {
                self.release(local);
            }
            Held::Lanes(Lanes::Clamped { base, last, ok, .. }) => {
                [base, last, ok].into_iter().for_each(|local| self.release(local));
            }
        }
    }

    /// Pushes this part of a vector.
    pub(super) fn push(&mut self, lanes: Lanes) {
        match lanes {
            Lanes::Bits(bits) => self.splat_const(bits),
            Lanes::Vector(vector) => self.get_vector(vector),
            Lanes::Splat(local, Type::Float) => {
                self.ins().local_get(local).f32x4_splat();
            }
            Lanes::Splat(local, Type::Int) => {
                self.ins().local_get(local).i32x4_splat();
            }
            Lanes::Splat(local, Type::Bool) => {
                self.ins().i32_const(0).local_get(local).i32_sub().i32x4_splat();
            }
            Lanes::Affine(base, step) => {
                self.ins().local_get(base).i32x4_splat();
                let first = self.part() * PART_LANES;
                self.lanes_const([0, 1, 2, 3].map(|lane| step.cast_unsigned().wrapping_mul(first + lane)));
                self.ins().i32x4_add();
            }
            Lanes::Clamped { base, step, last, .. } => {
                self.push(Lanes::Affine(base, step));
                self.ins().local_get(last).i32x4_splat().i32x4_min_u();
            }
        }
    }

    /// Pushes a scalar of a type.
    pub(super) fn push_scalar(&mut self, scalar: Scalar, ty: Type) {
        match scalar {
            Scalar::Local(local) => self.get(local),
            Scalar::Bits(bits) if ty == Type::Float => {
                self.ins().f32_const(Ieee32::new(bits));
            }
            Scalar::Bits(bits) => self.i32(bits),
        }
    }

    /// Pops this part of a vector and holds it.
    pub(super) fn keep_lanes(&mut self) -> Lanes {
        Lanes::Vector(self.keep_part())
    }

    /// Gives back what holds a vector made by [`keep_lanes`](Self::keep_lanes).
    pub(super) fn release_lanes(&mut self, lanes: Lanes) {
        if let Lanes::Vector(vector) = lanes {
            self.release_vector(vector);
        }
    }
}
