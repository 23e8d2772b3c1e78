//! Atomic operations: each active lane's after the other, or, where all go to one word and nobody asks what was there,
//! all lanes' at once.

use super::address::{Address, Resolved};
use super::emit::{Emitter, Mask};
use super::function::{FunctionBuilder, Vector, word};
use super::load::{LaneAddresses, words};
use super::operand::{Lanes, Scalar};
use samebit_wgsl::lowered::{AtomicOp, Binary, Memory, Place, Value};
use wasm_encoder::ValType;

/// The binary operation that an atomic operation does, if it does one.
fn binary(op: AtomicOp) -> Option<Binary> {
    Some(match op {
        AtomicOp::Add => Binary::Add,
        AtomicOp::Subtract => Binary::Subtract,
        AtomicOp::MinSigned => Binary::MinSigned,
        AtomicOp::MaxSigned => Binary::MaxSigned,
        AtomicOp::MinUnsigned => Binary::MinUnsigned,
        AtomicOp::MaxUnsigned => Binary::MaxUnsigned,
        AtomicOp::And => Binary::And,
        AtomicOp::Or => Binary::Or,
        AtomicOp::Xor => Binary::Xor,
        AtomicOp::Load | AtomicOp::Store | AtomicOp::Exchange | AtomicOp::CompareExchange(_) => return None,
    })
}

/// What changes nothing, and how operands join into one.
fn reduction(op: AtomicOp) -> Option<(u32, Binary)> {
    Some(match op {
        AtomicOp::Add | AtomicOp::Subtract => (0, Binary::Add),
        AtomicOp::MinSigned => (i32::MAX.cast_unsigned(), Binary::MinSigned),
        AtomicOp::MaxSigned => (i32::MIN.cast_unsigned(), Binary::MaxSigned),
        AtomicOp::MinUnsigned => (u32::MAX, Binary::MinUnsigned),
        AtomicOp::MaxUnsigned => (0, Binary::MaxUnsigned),
        AtomicOp::And => (u32::MAX, Binary::And),
        AtomicOp::Or => (0, Binary::Or),
        AtomicOp::Xor => (0, Binary::Xor),
        AtomicOp::Load | AtomicOp::Store | AtomicOp::Exchange | AtomicOp::CompareExchange(_) => return None,
    })
}

/// One atomic operation on one word.
#[derive(Clone, Copy)]
struct OneWord {
    op: AtomicOp,
    /// A local with the address, and bytes after it.
    address: (u32, u32),
    /// Locals with the operand, and with what is compared.
    operand: u32,
    compare: u32,
    /// Whether other threads see the word.
    is_shared: bool,
}

impl FunctionBuilder {
    /// Does it, and leaves what was there on the stack.
    fn atomic_word(&mut self, one: OneWord) {
        let OneWord { op, address: (base, offset), operand, compare, is_shared } = one;
        let memory = word(offset);
        if !is_shared {
            return self.plain_word(one);
        }
        self.get(base);
        match op {
            AtomicOp::Load => {
                self.ins().i32_atomic_load(memory);
                return;
            }
            AtomicOp::Store => {
                self.ins().local_get(operand).i32_atomic_store(memory).i32_const(0);
                return;
            }
            AtomicOp::CompareExchange(_) => {
                self.ins().local_get(compare).local_get(operand).i32_atomic_rmw_cmpxchg(memory);
                return;
            }
            AtomicOp::MinSigned | AtomicOp::MaxSigned | AtomicOp::MinUnsigned | AtomicOp::MaxUnsigned => {
                self.ins().i32_atomic_load(memory);
                return self.compare_loop(one);
            }
            _ => self.get(operand),
        }
        match op {
            AtomicOp::Add => self.ins().i32_atomic_rmw_add(memory),
            AtomicOp::Subtract => self.ins().i32_atomic_rmw_sub(memory),
            AtomicOp::And => self.ins().i32_atomic_rmw_and(memory),
            AtomicOp::Or => self.ins().i32_atomic_rmw_or(memory),
            AtomicOp::Xor => self.ins().i32_atomic_rmw_xor(memory),
            _ => self.ins().i32_atomic_rmw_xchg(memory),
        };
    }

    /// Tries with what was there, on the stack, until nobody has been there in between.
    fn compare_loop(&mut self, one: OneWord) {
        let old = self.keep(ValType::I32);
        let [seen, new] = [(); 2].map(|()| self.local(ValType::I32));
        let again = self.loop_();
        self.ins().local_get(old).local_set(seen);
        if let Some(op) = binary(one.op) {
            self.scalar_binary(op, Scalar::Local(old), Scalar::Local(one.operand));
            self.set(new);
        }
        self.ins().local_get(one.address.0).local_get(seen).local_get(new);
        self.ins().i32_atomic_rmw_cmpxchg(word(one.address.1)).local_tee(old).local_get(seen).i32_ne();
        self.br_if(again);
        self.end();
        self.get(old);
        [old, seen, new].into_iter().for_each(|local| self.release(local));
    }

