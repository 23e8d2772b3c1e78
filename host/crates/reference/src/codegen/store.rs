//! Writing memory. What inactive lanes would write is never written, not even with what is there already: other
//! threads own those words.

use super::address::{Address, PartBase, Resolved};
use super::emit::{Emitter, Mask};
use super::function::{FunctionBuilder, Vector, word};
use super::load::{LaneAddresses, words};
use super::operand::{Held, Lanes};
use samebit_wgsl::lowered::{Place, Type, Value};
use wasm_encoder::ValType;

impl FunctionBuilder {
    /// Stores the words of one lane of this part at a time, where the mask says so.
    fn scatter(&mut self, addresses: LaneAddresses, stride: u32, mask: Mask, values: &[Lanes]) {
        let vectors: Vec<_> = values
            .iter()
            .map(|value| {
                self.push(*value);
                self.keep_part()
            })
            .collect();
        self.for_lanes(mask, |this, lane| {
            let (local, offset) = addresses[usize::from(lane)];
            for (index, vector) in vectors.iter().enumerate() {
                let memory = word(offset + stride * index as u32);
                this.get(local);
                this.get_vector(*vector);
                this.ins().v128_store32_lane(memory, lane);
            }
        });
        vectors.into_iter().for_each(|vector| self.release_vector(vector));
    }

    /// Does something for each active lane of this part, one after the other.
    pub(super) fn for_lanes(&mut self, mask: Mask, mut each: impl FnMut(&mut Self, u8)) {
        let bits = match mask {
            Mask::All => None,
            Mask::Lanes(mask) => {
                self.get_vector(mask);
                self.ins().i32x4_bitmask();
                Some(self.keep(ValType::I32))
            }
        };
        for lane in 0..4 {
            if let Some(bits) = bits {
                self.ins().local_get(bits).i32_const(1 << lane).i32_and();
                self.if_();
            }
            each(self, lane);
            if bits.is_some() {
                self.end();
            }
        }
        bits.into_iter().for_each(|bits| self.release(bits));
    }

    /// Whether whole vectors can be written for addresses that are `step` bytes apart.
    fn is_dense(step: i32, place: Resolved, count: usize) -> bool {
        step == 4 || (place.word == 4 && matches!((step, count), (8, 2) | (16, 4)))
    }

    /// Writes whole vectors, of this part.
    fn store_dense(&mut self, at: PartBase, step: i32, stride: u32, values: &[Lanes]) {
        let PartBase { base, offset, .. } = at;
        if step == 4 {
            for (index, value) in values.iter().enumerate() {
                self.get(base);
                self.push(*value);
                self.ins().v128_store(word(offset + stride * index as u32));
            }
        } else if let [first, second] = *values {
            for (part, numbers) in [(0, [0, 4, 1, 5]), (16, [2, 6, 3, 7])] {
                self.get(base);
                self.push(first);
                self.push(second);
                self.ins().i8x16_shuffle(words(numbers)).v128_store(word(offset + part));
            }
        } else if let [a, b, c, d] = *values {
            let rows = [a, b, c, d].map(|value| {
                self.push(value);
                self.keep_part()
            });
            self.transpose(rows);
            for (index, row) in rows.into_iter().enumerate() {
                self.get(base);
                self.get_vector(row);
                self.ins().v128_store(word(offset + 16 * index as u32));
                self.release_vector(row);
            }
        }
    }

    /// Writes one lane at a time, of this part.
    fn store_sparse(&mut self, at: PartBase, step: i32, stride: u32, mask: Mask, values: &[Lanes]) {
        let (addresses, made) = self.affine_addresses(at, step);
        self.scatter(addresses, stride, mask, values);
        made.into_iter().for_each(|local| self.release(local));
    }

    /// Replaces active lanes of memory that no other thread has, where this part's words lie side by side.
    fn store_blended(&mut self, at: PartBase, stride: u32, mask: Vector, values: &[Lanes]) {
        for (index, value) in values.iter().enumerate() {
            let memory = word(at.offset + stride * index as u32);
            self.get(at.base);
            self.push(*value);
            self.ins().local_get(at.base).v128_load(memory);
            self.get_vector(mask);
            self.ins().v128_bitselect().v128_store(memory);
        }
    }

    /// Writes this part's words to addresses that nothing is known of. Here too it is cheap to see whether they lie side
    /// by side.
    fn store_scattered(&mut self, vector: Vector, place: Resolved, mask: Mask, values: &[Lanes]) {
        let step = match (place.word, values.len()) {
            (4, 1) => Some(4),
            (4, 2) if !self.must_blend(place, mask) => Some(8),
            (4, 4) if !self.must_blend(place, mask) => Some(16),
            _ => None,
        };
        let Some(step) = step else { return self.store_lanes(vector, place, mask, values) };
        let base = self.if_side_by_side(vector, step);
        let at = PartBase::new(base, place.offset);
        match mask {
            Mask::Lanes(mask) if place.is_local => self.store_blended(at, place.word, mask, values),
            Mask::Lanes(lanes) => {
                self.get_vector(lanes);
                self.ins().i32x4_all_true();
                self.if_();
                self.store_dense(at, step.cast_signed(), place.word, values);
                self.else_();
                self.store_sparse(at, step.cast_signed(), place.word, mask, values);
                self.end();
            }
            Mask::All => self.store_dense(at, step.cast_signed(), place.word, values),
        }
        self.release(base);
        self.else_();
        self.store_lanes(vector, place, mask, values);
        self.end();
    }

