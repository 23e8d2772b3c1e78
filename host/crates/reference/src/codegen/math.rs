//! Float functions: each that a kernel uses becomes a function on four lanes.

use super::function::FunctionBuilder;
use super::operand::Lanes;
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
            let mut emit = Sequence { f: FunctionBuilder::new(params as u32), math: &mut self };
            let args: Vec<_> = (0..params as u32).map(Lanes::Vector).collect();
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
}

impl Ops for Sequence<'_> {
    type V = Lanes;

    fn bits(&mut self, bits: u32) -> Lanes {
        Lanes::Bits(bits)
    }

    fn unary(&mut self, op: Unary, a: Lanes) -> Lanes {
        self.f.vector_unary(op, a);
        self.f.keep_vector()
    }

    fn binary(&mut self, op: Binary, a: Lanes, b: Lanes) -> Lanes {
        self.f.vector_binary(op, a, b);
        self.f.keep_vector()
    }

    fn select(&mut self, condition: Lanes, accept: Lanes, reject: Lanes) -> Lanes {
        self.f.vector_select(condition, accept, reject);
        self.f.keep_vector()
    }

    fn fma(&mut self, a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        self.f.vector_fma(a, b, c);
        self.f.keep_vector()
    }

    fn rarely<const N: usize>(
        &mut self,
        condition: Lanes,
        usual: [Lanes; N],
        rare: impl FnOnce(&mut Self) -> [Lanes; N],
    ) -> [Lanes; N] {
        let out = usual.map(|lanes| {
            self.f.push(lanes);
            self.f.keep_vector()
        });
        self.f.push(condition);
        self.f.ins().v128_any_true();
        self.f.if_();
        let rare = rare(self);
        for (out, rare) in out.into_iter().zip(rare) {
            if let Lanes::Vector(local) = out {
                self.f.vector_select(condition, rare, out);
                self.f.set(local);
            }
        }
        self.f.end();
        out
    }

    fn call(&mut self, function: MathFunction, args: &[Lanes]) -> Lanes {
        args.iter().for_each(|arg| self.f.push(*arg));
        let index = self.math.index(function);
        self.f.ins().call(index);
        self.f.keep_vector()
    }
}
