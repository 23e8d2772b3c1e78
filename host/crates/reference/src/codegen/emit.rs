//! The state of code generation: how each value and variable is held, and which locals are free again.

use super::flow::Flow;
use super::function::{FunctionBuilder, Target, Vector};
use super::layout::Layout;
use super::math::MathFunctions;
use super::operand::{Held, Lanes, Scalar};
use super::shapes::{Shape, Shapes};
use super::variable::Home;
use samebit_wgsl::lowered::{Lowered, Type, Value};
use std::collections::BTreeMap;
use wasm_encoder::ValType;

/// Which lanes are active.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mask {
    /// All of them.
    All,
    /// Those with ones in the vector. At least one is, wherever code runs.
    Lanes(Vector),
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
    pub left: Option<Vector>,
    /// Collects lanes that continue.
    pub waiting: Option<Vector>,
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
    /// The end of the code, where a status is wanted.
    pub end: Option<Target>,
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
    pub homes: Vec<Option<Home>>,
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
            end: None,
            budget: None,
            buffers,
            plan,
            workgroup: super::regions::Workgroup::default(),
            less: BTreeMap::new(),
            held: vec![None; count],
            uses,
            frame_of: vec![0; count],
            homes: vec![None; kernel.variables.len()],
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

    /// Pops a value that is a scalar, or lane 0's number of one that is affine.
    pub(super) fn define_popped(&mut self, value: Value) {
        let ty = self.type_of(value);
        let held = match self.shapes.of(value) {
            Shape::Affine(step) => Held::Lanes(Lanes::Affine(self.f.keep(ValType::I32), step)),
            _ => Held::Scalar(self.f.keep_scalar(ty)),
        };
        self.define(value, held);
    }

    /// From here on, a value is held in a vector.
    pub(super) fn define_vector(&mut self, value: Value, vector: Vector) {
        self.define(value, Held::Lanes(Lanes::Vector(vector)));
    }

    /// Keeps what `each` leaves on the stack for each part.
    pub(super) fn each(&mut self, mut each: impl FnMut(&mut Self)) -> Vector {
        let out = self.f.vector();
        self.for_parts(|this| {
            each(this);
            this.f.set_vector(out);
        });
        out
    }

    /// Generates something once for each part.
    pub(super) fn for_parts(&mut self, mut each: impl FnMut(&mut Self)) {
        for part in 0..self.f.parts() {
            self.f.set_part(part);
            each(self);
        }
        self.f.set_part(0);
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
            self.f.release_held(held);
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
                self.f.release_held(held);
            }
        }
    }
}
