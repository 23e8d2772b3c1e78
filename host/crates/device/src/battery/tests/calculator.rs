//! A device that computes as the definition says, but for a lie.

use std::sync::Arc;

use samebit_wgsl::lowered::{Builtin, Lowered, Memory, Op, Place, Stmt, Value, eval};

use crate::{
    BoxFuture, BufferCopy, BufferId, BufferRange, DeviceError, Dispatch, FinishError, Grid, KernelFault, KernelId,
    Program, ReadError, Session, Sink,
};

/// What a dishonest device computes in place of an operation, if not that, from what was computed before.
pub(super) type Lie = fn(&Op, &Invocation<'_>) -> Option<u32>;

/// A device for programs that neither loop nor share anything.
pub(super) struct Calculator {
    lie: Lie,
    /// Whether it hands out half of what it is asked for.
    pub(super) is_short: bool,
    buffers: Vec<(BufferId, Vec<u32>)>,
    kernel: Option<Arc<Lowered>>,
}

/// One invocation: its values, and the operations that they are of.
pub(super) struct Invocation<'a> {
    words: &'a mut [u32],
    ops: &'a mut [Option<Op>],
    buffers: &'a mut [Vec<u32>; 2],
    number: u32,
    lie: Lie,
}

impl Invocation<'_> {
    pub(super) fn word(&self, value: Value) -> u32 {
        self.words[value.0 as usize]
    }

    pub(super) fn op(&self, value: Value) -> Option<&Op> {
        self.ops[value.0 as usize].as_ref()
    }

    fn compute(&mut self, value: Value, op: &Op) {
        let word = (self.lie)(op, self).unwrap_or_else(|| match *op {
            Op::Constant(bits) => bits,
            Op::Builtin(Builtin::GlobalId(0)) => self.number,
            Op::Length(index) => self.buffers[index as usize].len() as u32 * 4,
            Op::Unary(op, a) => eval::unary(op, self.word(a)),
            Op::Binary(op, a, b) => eval::binary(op, self.word(a), self.word(b)),
            Op::Select { condition, accept, reject } => {
                self.word(if self.word(condition) == 0 { reject } else { accept })
            }
            Op::Fma(a, b, c) => eval::fma(self.word(a), self.word(b), self.word(c)),
            Op::Clamp { index, last, .. } => self.word(index).min(self.word(last)),
            ref other => panic!("{other:?} is not in the battery"),
        });
        self.words[value.0 as usize] = word;
        self.ops[value.0 as usize] = Some(op.clone());
    }

    fn place(&self, place: &Place) -> (usize, usize) {
        let Memory::Buffer(index) = place.memory else { panic!("only buffers are in the battery") };
        let terms = place.terms.iter().map(|term| self.word(term.index) * term.stride);
        (index as usize, (place.constant + terms.sum::<u32>()) as usize / 4)
    }

    /// Runs a block; false once the invocation is left early.
    fn run(&mut self, block: &[Stmt]) -> bool {
        block.iter().all(|stmt| match stmt {
            Stmt::Let(value, op) => {
                self.compute(*value, op);
                true
            }
            Stmt::Load { first, count, place, .. } => {
                let (buffer, at) = self.place(place);
                for offset in 0..usize::from(*count) {
                    self.words[first.0 as usize + offset] = self.buffers[buffer][at + offset];
                }
                true
            }
            Stmt::Store { place, values } => {
                let (buffer, at) = self.place(place);
                for (offset, value) in values.iter().enumerate() {
                    self.buffers[buffer][at + offset] = self.word(*value);
                }
                true
            }
            Stmt::If { condition, accept, reject } => {
                let block = if self.word(*condition) == 0 { reject } else { accept };
                self.run(block)
            }
            Stmt::Scope { body, .. } => {
                self.run(body);
                true
            }
            Stmt::Leave(_) => false,
            other => panic!("{other:?} is not in the battery"),
        })
    }
}

impl Calculator {
    pub(super) fn new(lie: Lie) -> Self {
        Self { lie, is_short: false, buffers: Vec::new(), kernel: None }
    }

    fn buffer(&mut self, id: BufferId) -> &mut Vec<u32> {
        &mut self.buffers.iter_mut().find(|(other, _)| *other == id).expect("it was made").1
    }
}

impl Session for Calculator {
    fn buffer_create(&mut self, id: BufferId, size_bytes: u64) -> Result<(), DeviceError> {
        self.buffers.push((id, vec![0; size_bytes as usize / 4]));
        Ok(())
    }

    fn buffer_drop(&mut self, id: BufferId) {
        self.buffers.retain(|(other, _)| *other != id);
    }

    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        let words = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
        self.buffer(id).iter_mut().skip(offset as usize / 4).zip(words).for_each(|(to, from)| *to = from);
        Ok(())
    }

    fn buffer_fill(&mut self, _: BufferRange, _: u32) -> Result<(), DeviceError> {
        Ok(())
    }

    fn buffer_copy(&mut self, _: BufferCopy) -> Result<(), DeviceError> {
        Ok(())
    }

    fn buffer_read<'a>(&'a mut self, range: BufferRange, sink: Sink<'a>) -> BoxFuture<'a, Result<(), ReadError>> {
        let count = range.size as usize / 4 / if self.is_short { 2 } else { 1 };
        let bytes: Vec<u8> = self.buffer(range.buffer)[..count].iter().flat_map(|word| word.to_le_bytes()).collect();
        Box::pin(async move { sink(&bytes).map_err(ReadError::Sink) })
    }

    fn kernel_create(&mut self, _: KernelId, program: Program) -> Result<(), KernelFault> {
        let Program::Exact(kernel) = program else { panic!("the battery is exact") };
        self.kernel = Some(kernel);
        Ok(())
    }

    fn kernel_drop(&mut self, _: KernelId) {
        self.kernel = None;
    }

    fn dispatch(&mut self, dispatch: &Dispatch) -> Result<(), DeviceError> {
        let kernel = self.kernel.clone().expect("it was made");
        let Grid::Direct([groups, ..]) = dispatch.grid else { panic!("the battery counts its workgroups") };
        let ids = [0, 1].map(|index: usize| dispatch.bindings[index].range);
        let mut buffers = ids.map(|range| {
            let mut words = std::mem::take(self.buffer(range.buffer));
            words.truncate(range.size as usize / 4);
            words
        });
        let (mut words, mut ops) = (vec![0; kernel.values.len()], vec![None; kernel.values.len()]);
        for number in 0..groups * 64 {
            let lie = self.lie;
            let mut invocation = Invocation { words: &mut words, ops: &mut ops, buffers: &mut buffers, number, lie };
            kernel.preamble.iter().for_each(|(value, op)| invocation.compute(*value, op));
            invocation.run(&kernel.body);
        }
        for (range, words) in ids.into_iter().zip(buffers) {
            *self.buffer(range.buffer) = words;
        }
        Ok(())
    }

    fn is_congested(&self) -> bool {
        false
    }

    fn settle(&mut self) -> BoxFuture<'_, Result<(), DeviceError>> {
        Box::pin(async { Ok(()) })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), FinishError>> {
        Box::pin(async { Ok(()) })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}
