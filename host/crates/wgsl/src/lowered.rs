//! The lowered form of a kernel: what every device runs, and all that the exact profile leaves to say.
//!
//! A [`Lowered`] kernel is scalar and flat: no vectors, matrices, structures, pointers or functions are left. What was a
//! function is part of the body, what was a composite is its scalars, what was a pointer is a [`Place`]. Override
//! constants are resolved, every index that could leave its array is clamped by an operation of its own, and the
//! float built-ins are either plain IEEE operations or a [`MathFunction`], a fixed sequence of them.
//!
//! # Promises
//! - Every operation is total and has one answer, given by [`eval`]: a device may compute it as it likes, but not
//!   otherwise.
//! - Every [`Place`] lies inside its memory, as long as a bound range is at least as long as its binding demands.
//! - Every loop can be counted: an invocation may run [`Stmt::Loop`]s for so many iterations and no more.
//! - Barriers stand under control flow that is uniform in the workgroup.
//!
//! # Order
//! Invocations are independent between barriers. A value may be used in the block that defines it, after its
//! definition, and in blocks inside; a loop's `continuing` block and its condition may use values of its body.

mod math_function;
mod op;
mod ops;
mod print;
mod stmt;
mod verify;

pub mod eval;

pub use math_function::MathFunction;
pub use op::{Binary, Builtin, Op, Type, Unary};
pub use ops::{Native, Ops};
pub use stmt::{At, AtomicOp, Block, Case, Label, Memory, Place, Stmt, Term};
pub use verify::Malformed;

use crate::Interface;

/// A value: defined once, where it is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub u32);

/// A variable of an invocation: one scalar, zero or false when the invocation starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(pub u32);

/// An array of an invocation: memory of its own, since something indexes it that is not known before. Zero when the
/// invocation starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Array(pub u32);

/// A kernel as every device runs it.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// What it binds, and how large its workgroup is. [`Memory::Buffer`] counts its bindings in this order.
    pub interface: Interface,
    /// Size of the workgroup's memory in bytes, a multiple of 4, zero when a workgroup starts.
    pub workgroup_bytes: u32,
    /// The type of each [`Variable`].
    pub variables: Vec<Type>,
    /// The size of each [`Array`] in bytes, a multiple of 4.
    pub arrays: Vec<u32>,
    /// The type of each [`Value`].
    pub values: Vec<Type>,
    /// Operations without memory whose values are the same in the whole dispatch: constants, lengths, counts of
    /// workgroups, and what follows from them. They come before the body.
    pub preamble: Vec<(Value, Op)>,
    /// What each invocation does.
    pub body: Block,
}

impl Lowered {
    /// The type of a value.
    pub fn type_of(&self, value: Value) -> Type {
        self.values[value.0 as usize]
    }
}
