//! Statements: what has an order.

use super::{Array, Op, Value, Variable};

/// Where in the text something comes from: the offset of its first byte, or [`At::UNKNOWN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At(pub u32);

impl At {
    /// No place is known.
    pub const UNKNOWN: Self = Self(u32::MAX);
}

/// Statements, in their order.
pub type Block = Vec<Stmt>;

/// Names an enclosing [`Stmt::Scope`], [`Stmt::Switch`] or [`Stmt::Loop`]; each kernel uses a number once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(pub u32);

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    /// Computes a value.
    Let(Value, Op),
    /// Reads a variable.
    Get(Value, Variable),
    /// Writes a variable.
    Set(Variable, Value),
    /// Reads words that lie one after the other: the first into `first`, the next into the value numbered next, and so
    /// on. Each is an `Int` or a `Float`.
    Load {
        /// The first value.
        first: Value,
        /// How many, 1 to 4.
        count: u8,
        /// Where the first word is.
        place: Place,
        /// Whether all invocations of the workgroup read the same, as `workgroupUniformLoad` promises.
        is_uniform: bool,
    },
    /// Writes words one after the other, 1 to 4. Floats on their way to a buffer have been made
    /// [`Canonical`](super::Unary::Canonical).
    Store {
        /// Where the first word goes.
        place: Place,
        /// The words.
        values: Vec<Value>,
    },
    /// Does something to a word at once, whatever other invocations do.
    Atomic {
        /// What was there before, if that is used.
        result: Option<Value>,
        /// What is done.
        op: AtomicOp,
        /// To which word.
        place: Place,
        /// With which operand; missing for [`AtomicOp::Load`] alone.
        operand: Option<Value>,
    },
    /// One of two blocks.
    If {
        /// A `Bool`.
        condition: Value,
        /// If it is true.
        accept: Block,
        /// If it is false.
        reject: Block,
    },
    /// The block of the case that has the selector's value, or the default.
    Switch {
        /// What [`Stmt::Leave`] calls it.
        label: Label,
        /// An `Int`.
        selector: Value,
        /// The cases; no value is in two of them.
        cases: Vec<Case>,
        /// If no case has the value.
        default: Block,
    },
    /// A block that can be left early.
    Scope {
        /// What [`Stmt::Leave`] calls it.
        label: Label,
        /// What is inside.
        body: Block,
    },
    /// `body`, then `continuing`, again and again until left. Each start of `body` is an iteration, and spends one from
    /// the invocation's budget before it.
    Loop {
        /// What [`Stmt::Leave`] and [`Stmt::Continue`] call it.
        label: Label,
        /// What is repeated.
        body: Block,
        /// What follows each time, also after [`Stmt::Continue`]. Does not leave the loop but by `break_if`.
        continuing: Block,
        /// A `Bool`: leaves the loop after `continuing` if true.
        break_if: Option<Value>,
        /// Where in the text it is.
        at: At,
    },
    /// Goes on after the enclosing scope, switch or loop of that label. The last statement of its block.
    Leave(Label),
    /// Goes on with the `continuing` block of the enclosing loop of that label. The last statement of its block.
    Continue(Label),
    /// Waits until the whole workgroup is here, and sees what each has written.
    Barrier(At),
}

/// One case of a [`Stmt::Switch`].
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its values.
    pub values: Vec<u32>,
    /// What it does.
    pub body: Block,
}

/// What an atomic operation does. The operand's sign is the operation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AtomicOp {
    /// Reads.
    Load,
    /// Writes.
    Store,
    /// Adds, wrapping.
    Add,
    /// Subtracts, wrapping.
    Subtract,
    /// Takes the smaller, signed.
    MinSigned,
    /// Takes the larger, signed.
    MaxSigned,
    /// Takes the smaller, unsigned.
    MinUnsigned,
    /// Takes the larger, unsigned.
    MaxUnsigned,
    /// Bitwise.
    And,
    /// Bitwise.
    Or,
    /// Bitwise.
    Xor,
    /// Writes, and gives back what was there.
    Exchange,
    /// Writes if this value is there, and gives back what was there.
    CompareExchange(Value),
}

/// Which memory a place is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Memory {
    /// A bound range, by its number in the interface's bindings.
    Buffer(u32),
    /// The workgroup's memory.
    Workgroup,
    /// An array of the invocation.
    Array(Array),
}

/// A word in memory. Its byte offset is `constant` plus each term's index times its stride; it does not overflow, is a
/// multiple of 4, and lies inside the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which memory.
    pub memory: Memory,
    /// The constant part of the offset, in bytes.
    pub constant: u32,
    /// The variable parts.
    pub terms: Vec<Term>,
    /// Where in the text it is accessed.
    pub at: At,
}

/// A variable part of a place's offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// Counts elements: an `Int`, clamped.
    pub index: Value,
    /// Size of an element in bytes.
    pub stride: u32,
}
