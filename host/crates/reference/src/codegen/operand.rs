//! How values are held, and how they are brought onto the stack.

use super::function::FunctionBuilder;
use samebit_wgsl::lowered::Type;
use wasm_encoder::{Ieee32, ValType};

/// A value of each lane.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lanes {
    /// The same bits in all lanes.
    Bits(u32),
    /// A vector.
    Vector(u32),
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

    /// The locals that it occupies.
    pub(super) fn locals(self) -> impl Iterator<Item = u32> {
        let [a, b, c] = match self {
            Self::Scalar(Scalar::Bits(_)) | Self::Lanes(Lanes::Bits(_)) => [None; 3],
            Self::Scalar(Scalar::Local(local))
            | Self::Lanes(Lanes::Vector(local) | Lanes::Splat(local, _) | Lanes::Affine(local, _)) => {
                [Some(local), None, None]
            }
            Self::Lanes(Lanes::Clamped { base, last, ok, .. }) => [Some(base), Some(last), Some(ok)],
        };
        [a, b, c].into_iter().flatten()
    }
}

impl FunctionBuilder {
    /// Pushes a vector.
    pub(super) fn push(&mut self, lanes: Lanes) {
        match lanes {
            Lanes::Bits(bits) => self.splat_const(bits),
            Lanes::Vector(local) => self.get(local),
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
                self.lanes_const([0, 1, 2, 3].map(|lane| step.wrapping_mul(lane).cast_unsigned()));
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

    /// Pops a vector and holds it.
    pub(super) fn keep_vector(&mut self) -> Lanes {
        Lanes::Vector(self.keep(ValType::V128))
    }

    /// Gives back what holds a vector made by [`keep_vector`](Self::keep_vector).
    pub(super) fn release_vector(&mut self, lanes: Lanes) {
        if let Lanes::Vector(local) = lanes {
            self.release(local);
        }
    }
}
