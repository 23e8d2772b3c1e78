//! Reading memory: one scalar, whole vectors, or lane by lane.

use super::address::{Address, Resolved};
use super::emit::Emitter;
use super::function::{FunctionBuilder, word};
use super::operand::{Held, Lanes};
use samebit_wgsl::lowered::{Place, Type, Value};
use wasm_encoder::ValType;

/// The address of each lane: a local, and bytes after it.
pub(super) type LaneAddresses = [(u32, u32); 4];

/// Picks words from two vectors by number; those of the second are 4 to 7.
pub(super) fn words(numbers: [u8; 4]) -> [u8; 16] {
    std::array::from_fn(|i| numbers[i / 4] * 4 + (i % 4) as u8)
}

impl FunctionBuilder {
    /// Turns four vectors into four others: the first of each, the second of each, and so on.
    pub(super) fn transpose(&mut self, rows: [u32; 4]) {
        let [r0, r1, r2, r3] = rows;
        let mut zip = |a: u32, b: u32, numbers| {
            self.ins().local_get(a).local_get(b).i8x16_shuffle(words(numbers));
            self.keep(ValType::V128)
        };
        let (low, high) = ([0, 4, 1, 5], [2, 6, 3, 7]);
        let (t0, t1) = (zip(r0, r1, low), zip(r0, r1, high));
        let (t2, t3) = (zip(r2, r3, low), zip(r2, r3, high));
        for (row, a, b, numbers) in [
            (r0, t0, t2, [0, 1, 4, 5]),
            (r1, t0, t2, [2, 3, 6, 7]),
            (r2, t1, t3, [0, 1, 4, 5]),
            (r3, t1, t3, [2, 3, 6, 7]),
        ] {
            self.ins().local_get(a).local_get(b).i8x16_shuffle(words(numbers)).local_set(row);
        }
        [t0, t1, t2, t3].into_iter().for_each(|local| self.release(local));
    }

    /// Takes the addresses of lanes out of a vector.
    pub(super) fn lane_addresses(&mut self, vector: u32, offset: u32) -> LaneAddresses {
        [0, 1, 2, 3].map(|lane| {
            self.ins().local_get(vector).i32x4_extract_lane(lane);
            (self.keep(ValType::I32), offset)
        })
    }

    /// Gives back what [`lane_addresses`](Self::lane_addresses) made.
    pub(super) fn release_addresses(&mut self, addresses: LaneAddresses) {
        addresses.into_iter().for_each(|(local, _)| self.release(local));
    }

    /// Loads one word of each lane into `out`.
    fn gather(&mut self, addresses: LaneAddresses, out: u32) {
        let [a, b, c, d] = addresses;
        let high = self.local(ValType::V128);
        for ((first, offset), (second, more), local) in [(a, b, out), (c, d, high)] {
            self.ins().local_get(first).v128_load32_zero(word(offset)).local_set(local);
            self.ins().local_get(second).local_get(local).v128_load32_lane(word(more), 1).local_set(local);
        }
        self.ins().local_get(out).local_get(high).i8x16_shuffle(words([0, 1, 4, 5])).local_set(out);
        self.release(high);
    }

    /// Loads `out.len()` words that lie side by side, of each lane.
    fn gather_words(&mut self, addresses: LaneAddresses, out: &[u32]) {
        match *out {
            [out] => self.gather(addresses, out),
            [first, second] => {
                let high = self.local(ValType::V128);
                let [a, b, c, d] = addresses;
                for ((one, offset), (two, more), local) in [(a, b, first), (c, d, high)] {
                    self.ins().local_get(one).v128_load64_zero(word(offset)).local_set(local);
                    self.ins().local_get(two).local_get(local).v128_load64_lane(word(more), 1).local_set(local);
                }
                self.deinterleave(first, high, [first, second]);
                self.release(high);
            }
            _ => {
                let rows = addresses.map(|(local, offset)| {
                    if out.len() == 4 {
                        self.ins().local_get(local).v128_load(word(offset));
                    } else {
                        // A fourth word may lie outside of all memory.
                        self.ins().local_get(local).local_get(local).v128_load64_zero(word(offset));
                        self.ins().v128_load32_lane(word(offset + 8), 2);
                    }
                    self.keep(ValType::V128)
                });
                self.transpose(rows);
                for (row, out) in rows.iter().zip(out) {
                    self.ins().local_get(*row).local_set(*out);
                }
                rows.into_iter().for_each(|row| self.release(row));
            }
        }
    }

    /// Takes pairs of words apart: the first of each pair of `low` and `high`, and the second.
    fn deinterleave(&mut self, low: u32, high: u32, out: [u32; 2]) {
        self.ins().local_get(low).local_get(high).i8x16_shuffle(words([1, 3, 5, 7]));
        self.ins().local_get(low).local_get(high).i8x16_shuffle(words([0, 2, 4, 6])).local_set(out[0]);
        self.ins().local_set(out[1]);
    }

