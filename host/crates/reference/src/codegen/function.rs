//! A function under construction: its code, its locals, and how deep it is nested.
//!
//! A gang's lanes are one vector or two: its parts. What holds a number of each lane is a [`Vector`], which stands for a
//! local for each part. Code that computes such numbers is generated once for each part, with the same instructions: see
//! [`FunctionBuilder::each`].

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};

/// Lanes of one part.
pub(super) const PART_LANES: u32 = 4;

/// A vector of four numbers for each part: the local of the first part, followed by the others'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Vector(pub u32);

/// The code of one function.
#[derive(Debug)]
pub(super) struct FunctionBuilder {
    code: Vec<u8>,
    /// How many parts a gang has.
    parts: u32,
    /// The part that code is being generated for.
    part: u32,
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
    /// An empty function, for gangs of so many parts.
    pub(super) fn new(params: u32, parts: u32) -> Self {
        let free = Default::default();
        Self { code: Vec::new(), parts, part: 0, locals: Vec::new(), free, params, depth: 0 }
    }

    /// How many parts a gang has.
    pub(super) fn parts(&self) -> u32 {
        self.parts
    }

    /// The part that code is being generated for.
    pub(super) fn part(&self) -> u32 {
        self.part
    }

    /// From here on, generates code for this part.
    pub(super) fn set_part(&mut self, part: u32) {
        self.part = part;
    }

    /// Generates something once for each part.
    pub(super) fn for_parts(&mut self, mut each: impl FnMut(&mut Self)) {
        for part in 0..self.parts {
            self.part = part;
            each(self);
        }
        self.part = 0;
    }

    /// Keeps what `each` leaves on the stack for each part.
    pub(super) fn each(&mut self, mut each: impl FnMut(&mut Self)) -> Vector {
        let out = self.vector();
        self.for_parts(|this| {
            each(this);
            this.set_vector(out);
        });
        out
    }

    /// A vector that is not in use. What is in it is not known.
    pub(super) fn vector(&mut self) -> Vector {
        if let Some(local) = self.free[pool(ValType::V128)].pop() {
            return Vector(local);
        }
        self.locals.extend((0..self.parts).map(|_| ValType::V128));
        Vector(self.params + self.locals.len() as u32 - self.parts)
    }

    /// Gives a vector back, for another use.
    pub(super) fn release_vector(&mut self, vector: Vector) {
        // A parameter is nobody's to use again.
        if vector.0 >= self.params {
            self.free[pool(ValType::V128)].push(vector.0);
        }
    }

    /// Pushes this part of a vector.
    pub(super) fn get_vector(&mut self, vector: Vector) {
        let local = vector.0 + self.part;
        self.ins().local_get(local);
    }

    /// Pops this part of a vector.
    pub(super) fn set_vector(&mut self, vector: Vector) {
        let local = vector.0 + self.part;
        self.ins().local_set(local);
    }

    /// As [`set_vector`](Self::set_vector), and leaves it on the stack.
    pub(super) fn tee_vector(&mut self, vector: Vector) {
        let local = vector.0 + self.part;
        self.ins().local_tee(local);
    }

    /// Pops this part of a new vector.
    pub(super) fn keep_part(&mut self) -> Vector {
        let vector = self.vector();
        self.set_vector(vector);
        vector
    }

    /// Pushes whether any lane of a vector has a bit that is set, of all parts.
    pub(super) fn any_true(&mut self, vector: Vector) {
        self.for_parts(|this| {
            this.get_vector(vector);
            if this.part > 0 {
                this.ins().v128_or();
            }
        });
        self.ins().v128_any_true();
    }

    /// Pushes whether every lane of a vector has a bit that is set, of all parts; each lane is ones or zeros.
    pub(super) fn all_true(&mut self, vector: Vector) {
        self.for_parts(|this| {
            this.get_vector(vector);
            if this.part > 0 {
                this.ins().v128_and();
            }
        });
        self.ins().i32x4_all_true();
    }

    /// Appends instructions. Blocks are opened and closed by the methods here, which count them.
    pub(super) fn ins(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    /// A local for a scalar that is not in use. What is in it is not known.
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

    /// Opens a block that leaves a number, and to whose end branches bring one.
    pub(super) fn block_of_i32(&mut self) -> Target {
        self.ins().block(BlockType::Result(ValType::I32));
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
