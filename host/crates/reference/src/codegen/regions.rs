//! A workgroup: gang after gang, or, between barriers, region after region.

use super::emit::{Emitter, Mask};
use super::flow::ROOT;
use samebit_wgsl::lowered::Variable;
use wasm_encoder::ValType;

/// What code in different places has in common.
#[derive(Debug)]
pub(super) struct Crossing {
    /// Where each binding starts, in a local.
    pub buffers: Vec<Option<u32>>,
}

impl Emitter<'_> {
    /// Runs one workgroup.
    pub(super) fn workgroup(&mut self) {
        self.for_gangs(|this| {
            this.start_gang();
            let mut mask = this.entry_mask();
            this.block(ROOT, &mut mask);
        });
    }

    /// Repeats what `each` generates for each gang.
    fn for_gangs(&mut self, each: impl FnOnce(&mut Self)) {
        let index = self.places.index;
        self.f.i32(0);
        self.f.set(index);
        let head = self.f.loop_();
        each(self);
        self.f.ins().local_get(index).i32_const(4).i32_add().local_tee(index);
        self.f.i32(self.layout.invocations);
        self.f.ins().i32_lt_u();
        self.f.br_if(head);
        self.f.end();
    }

    /// Everything that an invocation starts with.
    fn start_gang(&mut self) {
        self.zero(self.places.gang, 0, self.layout.arrays_bytes);
        for index in 0..self.kernel.variables.len() {
            let variable = Variable(index as u32);
            let local = self.variable(variable);
            self.push_zero(variable);
            self.f.set(local);
        }
        self.start_budget();
    }

    /// Which lanes of a gang exist.
    fn entry_mask(&mut self) -> Mask {
        if !self.layout.is_partial() {
            return Mask::All;
        }
        self.f.ins().local_get(self.places.index).i32x4_splat();
        self.f.lanes_const([0, 1, 2, 3]);
        self.f.ins().i32x4_add();
        self.f.splat_const(self.layout.invocations);
        self.f.ins().i32x4_lt_u();
        Mask::Local(self.f.keep(ValType::V128))
    }

    /// Fills memory with zeros.
    pub(super) fn zero(&mut self, base: u32, offset: u32, bytes: u32) {
        if bytes == 0 {
            return;
        }
        if bytes <= 256 {
            for part in (0..bytes).step_by(16) {
                self.f.get(base);
                self.f.splat_const(0);
                self.f.ins().v128_store(super::function::word(offset + part));
            }
            return;
        }
        self.f.ins().local_get(base).i32_const(offset.cast_signed()).i32_add().i32_const(0);
        self.f.i32(bytes);
        self.f.ins().memory_fill(0);
    }
}