    /// Whether inactive lanes keep what is there by being written again.
    fn must_blend(&self, place: Resolved, mask: Mask) -> bool {
        place.is_local && matches!(mask, Mask::Lanes(_))
    }

    /// Writes one lane of this part at a time.
    fn store_lanes(&mut self, vector: Vector, place: Resolved, mask: Mask, values: &[Lanes]) {
        let addresses = self.lane_addresses(vector, place.offset);
        self.scatter(addresses, place.word, mask, values);
        self.release_addresses(addresses);
    }
}

impl Emitter<'_> {
    /// Writes words.
    pub(super) fn store(&mut self, place: &Place, values: &[Value], mask: Mask) {
        let resolved = self.resolve(place);
        if let Address::Uniform { base } = resolved.address {
            self.store_uniform(base, resolved.offset, values, mask);
        } else {
            let lanes: Vec<_> = values.iter().map(|value| self.lanes(*value)).collect();
            self.store_lanes(place, resolved, &lanes, mask);
        }
        self.release_place(resolved);
    }

    /// All lanes write the same word: the last active one has the last say.
    fn store_uniform(&mut self, base: u32, offset: u32, values: &[Value], mask: Mask) {
        let is_scalar = |this: &Self, value: &Value| matches!(this.held(*value), Held::Scalar(_));
        for (index, value) in values.iter().enumerate() {
            let memory = word(offset + 4 * index as u32);
            if is_scalar(self, value) {
                self.f.get(base);
                self.push_scalar(*value);
                match self.type_of(*value) {
                    Type::Float => self.f.ins().f32_store(memory),
                    _ => self.f.ins().i32_store(memory),
                };
                continue;
            }
            let vector = self.each(|this| this.push_lanes(*value));
            self.f.for_parts(|f| match mask {
                Mask::All if f.part() + 1 < f.parts() => {}
                Mask::All => {
                    f.get(base);
                    f.get_vector(vector);
                    f.ins().v128_store32_lane(memory, 3);
                }
                Mask::Lanes(_) => f.for_lanes(mask, |f, lane| {
                    f.get(base);
                    f.get_vector(vector);
                    f.ins().v128_store32_lane(memory, lane);
                }),
            });
            self.f.release_vector(vector);
        }
    }

    fn store_lanes(&mut self, place: &Place, resolved: Resolved, values: &[Lanes], mask: Mask) {
        match resolved.address {
            Address::Affine { base, step } => self.store_affine(base, step, resolved, values, mask),
            Address::Lanes { vector } => self.f.for_parts(|f| f.store_scattered(vector, resolved, mask, values)),
            Address::Either { base, step, ok } => {
                self.f.get(ok);
                self.f.if_();
                self.store_affine(base, step, resolved, values, mask);
                self.f.else_();
                self.for_parts(|this| {
                    let addresses = this.part_addresses(place, resolved.offset);
                    this.f.scatter(addresses, resolved.word, mask, values);
                    this.f.release_addresses(addresses);
                });
                self.f.end();
            }
            Address::Uniform { .. } => {}
        }
    }

    /// Writes to addresses that are `step` bytes apart: whole vectors, if all lanes are active.
    fn store_affine(&mut self, base: u32, step: i32, resolved: Resolved, values: &[Lanes], mask: Mask) {
        let stride = resolved.word;
        let each = |f: &mut FunctionBuilder, store: &dyn Fn(&mut FunctionBuilder, PartBase)| {
            f.for_parts(|f| {
                let at = f.part_base(base, step, resolved);
                store(f, at);
                f.release_base(at);
            });
        };
        let dense = |f: &mut FunctionBuilder, at| f.store_dense(at, step, stride, values);
        let sparse = |f: &mut FunctionBuilder, at| f.store_sparse(at, step, stride, mask, values);
        match mask {
            _ if !FunctionBuilder::is_dense(step, resolved, values.len()) => each(&mut self.f, &sparse),
            Mask::All => each(&mut self.f, &dense),
            Mask::Lanes(mask) if resolved.is_local && step == 4 => {
                each(&mut self.f, &|f, at| f.store_blended(at, stride, mask, values));
            }
            Mask::Lanes(mask) => {
                self.f.all_true(mask);
                self.f.if_();
                each(&mut self.f, &dense);
                self.f.else_();
                each(&mut self.f, &sparse);
                self.f.end();
            }
        }
    }
}
