//! Float functions: each that a kernel uses becomes a function on four lanes.

use super::function::{FunctionBuilder, Vector};
use super::operand::Lanes;
use super::vector::Extreme;
use samebit_wgsl::lowered::{Binary, MathFunction, Ops, Unary};
use samebit_wgsl::math;
use std::collections::BTreeMap;
use wasm_encoder::Function;

/// The functions that are used so far, and how they are numbered.
#[derive(Debug)]
pub(super) struct MathFunctions {
    first: u32,
    indices: BTreeMap<MathFunction, u32>,
    order: Vec<MathFunction>,
}

impl MathFunctions {
    /// None yet; the first will have this number.
    pub(super) fn new(first: u32) -> Self {
        Self { first, indices: BTreeMap::new(), order: Vec::new() }
    }

    /// The number of a function's code.
    pub(super) fn index(&mut self, function: MathFunction) -> u32 {
        *self.indices.entry(function).or_insert_with(|| {
            self.order.push(function);
            self.first + self.order.len() as u32 - 1
        })
    }

    /// Generates all that are used, also by each other, in the order of their numbers, with how many parameters they have.
    pub(super) fn generate(mut self) -> Vec<(usize, Function)> {
        let mut functions = Vec::new();
        while let Some(&function) = self.order.get(functions.len()) {
            let params = function.params().len();
            let mut emit =
                Sequence { f: FunctionBuilder::new(params as u32, 1), math: &mut self, less: BTreeMap::new() };
            let args: Vec<_> = (0..params as u32).map(|param| Lanes::Vector(Vector(param))).collect();
            let result = math::sequence(&mut emit, function, &args);
            let mut f = emit.f;
            f.push(result);
            functions.push((params, f.finish()));
        }
        functions
    }
}

/// Emits the operations of a sequence.
struct Sequence<'a> {
    f: FunctionBuilder,
    math: &'a mut MathFunctions,
    /// The operands of each comparison, by the local that holds what came out. No local is used twice.
    less: BTreeMap<Vector, (Lanes, Lanes)>,
}

impl Sequence<'_> {
    /// Whether a selection takes the smaller or the larger of two floats by comparing just these.
    fn extreme(&self, condition: Lanes, accept: Lanes, reject: Lanes) -> Option<Extreme> {
        let Lanes::Vector(condition) = condition else { return None };
        let (a, b) = *self.less.get(&condition)?;
        let same = |x, y| match (x, y) {
            (Lanes::Bits(x), Lanes::Bits(y)) => x == y,
            (Lanes::Vector(x), Lanes::Vector(y)) => x == y,
            _ => false,
        };
        if same(a, accept) && same(b, reject) {
            Some(Extreme::Smaller)
        } else if same(a, reject) && same(b, accept) {
            Some(Extreme::Larger)
        } else {
            None
        }
    }
}

impl Ops for Sequence<'_> {
    type V = Lanes;

    fn bits(&mut self, bits: u32) -> Lanes {
        Lanes::Bits(bits)
    }

    fn unary(&mut self, op: Unary, a: Lanes) -> Lanes {
        self.f.vector_unary(op, a);
        self.f.keep_lanes()
    }

    fn binary(&mut self, op: Binary, a: Lanes, b: Lanes) -> Lanes {
        self.f.vector_binary(op, a, b);
        let result = self.f.keep_lanes();
        if let (Binary::FloatLess, Lanes::Vector(local)) = (op, result) {
            self.less.insert(local, (a, b));
        }
        result
    }

    fn select(&mut self, condition: Lanes, accept: Lanes, reject: Lanes) -> Lanes {
        match self.extreme(condition, accept, reject) {
            Some(extreme) => self.f.push_extreme(extreme, accept, reject),
            None => self.f.vector_select(condition, accept, reject),
        }
        self.f.keep_lanes()
    }

    fn fma(&mut self, a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        self.f.vector_fma(a, b, c);
        self.f.keep_lanes()
    }

    fn rarely<const N: usize>(
        &mut self,
        condition: Lanes,
        usual: [Lanes; N],
        rare: impl FnOnce(&mut Self) -> [Lanes; N],
    ) -> [Lanes; N] {
        let out = usual.map(|lanes| {
            self.f.push(lanes);
            self.f.keep_lanes()
        });
        self.f.push(condition);
        self.f.ins().v128_any_true();
        self.f.if_();
        let rare = rare(self);
        for (out, rare) in out.into_iter().zip(rare) {
            if let Lanes::Vector(vector) = out {
                self.f.vector_select(condition, rare, out);
                self.f.set_vector(vector);
            }
        }
        self.f.end();
        out
    }

    fn call(&mut self, function: MathFunction, args: &[Lanes]) -> Lanes {
        args.iter().for_each(|arg| self.f.push(*arg));
        let index = self.math.index(function);
        self.f.ins().call(index);
        self.f.keep_lanes()
    }
}
