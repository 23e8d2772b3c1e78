//! What gangs keep between regions: slots, and values that come out of them or are computed again.

use super::emit::Emitter;
use super::flow::Node;
use super::function::{FunctionBuilder, Vector, word};
use super::operand::{Held, Lanes, Scalar};
use super::shapes::{Shape, operands};
use samebit_wgsl::lowered::{Type, Value};
use wasm_encoder::ValType;

impl Emitter<'_> {
    /// Pushes this part of a vector that the gang keeps.
    pub(super) fn load_slot(&mut self, slot: u32) {
        let slot = slot + self.layout.part_bytes * self.f.part();
        self.f.ins().local_get(self.places.gang).v128_load(word(slot));
    }

    /// Keeps what `push` leaves on the stack, as this part of a vector that the gang keeps.
    pub(super) fn store_slot(&mut self, slot: u32, push: impl FnOnce(&mut FunctionBuilder)) {
        let slot = slot + self.layout.part_bytes * self.f.part();
        self.f.get(self.places.gang);
        push(&mut self.f);
        self.f.ins().v128_store(word(slot));
    }

    pub(super) fn load_vector(&mut self, slot: u32) -> Vector {
        self.each(|this| this.load_slot(slot))
    }

    pub(super) fn store_vector(&mut self, slot: u32, vector: Vector) {
        self.for_parts(|this| this.store_slot(slot, |f| f.get_vector(vector)));
    }

    /// Keeps what a statement defined, for other regions.
    pub(super) fn save_defined(&mut self, node: &Node<'_>) {
        let (Some(plan), Node::Plain(stmt)) = (self.plan, node) else { return };
        super::plan::defined_by(stmt, |value| {
            let Some(&slot) = plan.values.get(&value) else { return };
            if !self.is_held(value) {
                return;
            }
            match (self.held(value), self.type_of(value)) {
                (Held::Lanes(Lanes::Clamped { base, last, ok, .. }), _) => {
                    for (local, more) in [(base, 0), (last, 4), (ok, 8)] {
                        self.store_scalar(slot + more, Scalar::Local(local), Type::Int);
                    }
                }
                _ if self.shapes.of(value) == Shape::Varying => {
                    let lanes = self.lanes(value);
                    self.for_parts(|this| this.store_slot(slot, |f| f.push(lanes)));
                }
                (_, ty) => {
                    let scalar = self.scalar(value);
                    self.store_scalar(slot, scalar, ty);
                }
            }
        });
    }

    /// Has a value at hand that another region computed: computes it again, or loads it.
    pub(super) fn ensure(&mut self, value: Value) {
        let Some(plan) = self.plan else { return };
        if self.is_held(value) {
            return;
        }
        if let Some(op) = plan.repeated.get(&value) {
            operands(op).into_iter().for_each(|operand| self.ensure(operand));
            return self.let_(value, op);
        }
        let Some(&slot) = plan.values.get(&value) else { return };
        match (self.shapes.of(value), self.type_of(value)) {
            (Shape::Clamped(step), _) => {
                let [base, last, ok] = [0, 4, 8].map(|more| {
                    self.load_scalar(slot + more, Type::Int);
                    self.f.keep(ValType::I32)
                });
                self.define(value, Held::Lanes(Lanes::Clamped { base, step, last, ok }));
            }
            (Shape::Varying, _) => {
                let vector = self.load_vector(slot);
                self.define_vector(value, vector);
            }
            (_, ty) => {
                self.load_scalar(slot, ty);
                self.define_popped(value);
            }
        }
    }

    /// Pushes a scalar that the gang keeps.
    pub(super) fn load_scalar(&mut self, slot: u32, ty: Type) {
        self.f.get(self.places.gang);
        match ty {
            Type::Float => self.f.ins().f32_load(word(slot)),
            _ => self.f.ins().i32_load(word(slot)),
        };
    }

    /// Keeps a scalar for the gang.
    pub(super) fn store_scalar(&mut self, slot: u32, scalar: Scalar, ty: Type) {
        self.f.get(self.places.gang);
        self.f.push_scalar(scalar, ty);
        match ty {
            Type::Float => self.f.ins().f32_store(word(slot)),
            _ => self.f.ins().i32_store(word(slot)),
        };
    }
}
