//! Memory, control flow and functions of a SPIR-V module.

use samebit_device::wgsl::lowered::{AtomicOp, Builtin, Memory};
use spirv::{MemorySemantics, Op, Scope, StorageClass};

use super::body::Body;
use super::globals::{self, Root};
use super::module::Ty;
use super::{Value, Vulkan};
use crate::exact::target::{At, Control, Kind, Target};

impl Vulkan {
    /// A pointer to an element, or to a word of it.
    fn pointer(&mut self, root: Root, element: u32, width: u32, word: Option<u32>) -> u32 {
        let of = match word {
            Some(_) => self.module.ty(Ty::Word),
            None => globals::element(&mut self.module, width),
        };
        let mut indices = vec![root.variable];
        if root.class == StorageClass::StorageBuffer {
            indices.push(self.module.word(0));
        }
        indices.push(element);
        if let Some(word) = word.filter(|_| width > 1) {
            indices.push(self.module.word(word));
        }
        self.result(Op::AccessChain, Ty::Pointer(root.class, of), &indices)
    }

    fn word_pointer(&mut self, at: At<Value>, word: u32) -> u32 {
        let (root, width) = (self.globals.root(at.memory), self.globals.elements.width(at.memory));
        self.pointer(root, at.element.id, width, Some(word))
    }

    fn element_pointer(&mut self, at: At<Value>) -> u32 {
        let (root, width) = (self.globals.root(at.memory), self.globals.elements.width(at.memory));
        self.pointer(root, at.element.id, width, None)
    }

    fn control_pointer(&mut self, word: Control) -> u32 {
        let index = self.module.word(word as u32);
        self.pointer(self.globals.control, index, 1, Some(0))
    }

    fn new_labels<const N: usize>(&mut self) -> [u32; N] {
        [(); N].map(|()| self.module.id())
    }
}

impl Target for Vulkan {
    type Variable = (u32, Kind);
    type Function = u32;

    fn boolean(&mut self, value: bool) -> Value {
        Value { id: self.module.boolean(value), is_bool: true }
    }

    fn builtin(&mut self, builtin: Builtin) -> Value {
        self.built_in(builtin)
    }

    fn elements(&mut self, buffer: u32) -> Value {
        let root = self.globals.root(Memory::Buffer(buffer));
        self.value(Op::ArrayLength, &[root.variable, 0])
    }

    fn fma(&mut self, a: Value, b: Value, c: Value) -> Value {
        self.extended_float(spirv::GlslStd450Op::Fma, &[a, b, c])
    }

    fn variable(&mut self, kind: Kind) -> (u32, Kind) {
        let of = self.module.ty(if kind == Kind::Bool { Ty::Bool } else { Ty::Word });
        let (pointer, id) = (self.module.ty(Ty::Pointer(StorageClass::Function, of)), self.module.id());
        self.body().variable(pointer, id, None);
        (id, kind)
    }

    fn get(&mut self, (variable, kind): (u32, Kind)) -> Value {
        match kind {
            Kind::Bool => self.truth(Op::Load, &[variable]),
            Kind::Word => self.value(Op::Load, &[variable]),
        }
    }

    fn set(&mut self, (variable, _): (u32, Kind), value: Value) {
        self.body().push(Op::Store, &[variable, value.id]);
    }

    fn load(&mut self, at: At<Value>, count: u32) -> Vec<Value> {
        if count > 1 {
            let width = self.globals.elements.width(at.memory);
            let pointer = self.element_pointer(at);
            let all = self.result(Op::Load, Ty::Vector(width), &[pointer]);
            let words = at.word..at.word + count;
            return words.map(|word| self.value(Op::CompositeExtract, &[all, word])).collect();
        }
        let pointer = self.word_pointer(at, at.word);
        vec![self.value(Op::Load, &[pointer])]
    }

    fn store(&mut self, at: At<Value>, values: &[Value]) {
        let width = self.globals.elements.width(at.memory);
        if width > 1 && values.len() == width as usize {
            let ids: Vec<u32> = values.iter().map(|value| value.id).collect();
            let all = self.result(Op::CompositeConstruct, Ty::Vector(width), &ids);
            let pointer = self.element_pointer(at);
            self.body().push(Op::Store, &[pointer, all]);
            return;
        }
        for (word, value) in (at.word..).zip(values) {
            let pointer = self.word_pointer(at, word);
            self.body().push(Op::Store, &[pointer, value.id]);
        }
    }

