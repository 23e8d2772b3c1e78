//! The state of code generation: how each value and variable is held, and which locals are free again.

use super::flow::{BlockId, Flow};
use super::function::{FunctionBuilder, Target};
use super::layout::Layout;
use super::math::MathFunctions;
use super::operand::{Held, Lanes, Scalar, scalar_type};
use super::shapes::{Shape, Shapes};
use samebit_wgsl::lowered::{Lowered, Type, Value, Variable};
use std::collections::BTreeMap;
use wasm_encoder::ValType;

/// Which lanes are active.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mask {
    /// All of them.
    All,
    /// Those with ones in the vector in a local. At least one is, wherever code runs.
    Local(u32),
}

/// Locals that are the same wherever code runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// Parameters.
    pub params: u32,
    pub scratch: u32,
    /// The workgroup's id.
    pub group: [u32; 3],
    /// Local invocation index of the gang's first lane.
    pub index: u32,
    /// Where the gang's own memory is: arrays, and what is kept between regions.
    pub gang: u32,
}

/// A block whose code is being generated.
#[derive(Debug)]
struct Frame {
    defined: Vec<Value>,
    /// Values that have been used for the last time inside a statement of the block.
    spent: Vec<Value>,
}

/// What a jump to a label does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exit {
    /// Where leaving branches to.
    pub leave: Target,
    /// Where continuing branches to.
    pub next: Option<Target>,
    /// Collects lanes that leave.
    pub left: Option<u32>,
    /// Collects lanes that continue.
    pub waiting: Option<u32>,
}

/// Generates the code of one kernel.
#[derive(Debug)]
pub(super) struct Emitter<'a> {
    pub f: FunctionBuilder,
    pub kernel: &'a Lowered,
    pub flow: &'a Flow<'a>,
    pub shapes: &'a Shapes,
    pub layout: &'a Layout,
    pub math: MathFunctions,
    pub places: Places,
    pub exits: BTreeMap<u32, Exit>,
    pub budget: Option<super::budget::Budget>,
    /// Where each binding starts, in a local.
    pub buffers: Vec<u32>,
    /// How a kernel with barriers is run.
    pub plan: Option<&'a super::plan::Plan<'a>>,
    pub workgroup: super::regions::Workgroup,
    /// What is known to say whether one float is less than another.
    pub less: BTreeMap<Value, (Value, Value)>,
    held: Vec<Option<Held>>,
    uses: Vec<u32>,
    frame_of: Vec<u32>,
    variables: Vec<Option<u32>>,
    frames: Vec<Frame>,
}

impl<'a> Emitter<'a> {
    #[expect(clippy::too_many_arguments, reason = "each is a finished analysis, and there is one caller")]
    pub(super) fn new(
        f: FunctionBuilder,
        kernel: &'a Lowered,
        flow: &'a Flow<'a>,
        shapes: &'a Shapes,
        layout: &'a Layout,
        math: MathFunctions,
        places: Places,
        buffers: Vec<u32>,
        plan: Option<&'a super::plan::Plan<'a>>,
    ) -> Self {
        let count = kernel.values.len();
        let mut uses = super::uses::count(kernel, flow);
        for value in plan.into_iter().flat_map(|plan| &plan.operands) {
            // Never dead before its block is.
            uses[value.0 as usize] = u32::MAX;
        }
        Self {
            f,
            kernel,
            flow,
            shapes,
            layout,
            math,
            places,
            exits: BTreeMap::new(),
            budget: None,
            buffers,
            plan,
            workgroup: super::regions::Workgroup::default(),
            less: BTreeMap::new(),
            held: vec![None; count],
            uses,
            frame_of: vec![0; count],
            variables: vec![None; kernel.variables.len()],
            frames: vec![Frame { defined: Vec::new(), spent: Vec::new() }],
        }
    }

    pub(super) fn type_of(&self, value: Value) -> Type {
        self.kernel.type_of(value)
    }

    /// Whether something still uses a value.
    pub(super) fn is_used(&self, value: Value) -> bool {
        self.uses[value.0 as usize] > 0
    }

    /// Whether a value is at hand.
    pub(super) fn is_held(&self, value: Value) -> bool {
        self.held[value.0 as usize].is_some()
    }

    /// How a value is held. One that was never computed is zero.
    pub(super) fn held(&self, value: Value) -> Held {
        self.held[value.0 as usize].unwrap_or(Held::Scalar(Scalar::Bits(0)))
    }

    pub(super) fn lanes(&self, value: Value) -> Lanes {
        self.held(value).lanes(self.type_of(value))
    }

    /// A value that all lanes share; of others, what lane 0 has before it is clamped.
    pub(super) fn scalar(&self, value: Value) -> Scalar {
        match self.held(value) {
            Held::Scalar(scalar) => scalar,
            Held::Lanes(Lanes::Affine(local, _) | Lanes::Splat(local, _) | Lanes::Clamped { base: local, .. }) => {
                Scalar::Local(local)
            }
            Held::Lanes(Lanes::Bits(bits)) => Scalar::Bits(bits),
            // The analysis never asks for it.
            Held::Lanes(Lanes::Vector(_)) => Scalar::Bits(0),
        }
    }

