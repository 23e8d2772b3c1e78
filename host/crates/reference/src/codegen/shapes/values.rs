//! The shapes of values, from those of what they are computed from.

use super::{Shape, Shapes};
use crate::codegen::flow::{BlockId, Flow, Node};
use samebit_wgsl::lowered::{AtomicOp, Binary, Builtin, Lowered, Memory, Op, Place, Stmt, Unary, Value};

impl Shapes {
    /// Computes the shape of each value, and joins those that are written to variables. Returns whether a variable's
    /// changed.
    pub(super) fn pass_values(&mut self, kernel: &Lowered, flow: &Flow<'_>, written: &[bool]) -> bool {
        let mut changed = false;
        for (value, op) in &kernel.preamble {
            self.define_op(kernel, *value, op);
            self.values[value.0 as usize] = Some(Shape::Uniform);
            self.shared_values[value.0 as usize] = true;
        }
        for (index, block) in flow.blocks.iter().enumerate() {
            for node in &block.nodes {
                let Node::Plain(stmt) = node else { continue };
                match stmt {
                    Stmt::Let(value, op) => self.define_op(kernel, *value, op),
                    Stmt::Get(value, variable) => {
                        let shared = self.is_shared_variable(*variable) && self.is_collective(BlockId(index));
                        self.define(*value, self.variables[variable.0 as usize], shared);
                    }
                    Stmt::Set(variable, value) => {
                        let old = self.variables[variable.0 as usize];
                        let mut new = self.values[value.0 as usize];
                        if let Some(Shape::Clamped(_)) = new {
                            new = Some(Shape::Varying);
                        }
                        let new = Shape::join(old, new);
                        changed |= new != old;
                        self.variables[variable.0 as usize] = new;
                    }
                    Stmt::Load { first, count, place, is_uniform } => {
                        let shared = place.terms.iter().all(|term| self.is_shared(term.index))
                            && match place.memory {
                                Memory::Buffer(binding) => !written[binding as usize],
                                Memory::Workgroup => *is_uniform && self.is_collective(BlockId(index)),
                                Memory::Array(_) => false,
                            };
                        let shape = self.loaded(place);
                        for word in 0..u32::from(*count) {
                            self.define(Value(first.0 + word), shape, shared);
                        }
                    }
                    Stmt::Atomic { result: Some(result), op, place, .. } => {
                        let shape = if *op == AtomicOp::Load { self.loaded(place) } else { Some(Shape::Varying) };
                        self.define(*result, shape, false);
                    }
                    _ => {}
                }
            }
        }
        changed
    }

    fn loaded(&self, place: &Place) -> Option<Shape> {
        match (place.memory, self.of_place(place)?) {
            (Memory::Buffer(_) | Memory::Workgroup, Shape::Uniform) => Some(Shape::Uniform),
            _ => Some(Shape::Varying),
        }
    }

    fn define(&mut self, value: Value, shape: Option<Shape>, shared: bool) {
        self.values[value.0 as usize] = shape;
        self.shared_values[value.0 as usize] = shared;
    }

    fn define_op(&mut self, kernel: &Lowered, value: Value, op: &Op) {
        let size = kernel.interface.workgroup_size;
        if let Op::Constant(bits) = op {
            self.constants[value.0 as usize] = Some(*bits);
        }
        self.bounds[value.0 as usize] = self.bound(size, op);
        let shared = match op {
            Op::Constant(_) | Op::Length(_) => true,
            Op::Builtin(builtin) => matches!(builtin, Builtin::WorkgroupId(_) | Builtin::NumWorkgroups(_)),
            _ => operands(op).iter().all(|operand| self.is_shared(*operand)),
        };
        self.define(value, self.shape_of_op(size, op), shared);
    }

    fn shape_of_op(&self, size: [u32; 3], op: &Op) -> Option<Shape> {
        let of = |value: &Value| self.values[value.0 as usize];
        Some(match op {
            Op::Constant(_) | Op::Length(_) => Shape::Uniform,
            Op::Builtin(builtin) => shape_of_builtin(size, self.lanes, *builtin),
            Op::Binary(binary, a, b) => self.shape_of_binary(*binary, *a, *b, of(a)?, of(b)?),
            Op::Clamp { index, last, .. } if self.is_inside(*index, *last) => of(index)?,
            Op::Clamp { index, last, .. } => match (of(index)?, of(last)?) {
                (Shape::Uniform, Shape::Uniform) => Shape::Uniform,
                (Shape::Affine(step), Shape::Uniform) if (1..1 << 16).contains(&step) => Shape::Clamped(step),
                _ => Shape::Varying,
            },
            _ => {
                let mut shape = Shape::Uniform;
                for operand in operands(op) {
                    if of(&operand)? != Shape::Uniform {
                        shape = Shape::Varying;
                    }
                }
                shape
            }
        })
    }

