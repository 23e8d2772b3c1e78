//! Writing memory. What inactive lanes would write is never written, not even with what is there already: other
//! threads own those words.

use super::address::{Address, Resolved};
use super::emit::{Emitter, Mask};
use super::function::{FunctionBuilder, word};
use super::load::{LaneAddresses, words};
use super::operand::{Held, Lanes};
use samebit_wgsl::lowered::{Place, Type, Value};
use wasm_encoder::ValType;

impl FunctionBuilder {
    /// Stores the words of one lane at a time, where the mask says so.
    fn scatter(&mut self, addresses: LaneAddresses, stride: u32, mask: Mask, values: &[Lanes]) {
        let vectors: Vec<_> = values
            .iter()
            .map(|value| {
                self.push(*value);
                self.keep(ValType::V128)
            })
            .collect();
        self.for_lanes(mask, |this, lane| {
            let (local, offset) = addresses[usize::from(lane)];
            for (index, vector) in vectors.iter().enumerate() {
                let memory = word(offset + stride * index as u32);
                this.ins().local_get(local).local_get(*vector).v128_store32_lane(memory, lane);
            }
        });
        vectors.into_iter().for_each(|vector| self.release(vector));
    }

    /// Does something for each active lane, one after the other.
    pub(super) fn for_lanes(&mut self, mask: Mask, mut each: impl FnMut(&mut Self, u8)) {
        let bits = match mask {
            Mask::All => None,
            Mask::Local(mask) => {
                self.ins().local_get(mask).i32x4_bitmask();
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

    /// Writes whole vectors.
    fn store_dense(&mut self, base: u32, step: i32, place: Resolved, values: &[Lanes]) {
        let Resolved { offset, word: stride, .. } = place;
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
                self.keep(ValType::V128)
            });
            self.transpose(rows);
            for (index, row) in rows.into_iter().enumerate() {
                self.ins().local_get(base).local_get(row).v128_store(word(offset + 16 * index as u32));
                self.release(row);
            }
        }
    }

    /// Writes one lane at a time to addresses that are `step` bytes apart.
    fn store_sparse(&mut self, base: u32, step: i32, place: Resolved, mask: Mask, values: &[Lanes]) {
        let (addresses, made) = self.affine_addresses(base, step, place.offset);
        self.scatter(addresses, place.word, mask, values);
        made.into_iter().for_each(|local| self.release(local));
    }

    /// Replaces active lanes of memory that nobody else has.
    fn store_blended(&mut self, base: u32, place: Resolved, mask: u32, values: &[Lanes]) {
        for (index, value) in values.iter().enumerate() {
            let memory = word(place.offset + place.word * index as u32);
            self.get(base);
            self.push(*value);
            self.ins().local_get(base).v128_load(memory).local_get(mask).v128_bitselect().v128_store(memory);
        }
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
            self.push_lanes(*value);
            let vector = self.f.keep(ValType::V128);
            if let Mask::All = mask {
                self.f.ins().local_get(base).local_get(vector).v128_store32_lane(memory, 3);
            } else {
                self.f.for_lanes(mask, |f, lane| {
                    f.ins().local_get(base).local_get(vector).v128_store32_lane(memory, lane);
                });
            }
            self.f.release(vector);
        }
    }

    fn store_lanes(&mut self, place: &Place, resolved: Resolved, values: &[Lanes], mask: Mask) {
        let dense = |step| FunctionBuilder::is_dense(step, resolved, values.len());
        match (resolved.address, mask) {
            (Address::Affine { base, step }, Mask::All) if dense(step) => {
                self.f.store_dense(base, step, resolved, values);
            }
            (Address::Affine { base, step: 4 }, Mask::Local(mask)) if resolved.is_own => {
                self.f.store_blended(base, resolved, mask, values);
            }
            (Address::Affine { base, step }, Mask::Local(local)) if dense(step) => {
                self.f.ins().local_get(local).i32x4_all_true();
                self.f.if_();
                self.f.store_dense(base, step, resolved, values);
                self.f.else_();
                self.f.store_sparse(base, step, resolved, mask, values);
                self.f.end();
            }
            (Address::Affine { base, step }, _) => self.f.store_sparse(base, step, resolved, mask, values),
            (Address::Lanes { vector }, _) => {
                let addresses = self.f.lane_addresses(vector, resolved.offset);
                self.f.scatter(addresses, resolved.word, mask, values);
                self.f.release_addresses(addresses);
            }
            (Address::Either { base, step, ok }, _) => {
                self.f.get(ok);
                if let (Mask::Local(mask), true) = (mask, dense(step)) {
                    self.f.ins().local_get(mask).i32x4_all_true().i32_and();
                }
                self.f.if_();
                if dense(step) {
                    self.f.store_dense(base, step, resolved, values);
                } else {
                    self.f.store_sparse(base, step, resolved, mask, values);
                }
                self.f.else_();
                self.push_vector_address(place);
                let vector = self.f.keep(ValType::V128);
                let addresses = self.f.lane_addresses(vector, resolved.offset);
                self.f.release(vector);
                self.f.scatter(addresses, resolved.word, mask, values);
                self.f.release_addresses(addresses);
                self.f.end();
            }
            (Address::Uniform { .. }, _) => {}
        }
    }
}
