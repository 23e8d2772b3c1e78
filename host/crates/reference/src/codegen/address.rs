//! Where the words of a place are, for four lanes.

use super::emit::Emitter;
use super::operand::Lanes;
use super::shapes::Shape;
use samebit_wgsl::lowered::{Memory, Place};
use wasm_encoder::ValType;

/// Addresses of the first word of each lane.
#[derive(Clone, Copy, Debug)]
pub(super) enum Address {
    /// One for all lanes: the scalar in `base`.
    Uniform { base: u32 },
    /// `step` more with each lane.
    Affine { base: u32, step: i32 },
    /// A vector.
    Lanes { vector: u32 },
    /// [`Affine`](Address::Affine) if the scalar in `ok` is 1, else [`Lanes`](Address::Lanes), which are computed when needed.
    Either { base: u32, step: i32, ok: u32 },
}

/// A place, resolved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolved {
    pub address: Address,
    /// Bytes after each address.
    pub offset: u32,
    /// Bytes from a word to the next of the same lane.
    pub word: u32,
    /// Whether nobody but this gang has this memory.
    pub is_own: bool,
}

/// What lanes add to a place in an invocation's array: the words of four lanes lie side by side.
const ARRAY_LANE_BYTES: i32 = 4;

impl Emitter<'_> {
    /// Finds a place's addresses. [`release_place`](Self::release_place) gives the locals back.
    pub(super) fn resolve(&mut self, place: &Place) -> Resolved {
        let is_own = matches!(place.memory, Memory::Array(_));
        let (scale, lane) = if is_own { (4, ARRAY_LANE_BYTES) } else { (1, 0) };
        let offset = match place.memory {
            Memory::Array(array) => place.constant * 4 + self.layout.array(array),
            _ => place.constant,
        };
        let address = match self.shapes.of_place(place).unwrap_or(Shape::Uniform) {
            Shape::Varying => {
                self.push_vector_address(place);
                Address::Lanes { vector: self.f.keep(ValType::V128) }
            }
            shape => {
                self.push_scalar_address(place);
                let base = self.f.keep(ValType::I32);
                match shape {
                    Shape::Clamped(step) => {
                        let ok = self.all_inside(place);
                        Address::Either { base, step: step.wrapping_mul(scale).wrapping_add(lane), ok }
                    }
                    Shape::Affine(step) => Address::Affine { base, step: step.wrapping_mul(scale).wrapping_add(lane) },
                    _ if is_own => Address::Affine { base, step: lane },
                    _ => Address::Uniform { base },
                }
            }
        };
        Resolved { address, offset, word: if is_own { 16 } else { 4 }, is_own }
    }

    /// Gives back the locals of a resolved place.
    pub(super) fn release_place(&mut self, resolved: Resolved) {
        match resolved.address {
            Address::Uniform { base } | Address::Affine { base, .. } => self.f.release(base),
            Address::Lanes { vector } => self.f.release(vector),
            Address::Either { base, ok, .. } => {
                self.f.release(base);
                self.f.release(ok);
            }
        }
    }

    /// Pushes where a memory starts.
    fn push_memory(&mut self, memory: Memory) {
        match memory {
            Memory::Buffer(binding) => {
                let local = self.buffers[binding as usize];
                self.f.get(local);
            }
            Memory::Workgroup => self.f.get(self.places.scratch),
            Memory::Array(_) => self.f.get(self.places.gang),
        }
    }

    fn is_scalar(&self, index: samebit_wgsl::lowered::Value) -> bool {
        matches!(self.shapes.of(index), Shape::Uniform)
    }

    /// Adds up what all lanes have in common; of affine and clamped indices, what lane 0 has.
    fn push_scalar_address(&mut self, place: &Place) {
        self.push_memory(place.memory);
        for term in &place.terms {
            if self.shapes.of(term.index) != Shape::Varying {
                self.push_scalar(term.index);
                self.scale_scalar(place, term.stride);
                self.f.ins().i32_add();
            }
        }
    }

    fn scale_scalar(&mut self, place: &Place, stride: u32) {
        let stride = if matches!(place.memory, Memory::Array(_)) { stride.wrapping_mul(4) } else { stride };
        if stride != 1 {
            self.f.i32(stride);
            self.f.ins().i32_mul();
        }
    }

    /// Adds up everything, lane by lane.
    pub(super) fn push_vector_address(&mut self, place: &Place) {
        let is_own = matches!(place.memory, Memory::Array(_));
        self.push_memory(place.memory);
        for term in &place.terms {
            if self.is_scalar(term.index) {
                self.push_scalar(term.index);
                self.scale_scalar(place, term.stride);
                self.f.ins().i32_add();
            }
        }
        self.f.ins().i32x4_splat();
        for term in &place.terms {
            if !self.is_scalar(term.index) {
                let lanes = self.lanes(term.index);
                let stride = if is_own { term.stride.wrapping_mul(4) } else { term.stride };
                self.f.push(lanes);
                if stride.is_power_of_two() {
                    self.f.i32(stride.trailing_zeros());
                    self.f.ins().i32x4_shl();
                } else {
                    self.f.push(Lanes::Bits(stride));
                    self.f.ins().i32x4_mul();
                }
                self.f.ins().i32x4_add();
            }
        }
        if is_own {
            self.f.lanes_const([0, 4, 8, 12]);
            self.f.ins().i32x4_add();
        }
    }

    /// Whether none of the clamped indices is clamped in any lane.
    fn all_inside(&mut self, place: &Place) -> u32 {
        let mut any = false;
        for term in &place.terms {
            if let Lanes::Clamped { ok, .. } = self.lanes(term.index) {
                self.f.get(ok);
                if any {
                    self.f.ins().i32_and();
                }
                any = true;
            }
        }
        if !any {
            self.f.i32(0);
        }
        self.f.keep(ValType::I32)
    }
}