    /// A workgroup is run by one thread: its memory needs no care.
    fn plain_word(&mut self, one: OneWord) {
        let (base, offset) = one.address;
        let memory = word(offset);
        self.ins().local_get(base).i32_load(memory);
        let old = self.keep(ValType::I32);
        let operand = Scalar::Local(one.operand);
        match one.op {
            AtomicOp::Load => {}
            AtomicOp::Store | AtomicOp::Exchange => {
                self.ins().local_get(base).local_get(one.operand).i32_store(memory);
            }
            AtomicOp::CompareExchange(_) => {
                self.ins().local_get(base).local_get(one.operand).local_get(old);
                self.ins().local_get(old).local_get(one.compare).i32_eq().select().i32_store(memory);
            }
            op => {
                self.get(base);
                if let Some(op) = binary(op) {
                    self.scalar_binary(op, Scalar::Local(old), operand);
                }
                self.ins().i32_store(memory);
            }
        }
        self.get(old);
        self.release(old);
    }

    /// Joins the active lanes of all parts of a vector into one number.
    fn reduce(&mut self, operand: Lanes, mask: Mask, identity: u32, join: Binary) -> u32 {
        let active = self.each(|this| {
            this.push(operand);
            if let Mask::Lanes(mask) = mask {
                this.splat_const(identity);
                this.get_vector(mask);
                this.ins().v128_bitselect();
            }
        });
        let mut all = Lanes::Vector(active);
        for part in 1..self.parts() {
            // Joined where the first part is.
            self.set_part(part);
            self.get_vector(active);
            self.set_part(0);
            let next = self.keep_lanes();
            all = self.join(join, all, next);
        }
        for numbers in [[2, 3, 0, 1], [1, 0, 3, 2]] {
            self.push(all);
            self.push(all);
            self.ins().i8x16_shuffle(words(numbers));
            let moved = self.keep_lanes();
            all = self.join(join, all, moved);
        }
        self.push(all);
        self.release_lanes(all);
        self.ins().i32x4_extract_lane(0);
        self.keep(ValType::I32)
    }

    fn join(&mut self, join: Binary, a: Lanes, b: Lanes) -> Lanes {
        self.vector_binary(join, a, b);
        self.release_lanes(a);
        self.release_lanes(b);
        self.keep_lanes()
    }
}

impl Emitter<'_> {
    /// Does something to a word at once.
    pub(super) fn atomic(
        &mut self,
        result: Option<Value>,
        op: AtomicOp,
        place: &Place,
        operand: Option<Value>,
        mask: Mask,
    ) {
        let resolved = self.resolve(place);
        let is_shared = matches!(place.memory, Memory::Buffer(_));
        match (resolved.address, reduction(op), result, operand) {
            (Address::Uniform { base }, ..) if op == AtomicOp::Load => {
                if let Some(result) = result {
                    let address = (base, resolved.offset);
                    self.f.atomic_word(OneWord { op, address, operand: 0, compare: 0, is_shared });
                    self.define_popped(result);
                }
            }
            (Address::Uniform { base }, Some((identity, join)), None, Some(operand)) => {
                let operand = self.lanes(operand);
                let operand = self.f.reduce(operand, mask, identity, join);
                let address = (base, resolved.offset);
                self.f.atomic_word(OneWord { op, address, operand, compare: 0, is_shared });
                self.f.ins().drop();
                self.f.release(operand);
            }
            _ => {
                let out = self.atomic_lanes(op, place, resolved, operand, mask);
                match result {
                    Some(result) => self.define_vector(result, out),
                    None => self.f.release_vector(out),
                }
            }
        }
        self.release_place(resolved);
    }

    /// Each active lane's operation, and the results.
    fn atomic_lanes(
        &mut self,
        op: AtomicOp,
        place: &Place,
        at: Resolved,
        operand: Option<Value>,
        mask: Mask,
    ) -> Vector {
        let out = self.f.vector();
        self.for_parts(|this| {
            let addresses = if let Address::Uniform { base } = at.address {
                [(base, at.offset); 4]
            } else {
                this.part_addresses(place, at.offset)
            };
            this.atomic_part(op, place, addresses, operand, mask, out);
            if !matches!(at.address, Address::Uniform { .. }) {
                this.f.release_addresses(addresses);
            }
        });
        out
    }

    /// The operations of this part's lanes.
    fn atomic_part(
        &mut self,
        op: AtomicOp,
        place: &Place,
        addresses: LaneAddresses,
        operand: Option<Value>,
        mask: Mask,
        out: Vector,
    ) {
        let lanes = |this: &Self, value: Option<Value>| value.map_or(Lanes::Bits(0), |value| this.lanes(value));
        let compared = if let AtomicOp::CompareExchange(value) = op { Some(value) } else { None };
        let vectors = [operand, compared].map(|value| {
            let lanes = lanes(self, value);
            self.f.push(lanes);
            self.f.keep_part()
        });
        let [operand, compare, old] = [(); 3].map(|()| self.f.local(ValType::I32));
        self.f.splat_const(0);
        self.f.set_vector(out);
        let is_shared = matches!(place.memory, Memory::Buffer(_));
        self.f.for_lanes(mask, |f, lane| {
            for (vector, local) in vectors.into_iter().zip([operand, compare]) {
                f.get_vector(vector);
                f.ins().i32x4_extract_lane(lane).local_set(local);
            }
            f.atomic_word(OneWord { op, address: addresses[usize::from(lane)], operand, compare, is_shared });
            f.set(old);
            f.get_vector(out);
            f.ins().local_get(old).i32x4_replace_lane(lane);
            f.set_vector(out);
        });
        vectors.into_iter().for_each(|vector| self.f.release_vector(vector));
        [operand, compare, old].into_iter().for_each(|local| self.f.release(local));
    }
}
