//! What the emission is written against: a program of structured control flow over words and booleans.
//!
//! Every scalar but a boolean is a word of 32 bits, floats included. Operations of floats take words and give words, and a
//! target sees to it that nothing is done to a float in between. An operation that is asked for here is asked of the device
//! itself: what replaces it, and what guards it, has been decided before. [`Instructions`] are what a sequence of operations
//! needs, so that a CPU can run one too; [`Target`] is the rest.

use samebit_device::wgsl::lowered::{AtomicOp, Binary, Builtin, Memory, Unary};

/// Where words are in memory: an element of its array, and the first of the words in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<V> {
    /// Which memory.
    pub(super) memory: Memory,
    /// Which element.
    pub(super) element: V,
    /// Which word of it. What is accessed lies in one element.
    pub(super) word: u32,
}

/// A word of the control buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    /// Zero, though nobody who compiles can know.
    Zero = 0,
    /// How many iterations of loops an invocation may begin.
    Budget = 1,
    /// Not zero once an invocation has spent them.
    Spent = 2,
}

/// What a variable holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A boolean.
    Bool,
    /// 32 bits.
    Word,
}

/// Takes operations without memory, in their order.
pub(super) trait Instructions {
    /// A value: a word or a boolean.
    type V: Copy + Eq + std::hash::Hash;
    /// A binary64 number.
    type Double: Copy;

    /// Whether there is an instruction for [`Binary::MultiplyHigh`].
    const MULTIPLIES_HIGH: bool;

    /// A constant.
    fn word(&mut self, bits: u32) -> Self::V;
    /// The device's own. Floats that become integers are inside their range.
    fn unary(&mut self, op: Unary, a: Self::V) -> Self::V;
    /// The device's own. Divisors are not zero, and shifts are below 32.
    fn binary(&mut self, op: Binary, a: Self::V, b: Self::V) -> Self::V;
    /// The first value if the condition holds, else the second.
    fn select(&mut self, condition: Self::V, accept: Self::V, reject: Self::V) -> Self::V;

    /// A binary32 number as binary64.
    fn widen(&mut self, a: Self::V) -> Self::Double;
    /// A binary64 number as binary32, to nearest even.
    fn narrow(&mut self, a: Self::Double) -> Self::V;
    /// Sum, difference or product.
    fn double(&mut self, op: Binary, a: Self::Double, b: Self::Double) -> Self::Double;
    /// The lower and upper bits.
    fn split(&mut self, a: Self::Double) -> [Self::V; 2];
    /// From lower and upper bits.
    fn join(&mut self, words: [Self::V; 2]) -> Self::Double;
}

/// Takes the operations of a program, in their order.
pub(super) trait Target: Instructions {
    /// A variable of the current function.
    type Variable: Copy;
    /// A function from words to a word.
    type Function: Copy;

    /// A constant.
    fn boolean(&mut self, value: bool) -> Self::V;
    /// Something the invocation knows of itself.
    fn builtin(&mut self, builtin: Builtin) -> Self::V;
    /// How many elements are bound to a buffer.
    fn elements(&mut self, buffer: u32) -> Self::V;
    /// `a * b + c` by the device's own instruction.
    fn fma(&mut self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;

    /// A new variable of the current function, which holds anything.
    fn variable(&mut self, kind: Kind) -> Self::Variable;
    /// Reads a variable.
    fn get(&mut self, variable: Self::Variable) -> Self::V;
    /// Writes a variable.
    fn set(&mut self, variable: Self::Variable, value: Self::V);

    /// Reads words of one element.
    fn load(&mut self, at: At<Self::V>, count: u32) -> Vec<Self::V>;
    /// Writes words of one element.
    fn store(&mut self, at: At<Self::V>, values: &[Self::V]);
    /// Does something to a word at once, and says what was there, but for a store.
    fn atomic(&mut self, op: AtomicOp, at: At<Self::V>, operand: Option<Self::V>) -> Option<Self::V>;
    /// Reads a word of the control buffer.
    fn control(&mut self, word: Control) -> Self::V;
    /// Writes a word of the control buffer.
    fn set_control(&mut self, word: Control, value: Self::V);
    /// Waits for the workgroup and sees what it wrote: to its own memory, and to buffers if `buffers`.
    fn barrier(&mut self, buffers: bool);

    /// Begins what is done if a condition holds.
    fn begin_if(&mut self, condition: Self::V);
    /// Begins what is done otherwise. Each `if` has both.
    fn begin_else(&mut self);
    /// Ends both.
    fn end_if(&mut self);
    /// Begins the body of a loop.
    fn begin_loop(&mut self);
    /// Begins what follows the body each time.
    fn begin_continuing(&mut self);
    /// Ends a loop, which is left here if the condition holds.
    fn end_loop(&mut self, break_if: Option<Self::V>);
    /// Begins a choice by value; each case and then the default is begun in this order.
    fn begin_switch(&mut self, selector: Self::V, cases: &[&[u32]]);
    /// Begins the next case, or the default after the last of them.
    fn begin_case(&mut self);
    /// Ends the default, and the choice.
    fn end_switch(&mut self);
    /// Leaves the innermost loop or switch. Nothing follows in the block.
    fn leave(&mut self);
    /// Goes on with the innermost loop's continuing. Nothing follows in the block.
    fn go_on(&mut self);

    /// Begins a function of words, inside of which nothing of the outside can be used.
    fn begin_function(&mut self, params: usize) -> Vec<Self::V>;
    /// Ends it.
    fn end_function(&mut self, result: Self::V) -> Self::Function;
    /// Calls one.
    fn call(&mut self, function: Self::Function, args: &[Self::V]) -> Self::V;
}