    fn shape_of_binary(&self, op: Binary, a: Value, b: Value, of_a: Shape, of_b: Shape) -> Shape {
        let step = |shape| match shape {
            Shape::Uniform => Some(0),
            Shape::Affine(step) => Some(step),
            _ => None,
        };
        if (of_a, of_b) == (Shape::Uniform, Shape::Uniform) {
            return Shape::Uniform;
        }
        let (Some(s), Some(t)) = (step(of_a), step(of_b)) else { return Shape::Varying };
        let times = |step: i32, by: Option<u32>| by.map(|by| step.wrapping_mul(by.cast_signed()));
        let step = match op {
            Binary::Add => Some(s.wrapping_add(t)),
            Binary::Subtract => Some(s.wrapping_sub(t)),
            Binary::Multiply if t == 0 => times(s, self.constant(b)),
            Binary::Multiply if s == 0 => times(t, self.constant(a)),
            Binary::ShiftLeft if t == 0 => times(s, self.constant(b).map(|by| 1 << (by & 31))),
            _ => None,
        };
        match step {
            Some(0) => Shape::Uniform,
            Some(step) => Shape::Affine(step),
            None => Shape::Varying,
        }
    }

    /// The largest that comes out of an operation, as far as that is easily seen.
    fn bound(&self, size: [u32; 3], op: &Op) -> u32 {
        let of = |value: &Value| self.bounds[value.0 as usize];
        let constant = |value: &Value| self.constant(*value);
        let bound = match op {
            Op::Constant(bits) => Some(*bits),
            Op::Builtin(Builtin::LocalId(axis)) => Some(size[usize::from(*axis)].saturating_sub(1)),
            Op::Builtin(Builtin::LocalIndex) => Some(size.iter().product::<u32>().saturating_sub(1)),
            Op::Unary(Unary::IntFromBool, _) => Some(1),
            Op::Unary(Unary::CountOnes | Unary::LeadingZeros | Unary::TrailingZeros, _) => Some(32),
            Op::Select { accept, reject, .. } => Some(of(accept).max(of(reject))),
            Op::Clamp { index, last, .. } => Some(of(index).min(of(last))),
            Op::Binary(op, a, b) => match op {
                Binary::And | Binary::MinUnsigned => Some(of(a).min(of(b))),
                Binary::MaxUnsigned => Some(of(a).max(of(b))),
                Binary::Add => of(a).checked_add(of(b)),
                Binary::Multiply => of(a).checked_mul(of(b)),
                Binary::ShiftLeft => constant(b).and_then(|by| of(a).checked_mul(1 << (by & 31))),
                Binary::ShiftRightUnsigned => Some(constant(b).map_or(of(a), |by| of(a) >> (by & 31))),
                Binary::DivideUnsigned => Some(constant(b).filter(|by| *by > 0).map_or(of(a), |by| of(a) / by)),
                Binary::RemainderUnsigned => {
                    Some(of(a).min(constant(b).filter(|by| *by > 0).map_or(u32::MAX, |by| by - 1)))
                }
                _ => None,
            },
            _ => None,
        };
        bound.unwrap_or(u32::MAX)
    }
}

/// The values that an operation is computed from.
pub(in crate::codegen) fn operands(op: &Op) -> Vec<Value> {
    match op {
        Op::Constant(_) | Op::Builtin(_) | Op::Length(_) => Vec::new(),
        Op::Unary(_, a) => vec![*a],
        Op::Binary(_, a, b) => vec![*a, *b],
        Op::Select { condition, accept, reject } => vec![*condition, *accept, *reject],
        Op::Fma(a, b, c) => vec![*a, *b, *c],
        Op::Clamp { index, last, .. } => vec![*index, *last],
        Op::Math(_, args) => args.clone(),
    }
}

/// Lanes are consecutive along the first axis that has more than one invocation, if a gang never spans two of its rows.
fn shape_of_builtin(size: [u32; 3], lanes: u32, builtin: Builtin) -> Shape {
    let axis = match builtin {
        Builtin::WorkgroupId(_) | Builtin::NumWorkgroups(_) => return Shape::Uniform,
        Builtin::LocalIndex => return Shape::Affine(1),
        Builtin::LocalId(axis) | Builtin::GlobalId(axis) => usize::from(axis),
    };
    let first = size.iter().position(|&n| n > 1).unwrap_or(0);
    if size[axis] == 1 {
        return Shape::Uniform;
    }
    let is_last = size[first + 1..].iter().all(|&n| n == 1);
    match (size[first].is_multiple_of(lanes) || is_last, axis == first) {
        (true, true) => Shape::Affine(1),
        (true, false) => Shape::Uniform,
        (false, _) => Shape::Varying,
    }
}
