//! Masks: which lanes are active.

use super::emit::{Emitter, Mask};
use super::function::{Target, Vector};

impl Emitter<'_> {
    /// A mask of its own, that lanes can be taken out of.
    pub(super) fn own_mask(&mut self, mask: Mask) -> Vector {
        self.f.each(|f| match mask {
            Mask::All => f.splat_const(u32::MAX),
            Mask::Lanes(mask) => f.get_vector(mask),
        })
    }

    /// Branches if no lane is in a mask.
    pub(super) fn br_if_none(&mut self, mask: Vector, target: Target) {
        self.f.any_true(mask);
        self.f.ins().i32_eqz();
        self.f.br_if(target);
    }

    /// Adds lanes to a mask.
    pub(super) fn join_mask(&mut self, mask: Vector, more: Vector) {
        self.f.for_parts(|f| {
            f.get_vector(mask);
            f.get_vector(more);
            f.ins().v128_or();
            f.set_vector(mask);
        });
    }

    /// What the mask is from now on.
    pub(super) fn assign(&mut self, mask: &mut Mask, new: Vector) {
        let own = match *mask {
            Mask::Lanes(own) => own,
            Mask::All => self.f.vector(),
        };
        *mask = Mask::Lanes(own);
        self.f.for_parts(|f| {
            f.get_vector(new);
            f.set_vector(own);
        });
    }

    pub(super) fn zero_mask(&mut self) -> Vector {
        self.f.each(|f| f.splat_const(0))
    }

    pub(super) fn clear_mask(&mut self, mask: Vector) {
        self.f.for_parts(|f| {
            f.splat_const(0);
            f.set_vector(mask);
        });
    }
}
