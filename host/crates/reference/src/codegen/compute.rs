//! Operations, on whatever lanes have in common.

use super::emit::Emitter;
use super::function::word;
use super::operand::{Held, Lanes, Scalar};
use super::params;
use super::shapes::Shape;
use super::vector::Extreme;
use samebit_wgsl::lowered::{Binary, Builtin, MathFunction, Op, Type, Value};
use wasm_encoder::ValType;

impl Emitter<'_> {
    /// Computes a value.
    pub(super) fn let_(&mut self, value: Value, op: &Op) {
        if let Op::Constant(bits) = op {
            return self.define(value, Held::Scalar(Scalar::Bits(*bits)));
        }
        match self.shapes.of(value) {
            Shape::Uniform | Shape::Affine(_) => {
                self.compute_scalar(value, op);
                self.define_popped(value);
            }
            Shape::Clamped(step) => {
                if let Op::Clamp { index, last, .. } = op {
                    let held = match self.lanes(*index) {
                        // A second clamp that does nothing.
                        Lanes::Clamped { base, last, ok, .. } => {
                            let [base, last, ok] = [base, last, ok].map(|local| {
                                self.f.get(local);
                                self.f.keep(ValType::I32)
                            });
                            Held::Lanes(Lanes::Clamped { base, step, last, ok })
                        }
                        _ => self.clamped(*index, *last, step),
                    };
                    self.define(value, held);
                }
            }
            Shape::Varying => {
                if let Op::Binary(Binary::FloatLess, a, b) = op {
                    self.less.insert(value, (*a, *b));
                }
                let vector = self.each(|this| this.compute_part(op));
                self.define_vector(value, vector);
            }
        }
    }

    fn compute_scalar(&mut self, value: Value, op: &Op) {
        match op {
            Op::Constant(bits) => self.f.i32(*bits),
            Op::Builtin(builtin) => self.builtin(*builtin),
            Op::Length(binding) => {
                let offset = params::BINDINGS + binding * params::BINDING_BYTES + 4;
                self.f.ins().local_get(self.places.params).i32_load(word(offset));
            }
            Op::Unary(op, a) => {
                let a = self.scalar(*a);
                self.f.scalar_unary(*op, a);
            }
            Op::Binary(op, a, b) => {
                let (a, b) = (self.scalar(*a), self.scalar(*b));
                self.f.scalar_binary(*op, a, b);
            }
            Op::Select { condition, accept, reject } => {
                let [c, a, r] = [condition, accept, reject].map(|value| self.scalar(*value));
                self.f.scalar_select(c, a, r, self.kernel.type_of(value));
            }
            Op::Fma(a, b, c) => {
                let [a, b, c] = [a, b, c].map(|value| self.scalar(*value));
                self.f.scalar_fma(a, b, c);
            }
            Op::Clamp { index, last, .. } if self.shapes.is_inside(*index, *last) => self.push_scalar(*index),
            Op::Clamp { index, last, .. } => {
                let (index, last) = (self.scalar(*index), self.scalar(*last));
                self.f.scalar_binary(Binary::MinUnsigned, index, last);
            }
            Op::Math(function, args) => {
                self.call_math(*function, args);
                if self.type_of(value) == Type::Float {
                    self.f.ins().f32x4_extract_lane(0);
                } else {
                    self.f.ins().i32x4_extract_lane(0);
                }
            }
        }
    }

    /// Pushes this part of what comes out of an operation.
    fn compute_part(&mut self, op: &Op) {
        match op {
            Op::Constant(bits) => self.f.splat_const(*bits),
            Op::Builtin(builtin) => self.builtin_lanes(*builtin),
            Op::Length(_) => self.f.splat_const(0),
            Op::Unary(op, a) => {
                let a = self.lanes(*a);
                self.f.vector_unary(*op, a);
            }
            Op::Binary(op, a, b) => {
                let (a, b) = (self.lanes(*a), self.lanes(*b));
                self.f.vector_binary(*op, a, b);
            }
            Op::Select { condition, accept, reject } => {
                let (a, r) = (self.lanes(*accept), self.lanes(*reject));
                if self.shapes.of(*condition) == Shape::Uniform {
                    self.f.push(a);
                    self.f.push(r);
                    self.push_scalar(*condition);
                    self.f.ins().select();
                } else if let Some(extreme) = self.extreme(*condition, *accept, *reject) {
                    self.f.push_extreme(extreme, a, r);
                } else {
                    let c = self.lanes(*condition);
                    self.f.vector_select(c, a, r);
                }
            }
            Op::Fma(a, b, c) => {
                let [a, b, c] = [a, b, c].map(|value| self.lanes(*value));
                self.f.vector_fma(a, b, c);
            }
            Op::Clamp { index, last, .. } if self.shapes.is_inside(*index, *last) => self.push_lanes(*index),
            Op::Clamp { index, last, .. } => {
                let (index, last) = (self.lanes(*index), self.lanes(*last));
                self.f.vector_binary(Binary::MinUnsigned, index, last);
            }
            Op::Math(function, args) => self.call_math(*function, args),
        }
    }

    fn call_math(&mut self, function: MathFunction, args: &[Value]) {
        args.iter().for_each(|arg| self.push_lanes(*arg));
        let function = self.math.index(function);
        self.f.ins().call(function);
    }

    /// Whether a selection takes the smaller or the larger of two floats by comparing just these.
    fn extreme(&self, condition: Value, accept: Value, reject: Value) -> Option<Extreme> {
        let (a, b) = *self.less.get(&condition)?;
        let same = |x: Value, y: Value| {
            x == y || self.shapes.constant(x).is_some_and(|bits| self.shapes.constant(y) == Some(bits))
        };
        if same(a, accept) && same(b, reject) {
            Some(Extreme::Smaller)
        } else if same(a, reject) && same(b, accept) {
            Some(Extreme::Larger)
        } else {
            None
        }
    }

    /// An affine index and a uniform last one, not clamped yet: whoever uses it as an index asks `ok` first.
    fn clamped(&mut self, index: Value, last: Value, step: i32) -> Held {
        self.push_scalar(index);
        let base = self.f.keep(ValType::I32);
        self.push_scalar(last);
        let last = self.f.keep(ValType::I32);
        // What the last lane has is at most `last`, in 64 bits, where it does not wrap.
        let reach = i64::from(step) * i64::from(self.layout.lanes - 1);
        self.f.ins().local_get(base).i64_extend_i32_u().i64_const(reach).i64_add();
        self.f.ins().local_get(last).i64_extend_i32_u().i64_le_u();
        let ok = self.f.keep(ValType::I32);
        Held::Lanes(Lanes::Clamped { base, step, last, ok })
    }

    /// Pushes what lane 0 knows of itself.
    fn builtin(&mut self, builtin: Builtin) {
        let size = self.kernel.interface.workgroup_size;
        match builtin {
            Builtin::WorkgroupId(axis) => self.f.get(self.places.group[usize::from(axis)]),
            Builtin::NumWorkgroups(axis) => {
                let offset = params::NUM_WORKGROUPS + 4 * u32::from(axis);
                self.f.ins().local_get(self.places.params).i32_load(word(offset));
            }
            Builtin::LocalIndex => self.f.get(self.places.index),
            Builtin::LocalId(axis) => {
                let axis = usize::from(axis);
                let below: u32 = size[..axis].iter().product();
                let above: u32 = size[axis + 1..].iter().product();
                if size[axis] == 1 {
                    return self.f.i32(0);
                }
                self.f.get(self.places.index);
                if below > 1 {
                    self.f.i32(below);
                    self.f.ins().i32_div_u();
                }
                if above > 1 {
                    self.f.i32(size[axis]);
                    self.f.ins().i32_rem_u();
                }
            }
            Builtin::GlobalId(axis) => {
                self.builtin(Builtin::WorkgroupId(axis));
                self.f.i32(size[usize::from(axis)]);
                self.f.ins().i32_mul();
                self.builtin(Builtin::LocalId(axis));
                self.f.ins().i32_add();
            }
        }
    }

    /// Pushes what each lane of this part knows of itself, where a gang spans several rows.
    fn builtin_lanes(&mut self, builtin: Builtin) {
        let size = self.kernel.interface.workgroup_size;
        let (axis, global) = match builtin {
            Builtin::LocalId(axis) => (usize::from(axis), false),
            Builtin::GlobalId(axis) => (usize::from(axis), true),
            Builtin::LocalIndex | Builtin::WorkgroupId(_) | Builtin::NumWorkgroups(_) => {
                self.builtin(builtin);
                self.f.ins().i32x4_splat();
                return;
            }
        };
        let below: u32 = size[..axis].iter().product();
        self.f.vector_binary(Binary::DivideUnsigned, Lanes::Affine(self.places.index, 1), Lanes::Bits(below));
        let row = self.f.keep_lanes();
        self.f.vector_binary(Binary::RemainderUnsigned, row, Lanes::Bits(size[axis]));
        self.f.release_lanes(row);
        if global {
            self.builtin(Builtin::WorkgroupId(axis as u8));
            self.f.i32(size[axis]);
            self.f.ins().i32_mul().i32x4_splat().i32x4_add();
        }
    }
}
