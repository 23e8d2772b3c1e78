//! Where the words of a place are, for all lanes.

use super::emit::Emitter;
use super::function::{FunctionBuilder, PART_LANES, Vector};
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
    Lanes { vector: Vector },
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
    /// Whether no other thread has this memory, also where lanes of a gang would be that do not exist.
    pub is_local: bool,
    /// Bytes from a word of one part to the same word of the next, if that is how parts lie.
    part: Option<u32>,
}

/// Where the first lane of a part finds its first word.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartBase {
    pub base: u32,
    /// Bytes after it.
    pub offset: u32,
    /// Whether the local was made for this part.
    is_made: bool,
}

/// The most bytes that are added to an address by the instruction that uses it.
const OFFSET_MAX: u32 = 1 << 16;

impl FunctionBuilder {
    /// Where the part that code is generated for begins, of addresses that are `step` bytes apart.
    pub(super) fn part_base(&mut self, base: u32, step: i32, place: Resolved) -> PartBase {
        let lanes = step.cast_unsigned().wrapping_mul(PART_LANES);
        // Where each part has an area, lanes of the next do not come after those of this one.
        let shift = place.part.map_or(lanes, |bytes| {
            bytes.wrapping_add(lanes).wrapping_sub(ARRAY_LANE_BYTES.cast_unsigned() * PART_LANES)
        });
        let shift = shift.wrapping_mul(self.part());
        if shift <= OFFSET_MAX {
            return PartBase { base, offset: place.offset + shift, is_made: false };
        }
        self.ins().local_get(base).i32_const(shift.cast_signed()).i32_add();
        PartBase { base: self.keep(ValType::I32), offset: place.offset, is_made: true }
    }

    /// Gives back what [`part_base`](Self::part_base) made.
    pub(super) fn release_base(&mut self, at: PartBase) {
        if at.is_made {
            self.release(at.base);
        }
    }
}

impl PartBase {
    /// At an address that is known already.
    pub(super) fn new(base: u32, offset: u32) -> Self {
        Self { base, offset, is_made: false }
    }
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
            Shape::Varying => Address::Lanes { vector: self.each(|this| this.push_vector_address(place)) },
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
        let is_local = match place.memory {
            Memory::Array(_) => true,
            Memory::Workgroup => !self.layout.is_partial(),
            Memory::Buffer(_) => false,
        };
        let part = is_own.then_some(self.layout.part_bytes);
        Resolved { address, offset, word: if is_own { 16 } else { 4 }, is_local, part }
    }

    /// Gives back the locals of a resolved place.
    pub(super) fn release_place(&mut self, resolved: Resolved) {
        match resolved.address {
            Address::Uniform { base } | Address::Affine { base, .. } => self.f.release(base),
            Address::Lanes { vector } => self.f.release_vector(vector),
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

    /// Adds up everything, for each lane of this part.
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
            let first = self.layout.part_bytes * self.f.part();
            self.f.lanes_const([0, 4, 8, 12].map(|lane| first + lane));
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
