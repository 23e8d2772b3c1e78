//! Sequences of operations, written once: whoever implements [`Ops`] computes them, emits them or counts them.

use super::{Binary, MathFunction, Unary, eval};

/// Takes operations one by one. Every method is an operation of [`Op`](super::Op); the short names are for writing
/// sequences down. Operands have the types that the operations demand, or what comes out has no meaning.
pub trait Ops {
    /// Stands for a value of any type.
    type V: Copy;

    /// An `Int` or `Float` by its bits.
    fn bits(&mut self, bits: u32) -> Self::V;
    /// An operation of one value.
    fn unary(&mut self, op: Unary, a: Self::V) -> Self::V;
    /// An operation of two values.
    fn binary(&mut self, op: Binary, a: Self::V, b: Self::V) -> Self::V;
    /// `accept` if the condition holds, else `reject`.
    fn select(&mut self, condition: Self::V, accept: Self::V, reject: Self::V) -> Self::V;
    /// `a * b + c`, rounded once.
    fn fma(&mut self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// What `rare` computes if the condition holds, else `usual`: [`Ops::select`] for a costly sequence, which may be
    /// skipped where no invocation needs it.
    fn rarely<const N: usize>(
        &mut self,
        condition: Self::V,
        usual: [Self::V; N],
        rare: impl FnOnce(&mut Self) -> [Self::V; N],
    ) -> [Self::V; N];
    /// Another sequence. May be emitted as a function of its own.
    fn call(&mut self, function: MathFunction, args: &[Self::V]) -> Self::V;

    /// A float constant.
    fn f(&mut self, value: f32) -> Self::V {
        self.bits(value.to_bits())
    }
}

/// Computes on bits, at the speed of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

impl Ops for Native {
    type V = u32;

    #[inline(always)]
    fn bits(&mut self, bits: u32) -> u32 {
        bits
    }

    #[inline(always)]
    fn unary(&mut self, op: Unary, a: u32) -> u32 {
        eval::unary(op, a)
    }

    #[inline(always)]
    fn binary(&mut self, op: Binary, a: u32, b: u32) -> u32 {
        eval::binary(op, a, b)
    }

    #[inline(always)]
    fn select(&mut self, condition: u32, accept: u32, reject: u32) -> u32 {
        if condition == 0 { reject } else { accept }
    }

    #[inline(always)]
    fn fma(&mut self, a: u32, b: u32, c: u32) -> u32 {
        eval::fma(a, b, c)
    }

    #[inline(always)]
    fn rarely<const N: usize>(
        &mut self,
        condition: u32,
        usual: [u32; N],
        rare: impl FnOnce(&mut Self) -> [u32; N],
    ) -> [u32; N] {
        if condition == 0 { usual } else { rare(self) }
    }

    #[inline(always)]
    fn call(&mut self, function: MathFunction, args: &[u32]) -> u32 {
        crate::math::native(function, args)
    }
}
