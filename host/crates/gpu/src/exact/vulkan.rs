//! The Vulkan way: SPIR-V of our own, in which no float operation may be contracted.
//!
//! The module needs SPIR-V 1.3 with the capability `Shader`, and `Float64` if it computes with doubles. Every operation that
//! takes or gives a float is decorated with `NoContraction`, which drivers read as: do exactly this.

mod body;
mod globals;
mod memory;
mod module;

use samebit_device::wgsl::lowered::{Binary, Builtin, Lowered, Unary};
use spirv::{GlslStd450Op as GLOp, Op};

use super::elements::Elements;
use super::padding;
use super::target::Instructions;
use body::Body;
use globals::Globals;
use module::{Module, Ty};

/// A result of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Value {
    id: u32,
    is_bool: bool,
}

/// Builds a module.
pub(super) struct Vulkan {
    module: Module,
    globals: Globals,
    /// Functions that are being built, innermost last; the entry point is the first.
    bodies: Vec<Body>,
    /// Functions that are built.
    functions: Vec<u32>,
    workgroup_size: [u32; 3],
}

impl Vulkan {
    pub(super) fn new(kernel: &Lowered, elements: &Elements) -> Self {
        let mut module = Module::default();
        let mut entry = Body::new(module.id(), module.id());
        let globals = Globals::declare(&mut module, &mut entry, kernel, elements);
        let workgroup_size = padding::workgroup_size(kernel);
        Self { module, globals, bodies: vec![entry], functions: Vec::new(), workgroup_size }
    }

    /// The module's words, once everything has been written.
    pub(super) fn finish(mut self) -> Vec<u32> {
        let entry = self.bodies.first().map_or(0, |body| body.function);
        while let Some(mut body) = self.bodies.pop() {
            body.push(Op::Return, &[]);
            let void = self.module.ty(Ty::Void);
            let ty = self.module.function_type(0, false);
            body.finish(&mut self.functions, void, ty);
        }
        self.module.finish(entry, &self.globals.interface(), self.workgroup_size, &self.functions)
    }

    fn body(&mut self) -> &mut Body {
        if self.bodies.is_empty() {
            let (function, label) = (self.module.id(), self.module.id());
            self.bodies.push(Body::new(function, label));
        }
        let last = self.bodies.len() - 1;
        &mut self.bodies[last]
    }

    /// An instruction with a result of a type.
    fn result(&mut self, op: Op, ty: Ty, operands: &[u32]) -> u32 {
        let (ty, id) = (self.module.ty(ty), self.module.id());
        self.body().result(op, ty, id, operands);
        id
    }

    fn value(&mut self, op: Op, operands: &[u32]) -> Value {
        Value { id: self.result(op, Ty::Word, operands), is_bool: false }
    }

    fn truth(&mut self, op: Op, operands: &[u32]) -> Value {
        Value { id: self.result(op, Ty::Bool, operands), is_bool: true }
    }

    /// An instruction that computes with floats, and nothing else than it says.
    fn exact(&mut self, op: Op, ty: Ty, operands: &[u32]) -> u32 {
        let id = self.result(op, ty, operands);
        self.module.forbid_contraction(id);
        id
    }

    fn float(&mut self, word: Value) -> u32 {
        self.result(Op::Bitcast, Ty::Float, &[word.id])
    }

    fn bits(&mut self, float: u32) -> Value {
        self.value(Op::Bitcast, &[float])
    }

    fn signed(&mut self, word: Value) -> u32 {
        self.result(Op::Bitcast, Ty::Signed, &[word.id])
    }

    /// An instruction of the extended set.
    fn extended(&mut self, op: GLOp, ty: Ty, operands: &[u32]) -> u32 {
        let set = self.module.extended();
        let operands: Vec<u32> = [set, op as u32].iter().chain(operands).copied().collect();
        self.result(Op::ExtInst, ty, &operands)
    }

    fn extended_float(&mut self, op: GLOp, operands: &[Value]) -> Value {
        let operands: Vec<u32> = operands.iter().map(|value| self.float(*value)).collect();
        let id = self.extended(op, Ty::Float, &operands);
        self.module.forbid_contraction(id);
        self.bits(id)
    }

