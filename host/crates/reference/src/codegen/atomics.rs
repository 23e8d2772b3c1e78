//! Atomic operations: each active lane's after the other, or, where all go to one word and nobody asks what was there,
//! all lanes' at once.

use super::address::{Address, Resolved};
use super::emit::{Emitter, Mask};
use super::function::{FunctionBuilder, word};
use super::load::words;
use super::operand::{Held, Lanes, Scalar};
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

    /// Joins the active lanes of a vector on the stack into one number.
    fn reduce(&mut self, mask: Mask, identity: u32, join: Binary) -> u32 {
        if let Mask::Local(mask) = mask {
            self.splat_const(identity);
            self.ins().local_get(mask).v128_bitselect();
        }
        let mut all = self.keep_vector();
        for numbers in [[2, 3, 0, 1], [1, 0, 3, 2]] {
            self.push(all);
            self.push(all);
            self.ins().i8x16_shuffle(words(numbers));
            let moved = self.keep_vector();
            self.vector_binary(join, all, moved);
            self.release_vector(moved);
            self.release_vector(all);
            all = self.keep_vector();
        }
        self.push(all);
        self.release_vector(all);
        self.ins().i32x4_extract_lane(0);
        self.keep(ValType::I32)
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
                self.push_lanes(operand);
                let operand = self.f.reduce(mask, identity, join);
                let address = (base, resolved.offset);
                self.f.atomic_word(OneWord { op, address, operand, compare: 0, is_shared });
                self.f.ins().drop();
                self.f.release(operand);
            }
            _ => {
                let out = self.atomic_lanes(op, place, resolved, operand, mask);
                match result {
                    Some(result) => self.define(result, Held::Lanes(Lanes::Vector(out))),
                    None => self.f.release(out),
                }
            }
        }
        self.release_place(resolved);
    }

    /// Each active lane's operation; the results are in a local.
    fn atomic_lanes(&mut self, op: AtomicOp, place: &Place, at: Resolved, operand: Option<Value>, mask: Mask) -> u32 {
        let addresses = if let Address::Uniform { base } = at.address {
            [(base, at.offset); 4]
        } else {
            self.push_vector_address(place);
            let vector = self.f.keep(ValType::V128);
            let addresses = self.f.lane_addresses(vector, at.offset);
            self.f.release(vector);
            addresses
        };
        let lanes = |this: &Self, value: Option<Value>| value.map_or(Lanes::Bits(0), |value| this.lanes(value));
        let compared = if let AtomicOp::CompareExchange(value) = op { Some(value) } else { None };
        let vectors = [operand, compared].map(|value| {
            let lanes = lanes(self, value);
            self.f.push(lanes);
            self.f.keep(ValType::V128)
        });
        let [operand, compare, old] = [(); 3].map(|()| self.f.local(ValType::I32));
        self.f.splat_const(0);
        let out = self.f.keep(ValType::V128);
        let is_shared = matches!(place.memory, Memory::Buffer(_));
        self.f.for_lanes(mask, |f, lane| {
            f.ins().local_get(vectors[0]).i32x4_extract_lane(lane).local_set(operand);
            f.ins().local_get(vectors[1]).i32x4_extract_lane(lane).local_set(compare);
            f.atomic_word(OneWord { op, address: addresses[usize::from(lane)], operand, compare, is_shared });
            f.ins().local_set(old).local_get(out).local_get(old).i32x4_replace_lane(lane).local_set(out);
        });
        if !matches!(at.address, Address::Uniform { .. }) {
            self.f.release_addresses(addresses);
        }
        vectors.into_iter().chain([operand, compare, old]).for_each(|local| self.f.release(local));
        out
    }
}
