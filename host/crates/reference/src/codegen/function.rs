//! A function under construction: its code, its locals, and how deep it is nested.

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};

/// The code of one function.
#[derive(Debug)]
pub(super) struct FunctionBuilder {
    code: Vec<u8>,
    /// The types of the locals after the parameters.
    locals: Vec<ValType>,
    /// Locals that nothing uses now, by type.
    free: [Vec<u32>; 4],
    params: u32,
    depth: u32,
}

/// A place to branch to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target(u32);

fn pool(ty: ValType) -> usize {
    match ty {
        ValType::I32 => 0,
        ValType::F32 => 1,
        ValType::V128 => 2,
        _ => 3,
    }
}

/// Words in memory, `offset` bytes after the address on the stack.
pub(super) fn word(offset: u32) -> MemArg {
    MemArg { offset: u64::from(offset), align: 2, memory_index: 0 }
}

impl FunctionBuilder {
    /// An empty function.
    pub(super) fn new(params: u32) -> Self {
        Self { code: Vec::new(), locals: Vec::new(), free: Default::default(), params, depth: 0 }
    }

    /// Appends instructions. Blocks are opened and closed by the methods here, which count them.
    pub(super) fn ins(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    /// A local that is not in use. What is in it is not known.
    pub(super) fn local(&mut self, ty: ValType) -> u32 {
        if let Some(local) = self.free[pool(ty)].pop() {
            return local;
        }
        self.locals.push(ty);
        self.params + self.locals.len() as u32 - 1
    }

    /// Gives a local back, for another use.
    pub(super) fn release(&mut self, local: u32) {
        if let Some(ty) = local.checked_sub(self.params).map(|index| self.locals[index as usize]) {
            self.free[pool(ty)].push(local);
        }
    }

    /// Pops what is on the stack into a new local.
    pub(super) fn keep(&mut self, ty: ValType) -> u32 {
        let local = self.local(ty);
        self.set(local);
        local
    }

    /// As [`keep`](Self::keep), and leaves it on the stack.
    pub(super) fn tee(&mut self, ty: ValType) -> u32 {
        let local = self.local(ty);
        self.ins().local_tee(local);
        local
    }

    pub(super) fn get(&mut self, local: u32) {
        self.ins().local_get(local);
    }

    pub(super) fn set(&mut self, local: u32) {
        self.ins().local_set(local);
    }

    pub(super) fn i32(&mut self, value: u32) {
        self.ins().i32_const(value.cast_signed());
    }

    /// Pushes four equal lanes.
    pub(super) fn splat_const(&mut self, bits: u32) {
        self.lanes_const([bits; 4]);
    }

    /// Pushes four lanes.
    pub(super) fn lanes_const(&mut self, lanes: [u32; 4]) {
        let value = lanes.iter().rev().fold(0u128, |value, &lane| value << 32 | u128::from(lane));
        self.ins().v128_const(value.cast_signed());
    }

    /// Opens a block; branches to it go behind its end.
    pub(super) fn block(&mut self) -> Target {
        self.ins().block(BlockType::Empty);
        self.opened()
    }

    /// Opens a loop; branches to it go to its start.
    pub(super) fn loop_(&mut self) -> Target {
        self.ins().loop_(BlockType::Empty);
        self.opened()
    }

    /// Opens a block that is entered if the number on the stack is not zero.
    pub(super) fn if_(&mut self) -> Target {
        self.ins().if_(BlockType::Empty);
        self.opened()
    }

    pub(super) fn else_(&mut self) {
        self.ins().else_();
    }

    /// Closes the innermost block.
    pub(super) fn end(&mut self) {
        self.depth -= 1;
        self.ins().end();
    }

    fn opened(&mut self) -> Target {
        self.depth += 1;
        Target(self.depth)
    }

    /// How a branch says where `target` is, seen from here.
    pub(super) fn distance(&self, target: Target) -> u32 {
        self.depth - target.0
    }

    pub(super) fn br(&mut self, target: Target) {
        let distance = self.distance(target);
        self.ins().br(distance);
    }

    pub(super) fn br_if(&mut self, target: Target) {
        let distance = self.distance(target);
        self.ins().br_if(distance);
    }

    /// The finished function.
    pub(super) fn finish(mut self) -> Function {
        self.ins().end();
        let mut function = Function::new_with_locals_types(self.locals);
        function.raw(self.code);
        function
    }
}