    fn float_binary(&mut self, op: Op, a: Value, b: Value) -> Value {
        let operands = [a, b].map(|value| self.float(value));
        let id = self.exact(op, Ty::Float, &operands);
        self.bits(id)
    }

    fn float_compare(&mut self, op: Op, a: Value, b: Value) -> Value {
        let operands = [a, b].map(|value| self.float(value));
        Value { id: self.exact(op, Ty::Bool, &operands), is_bool: true }
    }

    fn extended_word(&mut self, op: GLOp, operands: &[u32]) -> Value {
        Value { id: self.extended(op, Ty::Word, operands), is_bool: false }
    }

    fn leading_zeros(&mut self, a: Value) -> Value {
        // The number of the highest bit, or -1 if there is none.
        let highest = self.extended_word(GLOp::FindUMsb, &[a.id]);
        let last = self.word(31);
        self.value(Op::ISub, &[last.id, highest.id])
    }

    fn trailing_zeros(&mut self, a: Value) -> Value {
        let lowest = self.extended_word(GLOp::FindILsb, &[a.id]);
        let none = self.word(32);
        self.extended_word(GLOp::UMin, &[lowest.id, none.id])
    }

    fn multiply_high(&mut self, a: Value, b: Value) -> Value {
        let both = self.result(Op::UMulExtended, Ty::TwoWords, &[a.id, b.id]);
        self.value(Op::CompositeExtract, &[both, 1])
    }
}

impl Instructions for Vulkan {
    type V = Value;
    type Double = u32;

    const MULTIPLIES_HIGH: bool = true;

    fn word(&mut self, bits: u32) -> Value {
        Value { id: self.module.word(bits), is_bool: false }
    }

    fn unary(&mut self, op: Unary, a: Value) -> Value {
        match op {
            Unary::Not => self.truth(Op::LogicalNot, &[a.id]),
            Unary::IntFromBool => {
                let (one, zero) = (self.word(1), self.word(0));
                self.select(a, one, zero)
            }
            Unary::CountOnes => self.value(Op::BitCount, &[a.id]),
            Unary::LeadingZeros => self.leading_zeros(a),
            Unary::TrailingZeros => self.trailing_zeros(a),
            Unary::ReverseBits => self.value(Op::BitReverse, &[a.id]),
            Unary::FloatFromSigned => {
                let signed = self.signed(a);
                let float = self.exact(Op::ConvertSToF, Ty::Float, &[signed]);
                self.bits(float)
            }
            Unary::FloatFromUnsigned => {
                let float = self.exact(Op::ConvertUToF, Ty::Float, &[a.id]);
                self.bits(float)
            }
            Unary::SignedFromFloat => {
                let float = self.float(a);
                let signed = self.exact(Op::ConvertFToS, Ty::Signed, &[float]);
                self.bits(signed)
            }
            Unary::UnsignedFromFloat => {
                let float = self.float(a);
                Value { id: self.exact(Op::ConvertFToU, Ty::Word, &[float]), is_bool: false }
            }
            Unary::Sqrt => self.extended_float(GLOp::Sqrt, &[a]),
            Unary::Floor => self.extended_float(GLOp::Floor, &[a]),
            Unary::Ceil => self.extended_float(GLOp::Ceil, &[a]),
            Unary::Trunc => self.extended_float(GLOp::Trunc, &[a]),
            Unary::RoundEven => self.extended_float(GLOp::RoundEven, &[a]),
            // Matters of bits, which have been done with integers.
            Unary::FloatFromBits | Unary::BitsFromFloat | Unary::Canonical | Unary::Negate | Unary::Abs => a,
        }
    }

