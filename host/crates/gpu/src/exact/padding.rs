//! Workgroups of an odd size, filled up with invocations that do nothing but follow.
//!
//! lavapipe (Mesa 22.3) runs a workgroup eight invocations at a time. Where the last eight are not all there, those that are
//! missing do not follow the others out of a loop with a barrier in it, and what comes after the loop is lost for the whole
//! eight. So such workgroups are filled up to a multiple of eight. An invocation too many takes the place of the last one and
//! does what that does, but for what it would write; so all of the workgroup still reach the same barriers. GPUs fill their
//! workgroups up anyway.

use super::emitter::Emitter;
use super::emulate::Steps;
use super::flow::has_loops_with_barriers;
use super::target::Target;
use samebit_device::wgsl::lowered::{Binary, Builtin, Lowered};

/// What the number of invocations is filled up to a multiple of.
const MULTIPLE: u32 = 8;

/// The size of a workgroup as it is launched.
pub(super) fn workgroup_size(kernel: &Lowered) -> [u32; 3] {
    let size = kernel.interface.workgroup_size;
    let count: u32 = size.iter().product();
    if count.is_multiple_of(MULTIPLE) || !has_loops_with_barriers(kernel) {
        return size;
    }
    [count.next_multiple_of(MULTIPLE), 1, 1]
}

impl<T: Target> Emitter<'_, T> {
    /// Finds out whether this invocation is one too many, if there are such.
    pub(super) fn start_padding(&mut self) {
        let size = self.kernel.interface.workgroup_size;
        if workgroup_size(self.kernel) != size {
            let index = self.target.builtin(Builtin::LocalIndex);
            self.is_real = Some(self.target.with(Binary::LessUnsigned, index, size.iter().product()));
        }
    }

    /// Does what others see.
    pub(super) fn if_real(&mut self, does: impl FnOnce(&mut Self)) {
        let Some(is_real) = self.is_real else { return does(self) };
        self.target.begin_if(is_real);
        does(self);
        self.target.begin_else();
        self.target.end_if();
    }

    /// Something the invocation knows of itself.
    pub(super) fn builtin(&mut self, builtin: Builtin) -> T::V {
        if self.is_real.is_none() {
            return self.target.builtin(builtin);
        }
        let [x, y, z] = self.kernel.interface.workgroup_size;
        match builtin {
            Builtin::LocalIndex => {
                let index = self.target.builtin(builtin);
                self.target.with(Binary::MinUnsigned, index, x * y * z - 1)
            }
            Builtin::LocalId(axis) => {
                let index = self.builtin(Builtin::LocalIndex);
                let (before, size) = [(1, x), (x, y), (x * y, z)][usize::from(axis.min(2))];
                let above = self.target.with(Binary::DivideUnsigned, index, before);
                let outer = self.target.with(Binary::DivideUnsigned, above, size);
                let outer = self.target.with(Binary::Multiply, outer, size);
                self.target.sub(above, outer)
            }
            Builtin::GlobalId(axis) => {
                let local = self.builtin(Builtin::LocalId(axis));
                let group = self.target.builtin(Builtin::WorkgroupId(axis));
                let start = self.target.with(Binary::Multiply, group, [x, y, z][usize::from(axis.min(2))]);
                self.target.add(start, local)
            }
            Builtin::WorkgroupId(_) | Builtin::NumWorkgroups(_) => self.target.builtin(builtin),
        }
    }
}