    /// Loads words at addresses that are `step` bytes apart.
    fn load_affine(&mut self, base: u32, step: i32, place: Resolved, out: &[u32]) {
        let Resolved { offset, word: stride, .. } = place;
        match (step, out) {
            (4, _) => {
                for (index, out) in out.iter().enumerate() {
                    let offset = offset + stride * index as u32;
                    self.ins().local_get(base).v128_load(word(offset)).local_set(*out);
                }
            }
            (8, [first, second]) if stride == 4 => {
                let high = self.local(ValType::V128);
                self.ins().local_get(base).v128_load(word(offset)).local_set(*first);
                self.ins().local_get(base).v128_load(word(offset + 16)).local_set(high);
                self.deinterleave(*first, high, [*first, *second]);
                self.release(high);
            }
            _ => {
                let (addresses, made) = self.affine_addresses(base, step, offset);
                self.load_lanes(addresses, stride, out);
                made.into_iter().for_each(|local| self.release(local));
            }
        }
    }

    /// The addresses of lanes that are `step` bytes apart, and locals to give back.
    pub(super) fn affine_addresses(&mut self, base: u32, step: i32, offset: u32) -> (LaneAddresses, Vec<u32>) {
        if let Some(step) = u32::try_from(step).ok().filter(|step| *step < 1 << 12) {
            return ([0, 1, 2, 3].map(|lane| (base, offset + lane * step)), Vec::new());
        }
        let addresses = [0, 1, 2, 3].map(|lane| {
            self.ins().local_get(base).i32_const(step.wrapping_mul(lane)).i32_add();
            (self.keep(ValType::I32), offset)
        });
        (addresses, addresses.map(|(local, _)| local).to_vec())
    }

    /// Loads words at addresses that nothing is known of. Often they lie side by side all the same, where a coordinate
    /// is wrapped or clamped: to see that is cheaper than to take four addresses apart.
    fn load_scattered(&mut self, vector: u32, place: Resolved, out: &[u32]) {
        let step = match (place.word, out.len()) {
            (4, 1) => 4,
            (4, 2) => 8,
            // Rows are loaded whole anyway.
            _ => 0,
        };
        if step > 0 {
            self.ins().local_get(vector).i32x4_extract_lane(0);
            let base = self.keep(ValType::I32);
            self.push(Lanes::Affine(base, step));
            self.ins().local_get(vector).i32x4_eq().i32x4_all_true();
            self.if_();
            self.load_affine(base, step, place, out);
            self.release(base);
            self.else_();
        }
        let addresses = self.lane_addresses(vector, place.offset);
        self.load_lanes(addresses, place.word, out);
        self.release_addresses(addresses);
        if step > 0 {
            self.end();
        }
    }

    fn load_lanes(&mut self, addresses: LaneAddresses, stride: u32, out: &[u32]) {
        if stride == 4 {
            return self.gather_words(addresses, out);
        }
        for (index, out) in out.iter().enumerate() {
            self.gather(addresses.map(|(local, offset)| (local, offset + stride * index as u32)), *out);
        }
    }
}

impl Emitter<'_> {
    /// Reads words.
    pub(super) fn load(&mut self, first: Value, count: u8, place: &Place) {
        let values: Vec<_> = (0..u32::from(count)).map(|word| Value(first.0 + word)).collect();
        if !values.iter().any(|value| self.is_used(*value)) {
            return;
        }
        let resolved = self.resolve(place);
        if let Address::Uniform { base } = resolved.address {
            for (index, value) in values.iter().enumerate() {
                let memory = word(resolved.offset + 4 * index as u32);
                match self.type_of(*value) {
                    Type::Float => self.f.ins().local_get(base).f32_load(memory),
                    _ => self.f.ins().local_get(base).i32_load(memory),
                };
                self.define_popped(*value);
            }
        } else {
            let out: Vec<_> = values.iter().map(|_| self.f.local(ValType::V128)).collect();
            self.load_vectors(place, resolved, &out);
            for (value, local) in values.iter().zip(out) {
                self.define(*value, Held::Lanes(Lanes::Vector(local)));
            }
        }
        self.release_place(resolved);
        // Words that nothing uses.
        for value in values {
            if !self.is_used(value) {
                self.discard(value);
            }
        }
    }

    fn load_vectors(&mut self, place: &Place, resolved: Resolved, out: &[u32]) {
        match resolved.address {
            Address::Uniform { .. } => {}
            Address::Affine { base, step } => self.f.load_affine(base, step, resolved, out),
            Address::Lanes { vector } => self.f.load_scattered(vector, resolved, out),
            Address::Either { base, step, ok } => {
                self.f.get(ok);
                self.f.if_();
                self.f.load_affine(base, step, resolved, out);
                self.f.else_();
                self.push_vector_address(place);
                let vector = self.f.keep(ValType::V128);
                let addresses = self.f.lane_addresses(vector, resolved.offset);
                self.f.release(vector);
                self.f.load_lanes(addresses, resolved.word, out);
                self.f.release_addresses(addresses);
                self.f.end();
            }
        }
    }
}
