//! A kernel as instructions: flat, on registers, with jumps.

use samebit_wgsl::lowered::{At, AtomicOp, Binary, Builtin, Lowered, MathFunction, Memory, Unary};

use super::{InterpError, compile};

/// A register: those of the preamble are the same for all, the others are the frame of an invocation.
pub(super) type Reg = u32;

/// A place in the code.
pub(super) type Pc = u32;

/// An instruction. Registers and places in tables are in range: [`compile`] makes them, nobody else does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instr {
    Constant { to: Reg, bits: u32 },
    Move { to: Reg, from: Reg },
    Builtin { to: Reg, builtin: Builtin },
    Length { to: Reg, buffer: u32 },
    Unary { op: Unary, to: Reg, a: Reg },
    Binary { op: Binary, to: Reg, a: Reg, b: Reg },
    Select { to: Reg, condition: Reg, accept: Reg, reject: Reg },
    Fma { to: Reg, a: Reg, b: Reg, c: Reg },
    Clamp { to: Reg, index: Reg, last: Reg, at: At },
    Math { function: MathFunction, to: Reg, args: [Reg; 2] },
    Load { place: u32, list: u32, count: u8 },
    Store { place: u32, list: u32, count: u8 },
    Atomic { op: AtomicOp, place: u32, to: Option<Reg>, operand: Reg, compare: Reg },
    Jump(Pc),
    JumpIf { condition: Reg, to: Pc },
    JumpUnless { condition: Reg, to: Pc },
    Switch { selector: Reg, table: u32 },
    Iterate { loop_number: u32 },
    Barrier(At),
    End,
}

/// A [`Place`](samebit_wgsl::lowered::Place) with its terms in a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlatPlace {
    pub(super) memory: Memory,
    pub(super) constant: u32,
    /// The first of [`Program::terms`] and how many.
    pub(super) terms: (u32, u32),
    pub(super) at: At,
}

/// Where a switch goes.
#[derive(Clone, Debug, Default)]
pub(super) struct SwitchTable {
    /// By value, sorted.
    pub(super) cases: Vec<(u32, Pc)>,
    pub(super) default: Pc,
}

/// A kernel, ready to be interpreted as often as one likes.
#[derive(Clone, Debug)]
pub struct Program {
    pub(super) code: Vec<Instr>,
    /// Where an invocation starts. The preamble starts at 0.
    pub(super) body: Pc,
    pub(super) places: Vec<FlatPlace>,
    /// Register and stride.
    pub(super) terms: Vec<(Reg, u32)>,
    /// Registers that loads write and stores read.
    pub(super) lists: Vec<Reg>,
    pub(super) switches: Vec<SwitchTable>,
    pub(super) loops: Vec<At>,
    /// Registers of the preamble; the frame begins after them, with the variables.
    pub(super) shared: u32,
    pub(super) variables: u32,
    /// Registers in all.
    pub(super) registers: u32,
    /// Offset and size of each array in an invocation's memory, in bytes.
    pub(super) arrays: Vec<(u32, u32)>,
    pub(super) array_bytes: u32,
    pub(super) workgroup_bytes: u32,
    pub(super) workgroup_size: [u32; 3],
    pub(super) has_barrier: bool,
    /// The smallest size of each binding.
    sizes: Vec<u64>,
}

impl Program {
    /// Flattens a kernel.
    ///
    /// # Errors
    /// If the kernel breaks a promise of the lowered form.
    pub fn new(kernel: &Lowered) -> Result<Self, InterpError> {
        compile::compile(kernel, false)
    }

    /// Flattens a kernel for an active [`Observer`](super::Observer): clamps that are the same in the whole dispatch
    /// are seen where they are used, and not where they are not.
    ///
    /// # Errors
    /// As [`Program::new`].
    pub fn observed(kernel: &Lowered) -> Result<Self, InterpError> {
        compile::compile(kernel, true)
    }

    /// Where in the text each loop is.
    pub fn loops(&self) -> &[At] {
        &self.loops
    }

    /// How many invocations a workgroup has.
    pub fn invocations(&self) -> u32 {
        self.workgroup_size.iter().product()
    }

    /// A program of nothing for a kernel.
    pub(super) fn empty(kernel: &Lowered) -> Result<Self, InterpError> {
        let workgroup_size = kernel.interface.workgroup_size;
        let invocations = workgroup_size.iter().try_fold(1_u32, |product, size| product.checked_mul(*size));
        if !invocations.is_some_and(|invocations| (1..=1 << 16).contains(&invocations)) {
            return Err(InterpError::Malformed("its workgroups have no size that there is"));
        }
        let mut arrays = Vec::with_capacity(kernel.arrays.len());
        let mut array_bytes = 0_u32;
        for size in &kernel.arrays {
            arrays.push((array_bytes, *size));
            array_bytes = array_bytes.checked_add(*size).ok_or(InterpError::Malformed("its arrays are too large"))?;
        }
        Ok(Self {
            code: Vec::new(),
            body: 0,
            places: Vec::new(),
            terms: Vec::new(),
            lists: Vec::new(),
            switches: Vec::new(),
            loops: Vec::new(),
            shared: 0,
            variables: 0,
            registers: 0,
            arrays,
            array_bytes,
            workgroup_bytes: kernel.workgroup_bytes,
            workgroup_size,
            has_barrier: false,
            sizes: kernel.interface.bindings.iter().map(|binding| binding.size_min_bytes).collect(),
        })
    }

    /// Refuses ranges that are not what the kernel binds.
    pub(super) fn check_buffers(&self, buffers: &[&mut [u8]]) -> Result<(), InterpError> {
        let bindings = self.sizes.len();
        for index in 0..bindings.max(buffers.len()) {
            let size_bytes = buffers.get(index).map_or(0, |buffer| buffer.len());
            let is_whole = size_bytes.is_multiple_of(4) && u32::try_from(size_bytes).is_ok();
            let is_large = self.sizes.get(index).is_some_and(|min| size_bytes as u64 >= *min);
            if index >= buffers.len() || !is_whole || !is_large {
                return Err(InterpError::Buffers { index, size_bytes, bindings });
            }
        }
        Ok(())
    }
}
