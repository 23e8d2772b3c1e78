//! Long sequences are functions of their own, emitted once and called. Drivers may put them in place; they need not.

use super::arithmetic::Method;
use super::emitter::Emitter;
use super::operations::compute;
use super::target::Target;
use samebit_device::wgsl::lowered::MathFunction;

/// What is a function of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Routine {
    /// A fixed sequence of the lowered form.
    Math(MathFunction),
    /// `a * b + c`, rounded once.
    Fma(Method),
    /// A quotient.
    Divide(Method),
    /// A square root.
    Sqrt(Method),
}

impl<T: Target> Emitter<'_, T> {
    /// Calls a routine, which is emitted when it is first called.
    pub(super) fn routine(&mut self, routine: Routine, args: &[T::V]) -> T::V {
        let function = match self.functions.get(&routine) {
            Some(function) => *function,
            None => {
                let function = self.emit_routine(routine, args.len());
                self.functions.insert(routine, function);
                function
            }
        };
        let args: Vec<_> = args.iter().copied().chain([self.zero]).collect();
        self.target.call(function, &args)
    }

    fn emit_routine(&mut self, routine: Routine, operands: usize) -> T::Function {
        // The zero goes along as the last operand.
        let params = self.target.begin_function(operands + 1);
        let (args, zero) = params.split_at(operands);
        // Values of the outside mean nothing inside.
        let constants = std::mem::take(&mut self.constants);
        let hidden = std::mem::take(&mut self.hidden);
        let outside = self.zero;
        self.zero = zero.first().copied().unwrap_or(outside);
        let result = compute(self, routine, args);
        self.zero = outside;
        self.hidden = hidden;
        self.constants = constants;
        self.target.end_function(result)
    }
}