    pub(super) fn push_scalar(&mut self, value: Value) {
        let (scalar, ty) = (self.scalar(value), self.type_of(value));
        self.f.push_scalar(scalar, ty);
    }

    pub(super) fn push_lanes(&mut self, value: Value) {
        let lanes = self.lanes(value);
        self.f.push(lanes);
    }

    /// From here on, a value is held so.
    pub(super) fn define(&mut self, value: Value, held: Held) {
        let frame = self.frames.len() - 1;
        self.held[value.0 as usize] = Some(held);
        self.frame_of[value.0 as usize] = frame as u32;
        self.frames[frame].defined.push(value);
    }

    /// Pops a value of a shape: a scalar, lane 0's number, or a vector.
    pub(super) fn define_popped(&mut self, value: Value) {
        let ty = self.type_of(value);
        let held = match self.shapes.of(value) {
            Shape::Uniform => Held::Scalar(self.f.keep_scalar(ty)),
            Shape::Affine(step) => Held::Lanes(Lanes::Affine(self.f.keep(ValType::I32), step)),
            Shape::Clamped(_) | Shape::Varying => Held::Lanes(self.f.keep_vector()),
        };
        self.define(value, held);
    }

    /// Counts one use of a value.
    pub(super) fn spend(&mut self, value: Value) {
        let index = value.0 as usize;
        self.uses[index] = self.uses[index].saturating_sub(1);
        // A value of a region that has ended is not held any more.
        if self.uses[index] > 0 || self.held[index].is_none() {
            return;
        }
        let frame = self.frame_of[index] as usize;
        if frame + 1 == self.frames.len() {
            self.forget(value);
        } else if frame > 0 {
            self.frames[frame].spent.push(value);
        }
    }

    /// Gives back what was just defined, since nothing uses it.
    pub(super) fn discard(&mut self, value: Value) {
        self.forget(value);
    }

    /// Gives back the locals of a value.
    fn forget(&mut self, value: Value) {
        if self.frame_of[value.0 as usize] == 0 {
            return;
        }
        if let Some(held) = self.held[value.0 as usize].take() {
            held.locals().for_each(|local| self.f.release(local));
        }
    }

    pub(super) fn open_frame(&mut self) {
        self.frames.push(Frame { defined: Vec::new(), spent: Vec::new() });
    }

    /// After a statement with blocks: what was used in them for the last time is dead.
    pub(super) fn sweep_frame(&mut self) {
        let spent = self.frames.last_mut().map(|frame| std::mem::take(&mut frame.spent));
        spent.into_iter().flatten().for_each(|value| self.forget(value));
    }

    pub(super) fn close_frame(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        for value in frame.defined {
            if let Some(held) = self.held[value.0 as usize].take() {
                held.locals().for_each(|local| self.f.release(local));
            }
        }
    }

    /// The local that holds a variable.
    pub(super) fn variable(&mut self, variable: Variable) -> u32 {
        let index = variable.0 as usize;
        if let Some(local) = self.variables[index] {
            return local;
        }
        let ty = match self.shapes.of_variable(variable) {
            Shape::Uniform | Shape::Affine(_) => scalar_type(self.kernel.variables[index]),
            Shape::Clamped(_) | Shape::Varying => ValType::V128,
        };
        let local = self.f.local(ty);
        self.variables[index] = Some(local);
        local
    }

    /// Pushes what a variable starts with.
    pub(super) fn push_zero(&mut self, variable: Variable) {
        match self.shapes.of_variable(variable) {
            Shape::Uniform | Shape::Affine(_) => {
                self.f.push_scalar(Scalar::Bits(0), self.kernel.variables[variable.0 as usize]);
            }
            Shape::Clamped(_) | Shape::Varying => self.f.splat_const(0),
        }
    }

    /// Reads a variable.
    pub(super) fn get_variable(&mut self, value: Value, variable: Variable) {
        let local = self.variable(variable);
        self.f.get(local);
        self.define_popped(value);
    }

    /// Writes a variable.
    pub(super) fn set_variable(&mut self, variable: Variable, value: Value, block: BlockId, mask: Mask) {
        let local = self.variable(variable);
        match self.shapes.of_variable(variable) {
            Shape::Uniform | Shape::Affine(_) => self.push_scalar(value),
            Shape::Clamped(_) | Shape::Varying => {
                self.push_lanes(value);
                if let (Mask::Local(mask), true) = (mask, self.shapes.is_blended(variable, block)) {
                    self.f.ins().local_get(local).local_get(mask).v128_bitselect();
                }
            }
        }
        self.f.set(local);
    }
}