    fn atomic(&mut self, op: AtomicOp, at: At<Value>, operand: Option<Value>) -> Option<Value> {
        let pointer = self.word_pointer(at, at.word);
        let scope = match at.memory {
            Memory::Buffer(_) => Scope::Device,
            _ => Scope::Workgroup,
        };
        let scope = self.module.word(scope as u32);
        let relaxed = self.module.word(MemorySemantics::empty().bits());
        let (Some(operand), true) = (operand, op != AtomicOp::Load) else {
            return Some(self.value(Op::AtomicLoad, &[pointer, scope, relaxed]));
        };
        let op = match op {
            AtomicOp::Add => Op::AtomicIAdd,
            AtomicOp::Subtract => Op::AtomicISub,
            AtomicOp::MinSigned => Op::AtomicSMin,
            AtomicOp::MaxSigned => Op::AtomicSMax,
            AtomicOp::MinUnsigned => Op::AtomicUMin,
            AtomicOp::MaxUnsigned => Op::AtomicUMax,
            AtomicOp::And => Op::AtomicAnd,
            AtomicOp::Or => Op::AtomicOr,
            AtomicOp::Xor => Op::AtomicXor,
            // Exchanges do not get here.
            AtomicOp::Load | AtomicOp::Store | AtomicOp::Exchange | AtomicOp::CompareExchange(_) => {
                self.body().push(Op::AtomicStore, &[pointer, scope, relaxed, operand.id]);
                return None;
            }
        };
        Some(self.value(op, &[pointer, scope, relaxed, operand.id]))
    }

    fn control(&mut self, word: Control) -> Value {
        let pointer = self.control_pointer(word);
        self.value(Op::Load, &[pointer])
    }

    fn set_control(&mut self, word: Control, value: Value) {
        let pointer = self.control_pointer(word);
        self.body().push(Op::Store, &[pointer, value.id]);
    }

    fn barrier(&mut self, buffers: bool) {
        let memory = if buffers { MemorySemantics::UNIFORM_MEMORY } else { MemorySemantics::empty() };
        let semantics = MemorySemantics::ACQUIRE_RELEASE | MemorySemantics::WORKGROUP_MEMORY | memory;
        let scope = self.module.word(Scope::Workgroup as u32);
        let semantics = self.module.word(semantics.bits());
        self.body().push(Op::ControlBarrier, &[scope, scope, semantics]);
    }

    fn begin_if(&mut self, condition: Value) {
        let labels = self.new_labels();
        self.body().begin_if(condition.id, labels);
    }

    fn begin_else(&mut self) {
        self.body().begin_else();
    }

    fn end_if(&mut self) {
        self.body().end(None);
    }

    fn begin_loop(&mut self) {
        let labels = self.new_labels();
        self.body().begin_loop(labels);
    }

    fn begin_continuing(&mut self) {
        self.body().begin_continuing();
    }

    fn end_loop(&mut self, break_if: Option<Value>) {
        self.body().end(break_if.map(|condition| condition.id));
    }

    fn begin_switch(&mut self, selector: Value, cases: &[&[u32]]) {
        let labels = (0..=cases.len()).map(|_| self.module.id()).collect();
        let merge = self.module.id();
        self.body().begin_switch(selector.id, cases, labels, merge);
    }

    fn begin_case(&mut self) {
        self.body().begin_case();
    }

    fn end_switch(&mut self) {
        self.body().end(None);
    }

    fn leave(&mut self) {
        self.body().leave();
    }

    fn go_on(&mut self) {
        self.body().go_on();
    }

    fn begin_function(&mut self, params: usize) -> Vec<Value> {
        let (function, label, ty) = (self.module.id(), self.module.id(), self.module.ty(Ty::Word));
        let mut body = Body::new(function, label);
        let values: Vec<_> = (0..params).map(|_| Value { id: self.module.id(), is_bool: false }).collect();
        for value in &values {
            body.param(ty, value.id);
        }
        self.bodies.push(body);
        values
    }

    fn end_function(&mut self, result: Value) -> u32 {
        self.body().push(Op::ReturnValue, &[result.id]);
        let Some(body) = self.bodies.pop() else { return 0 };
        let params = body.params();
        let (word, ty) = (self.module.ty(Ty::Word), self.module.function_type(params, true));
        let function = body.function;
        body.finish(&mut self.functions, word, ty);
        function
    }

    fn call(&mut self, function: u32, args: &[Value]) -> Value {
        let operands: Vec<u32> = [function].into_iter().chain(args.iter().map(|arg| arg.id)).collect();
        self.value(Op::FunctionCall, &operands)
    }
}