    fn binary(&mut self, op: Binary, a: Value, b: Value) -> Value {
        let words = [a.id, b.id];
        match op {
            Binary::BoolAnd => self.truth(Op::LogicalAnd, &words),
            Binary::BoolOr => self.truth(Op::LogicalOr, &words),
            Binary::BoolEqual => self.truth(Op::LogicalEqual, &words),
            Binary::Equal => self.truth(Op::IEqual, &words),
            Binary::Add => self.value(Op::IAdd, &words),
            Binary::Subtract => self.value(Op::ISub, &words),
            Binary::Multiply => self.value(Op::IMul, &words),
            Binary::MultiplyHigh => self.multiply_high(a, b),
            Binary::DivideUnsigned => self.value(Op::UDiv, &words),
            Binary::DivideSigned => {
                let operands = [a, b].map(|value| self.signed(value));
                let quotient = self.result(Op::SDiv, Ty::Signed, &operands);
                self.bits(quotient)
            }
            Binary::And => self.value(Op::BitwiseAnd, &words),
            Binary::Or => self.value(Op::BitwiseOr, &words),
            Binary::Xor => self.value(Op::BitwiseXor, &words),
            Binary::ShiftLeft => self.value(Op::ShiftLeftLogical, &words),
            Binary::ShiftRightUnsigned => self.value(Op::ShiftRightLogical, &words),
            Binary::ShiftRightSigned => self.value(Op::ShiftRightArithmetic, &words),
            Binary::MinSigned => self.extended_word(GLOp::SMin, &words),
            Binary::MaxSigned => self.extended_word(GLOp::SMax, &words),
            Binary::MinUnsigned => self.extended_word(GLOp::UMin, &words),
            Binary::MaxUnsigned => self.extended_word(GLOp::UMax, &words),
            Binary::LessSigned => self.truth(Op::SLessThan, &words),
            Binary::LessUnsigned => self.truth(Op::ULessThan, &words),
            Binary::FloatAdd => self.float_binary(Op::FAdd, a, b),
            Binary::FloatSubtract => self.float_binary(Op::FSub, a, b),
            Binary::FloatMultiply => self.float_binary(Op::FMul, a, b),
            Binary::FloatDivide => self.float_binary(Op::FDiv, a, b),
            Binary::FloatEqual => self.float_compare(Op::FOrdEqual, a, b),
            Binary::FloatLess => self.float_compare(Op::FOrdLessThan, a, b),
            Binary::FloatLessEqual => self.float_compare(Op::FOrdLessThanEqual, a, b),
            // Written as other operations before they get here.
            Binary::RemainderSigned | Binary::RemainderUnsigned | Binary::FloatMin | Binary::FloatMax => a,
        }
    }

    fn select(&mut self, condition: Value, accept: Value, reject: Value) -> Value {
        let ty = if accept.is_bool { Ty::Bool } else { Ty::Word };
        let id = self.result(Op::Select, ty, &[condition.id, accept.id, reject.id]);
        Value { id, is_bool: accept.is_bool }
    }

    fn widen(&mut self, a: Value) -> u32 {
        let float = self.float(a);
        self.exact(Op::FConvert, Ty::Double, &[float])
    }

    fn narrow(&mut self, a: u32) -> Value {
        let float = self.exact(Op::FConvert, Ty::Float, &[a]);
        self.bits(float)
    }

    fn double(&mut self, op: Binary, a: u32, b: u32) -> u32 {
        let op = match op {
            Binary::FloatAdd => Op::FAdd,
            Binary::FloatSubtract => Op::FSub,
            _ => Op::FMul,
        };
        self.exact(op, Ty::Double, &[a, b])
    }

    fn split(&mut self, a: u32) -> [Value; 2] {
        let both = self.result(Op::Bitcast, Ty::Vector(2), &[a]);
        [0, 1].map(|word| self.value(Op::CompositeExtract, &[both, word]))
    }

    fn join(&mut self, words: [Value; 2]) -> u32 {
        let both = self.result(Op::CompositeConstruct, Ty::Vector(2), &words.map(|word| word.id));
        self.result(Op::Bitcast, Ty::Double, &[both])
    }
}

impl Vulkan {
    fn built_in(&mut self, builtin: Builtin) -> Value {
        let (variable, axis) = self.globals.built_in(builtin);
        if let Some(axis) = axis {
            let all = self.result(Op::Load, Ty::Vector(3), &[variable]);
            return self.value(Op::CompositeExtract, &[all, axis]);
        }
        self.value(Op::Load, &[variable])
    }
}
