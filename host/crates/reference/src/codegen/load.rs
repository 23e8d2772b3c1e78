//! Reading memory: one scalar, whole vectors, or lane by lane.

use super::address::{Address, PartBase, Resolved};
use super::emit::Emitter;
use super::function::{FunctionBuilder, Vector, word};
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
    pub(super) fn transpose(&mut self, rows: [Vector; 4]) {
        let [r0, r1, r2, r3] = rows;
        let zip = |this: &mut Self, a: Vector, b: Vector, numbers| {
            this.get_vector(a);
            this.get_vector(b);
            this.ins().i8x16_shuffle(words(numbers));
        };
        let (low, high) = ([0, 4, 1, 5], [2, 6, 3, 7]);
        let [t0, t1, t2, t3] = [(r0, r1, low), (r0, r1, high), (r2, r3, low), (r2, r3, high)].map(|(a, b, numbers)| {
            zip(self, a, b, numbers);
            self.keep_part()
        });
        for (row, a, b, numbers) in [
            (r0, t0, t2, [0, 1, 4, 5]),
            (r1, t0, t2, [2, 3, 6, 7]),
            (r2, t1, t3, [0, 1, 4, 5]),
            (r3, t1, t3, [2, 3, 6, 7]),
        ] {
            zip(self, a, b, numbers);
            self.set_vector(row);
        }
        [t0, t1, t2, t3].into_iter().for_each(|vector| self.release_vector(vector));
    }

    /// Takes the addresses of this part's lanes out of a vector.
    pub(super) fn lane_addresses(&mut self, vector: Vector, offset: u32) -> LaneAddresses {
        [0, 1, 2, 3].map(|lane| {
            self.get_vector(vector);
            self.ins().i32x4_extract_lane(lane);
            (self.keep(ValType::I32), offset)
        })
    }

    /// Gives back what [`lane_addresses`](Self::lane_addresses) made.
    pub(super) fn release_addresses(&mut self, addresses: LaneAddresses) {
        addresses.into_iter().for_each(|(local, _)| self.release(local));
    }

    /// Loads one word of each lane into `out`.
    fn gather(&mut self, addresses: LaneAddresses, out: Vector) {
        let [a, b, c, d] = addresses;
        let high = self.vector();
        for ((first, offset), (second, more), vector) in [(a, b, out), (c, d, high)] {
            self.ins().local_get(first).v128_load32_zero(word(offset));
            self.set_vector(vector);
            self.get(second);
            self.get_vector(vector);
            self.ins().v128_load32_lane(word(more), 1);
            self.set_vector(vector);
        }
        self.get_vector(out);
        self.get_vector(high);
        self.ins().i8x16_shuffle(words([0, 1, 4, 5]));
        self.set_vector(out);
        self.release_vector(high);
    }

    /// Loads `out.len()` words that lie side by side, of each lane.
    fn gather_words(&mut self, addresses: LaneAddresses, out: &[Vector]) {
        match *out {
            [out] => self.gather(addresses, out),
            [first, second] => {
                let high = self.vector();
                let [a, b, c, d] = addresses;
                for ((one, offset), (two, more), vector) in [(a, b, first), (c, d, high)] {
                    self.ins().local_get(one).v128_load64_zero(word(offset));
                    self.set_vector(vector);
                    self.get(two);
                    self.get_vector(vector);
                    self.ins().v128_load64_lane(word(more), 1);
                    self.set_vector(vector);
                }
                self.deinterleave(first, high, [first, second]);
                self.release_vector(high);
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
                    self.keep_part()
                });
                self.transpose(rows);
                for (row, out) in rows.iter().zip(out) {
                    self.get_vector(*row);
                    self.set_vector(*out);
                }
                rows.into_iter().for_each(|row| self.release_vector(row));
            }
        }
    }

    /// Takes pairs of words apart: the first of each pair of `low` and `high`, and the second.
    fn deinterleave(&mut self, low: Vector, high: Vector, out: [Vector; 2]) {
        for numbers in [[1, 3, 5, 7], [0, 2, 4, 6]] {
            self.get_vector(low);
            self.get_vector(high);
            self.ins().i8x16_shuffle(words(numbers));
        }
        self.set_vector(out[0]);
        self.set_vector(out[1]);
    }

    /// Loads this part's words at addresses that are `step` bytes apart.
    fn load_affine(&mut self, base: u32, step: i32, place: Resolved, out: &[Vector]) {
        let at = self.part_base(base, step, place);
        self.load_from(at, step, place.word, out);
        self.release_base(at);
    }

    /// As [`load_affine`](Self::load_affine), from where the part begins.
    fn load_from(&mut self, at: PartBase, step: i32, stride: u32, out: &[Vector]) {
        let PartBase { base, offset, .. } = at;
        match (step, out) {
            (4, _) => {
                for (index, out) in out.iter().enumerate() {
                    let offset = offset + stride * index as u32;
                    self.ins().local_get(base).v128_load(word(offset));
                    self.set_vector(*out);
                }
            }
            (8, [first, second]) if stride == 4 => {
                let high = self.vector();
                self.ins().local_get(base).v128_load(word(offset));
                self.set_vector(*first);
                self.ins().local_get(base).v128_load(word(offset + 16));
                self.set_vector(high);
                self.deinterleave(*first, high, [*first, *second]);
                self.release_vector(high);
            }
            _ => {
                let (addresses, made) = self.affine_addresses(at, step);
                self.load_lanes(addresses, stride, out);
                made.into_iter().for_each(|local| self.release(local));
            }
        }
    }

    /// The addresses of a part's lanes that are `step` bytes apart, and locals to give back.
    pub(super) fn affine_addresses(&mut self, at: PartBase, step: i32) -> (LaneAddresses, Vec<u32>) {
        let PartBase { base, offset, .. } = at;
        if let Some(step) = u32::try_from(step).ok().filter(|step| *step < 1 << 12) {
            return ([0, 1, 2, 3].map(|lane| (base, offset + lane * step)), Vec::new());
        }
        let addresses = [0, 1, 2, 3].map(|lane| {
            self.ins().local_get(base).i32_const(step.wrapping_mul(lane)).i32_add();
            (self.keep(ValType::I32), offset)
        });
        (addresses, addresses.map(|(local, _)| local).to_vec())
    }

    /// Asks whether this part's addresses are `step` bytes apart, and opens a block that is entered if they are. Returns
    /// the first of them, in a local.
    pub(super) fn if_side_by_side(&mut self, vector: Vector, step: u32) -> u32 {
        self.get_vector(vector);
        self.ins().i32x4_extract_lane(0);
        let base = self.tee(ValType::I32);
        self.ins().i32x4_splat();
        self.lanes_const([0, 1, 2, 3].map(|lane| lane * step));
        self.ins().i32x4_add();
        self.get_vector(vector);
        self.ins().i32x4_eq().i32x4_all_true();
        self.if_();
        base
    }

    /// Loads this part's words at addresses that nothing is known of. Often they lie side by side all the same, where a
    /// coordinate is wrapped or clamped: to see that is cheaper than to take four addresses apart.
    fn load_scattered(&mut self, vector: Vector, place: Resolved, out: &[Vector]) {
        let step = match (place.word, out.len()) {
            (4, 1) => 4,
            (4, 2) => 8,
            // Rows are loaded whole anyway.
            _ => 0,
        };
        if step > 0 {
            let base = self.if_side_by_side(vector, step);
            self.load_from(PartBase::new(base, place.offset), step.cast_signed(), place.word, out);
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

    fn load_lanes(&mut self, addresses: LaneAddresses, stride: u32, out: &[Vector]) {
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
            let out: Vec<_> = values.iter().map(|_| self.f.vector()).collect();
            self.load_vectors(place, resolved, &out);
            for (value, vector) in values.iter().zip(out) {
                self.define_vector(*value, vector);
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

    fn load_vectors(&mut self, place: &Place, resolved: Resolved, out: &[Vector]) {
        match resolved.address {
            Address::Uniform { .. } => {}
            Address::Affine { base, step } => self.f.for_parts(|f| f.load_affine(base, step, resolved, out)),
            Address::Lanes { vector } => self.f.for_parts(|f| f.load_scattered(vector, resolved, out)),
            Address::Either { base, step, ok } => {
                self.f.get(ok);
                self.f.if_();
                self.f.for_parts(|f| f.load_affine(base, step, resolved, out));
                self.f.else_();
                self.for_parts(|this| {
                    let addresses = this.part_addresses(place, resolved.offset);
                    this.f.load_lanes(addresses, resolved.word, out);
                    this.f.release_addresses(addresses);
                });
                self.f.end();
            }
        }
    }

    /// The addresses of this part's lanes.
    pub(super) fn part_addresses(&mut self, place: &Place, offset: u32) -> LaneAddresses {
        self.push_vector_address(place);
        let vector = self.f.keep_part();
        let addresses = self.f.lane_addresses(vector, offset);
        self.f.release_vector(vector);
        addresses
    }
}
