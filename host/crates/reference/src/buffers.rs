//! Which memory a session's buffers have, and the scratch memory of its kernels.

use std::collections::BTreeMap;

use samebit_device::{BufferId, BufferRange, DeviceError};

use crate::allocator::{Allocator, Span};
use crate::launch::Scratch;
use crate::memory::{LIMIT_BYTES, Memory, PARAMS_BYTES};

/// Most memory that all buffers of a session have together.
const BUFFERS_BYTES: u64 = 3_584 << 20;
/// Most scratch memory of all threads together. If a kernel needs more, fewer threads run it.
const SCRATCH_BYTES: u64 = 256 << 20;

/// The buffers of a session.
pub(crate) struct Buffers {
    allocator: Allocator,
    spans: BTreeMap<BufferId, Span>,
    /// Of all buffers together.
    bytes: u64,
    scratch: Scratch,
    threads: usize,
}

impl Buffers {
    /// No buffers, and no scratch memory for so many threads.
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            allocator: Allocator::new(PARAMS_BYTES, LIMIT_BYTES),
            spans: BTreeMap::new(),
            bytes: 0,
            scratch: Scratch { address: PARAMS_BYTES, stride: 0, seats: threads },
            threads,
        }
    }

    /// Gives memory to a buffer. What comes back is the part that has to be cleared, if there is one.
    pub(crate) fn create(&mut self, memory: &Memory, id: BufferId, bytes: u64) -> Result<Option<Span>, DeviceError> {
        let total = self.bytes + bytes;
        if total > BUFFERS_BYTES {
            let (wanted, limit) = (total.div_ceil(1 << 20), BUFFERS_BYTES >> 20);
            return Err(DeviceError::OutOfMemory(format!(
                "the job wants {wanted} MiB of buffers at once, and the reference device has {limit} MiB for a job"
            )));
        }
        let (Span { address, .. }, dirty_bytes) = self.allocate(memory, bytes)?;
        self.bytes = total;
        self.spans.insert(id, Span { address, bytes });
        Ok((dirty_bytes > 0).then_some(Span { address, bytes: dirty_bytes }))
    }

    /// Takes a buffer's memory back.
    pub(crate) fn remove(&mut self, id: BufferId) {
        if let Some(Span { address, bytes }) = self.spans.remove(&id) {
            self.bytes -= bytes;
            self.allocator.free(Span { address, bytes: Allocator::rounded(bytes) });
        }
    }

    /// Where a range of a buffer is.
    pub(crate) fn span(&self, range: BufferRange) -> Result<Span, DeviceError> {
        let buffer = self.spans.get(&range.buffer);
        let buffer = buffer.ok_or_else(|| DeviceError::Failed("a buffer does not exist".to_owned()))?;
        let end = range.offset.checked_add(range.size);
        if end.is_none_or(|end| end > buffer.bytes) {
            return Err(DeviceError::Failed("a range is outside of its buffer".to_owned()));
        }
        Ok(Span { address: buffer.address + range.offset, bytes: range.size })
    }

    /// The scratch memory there is.
    pub(crate) fn scratch(&self) -> Scratch {
        self.scratch
    }

    /// Sees to it that each thread has so much scratch memory. What was there before goes on serving what is queued: it
    /// is used again only by what is queued later.
    pub(crate) fn ensure_scratch(&mut self, memory: &Memory, bytes: u32) -> Result<(), DeviceError> {
        let stride = Allocator::rounded(u64::from(bytes));
        if stride <= self.scratch.stride {
            return Ok(());
        }
        let seats = (SCRATCH_BYTES / stride).clamp(1, self.threads as u64);
        if self.scratch.stride > 0 {
            let bytes = self.scratch.stride * self.scratch.seats as u64;
            self.allocator.free(Span { address: self.scratch.address, bytes });
            self.scratch.stride = 0;
        }
        let (span, _) = self.allocate(memory, stride * seats)?;
        self.scratch = Scratch { address: span.address, stride, seats: seats as usize };
        Ok(())
    }

    /// Memory for something, and how much of its beginning is not zero.
    fn allocate(&mut self, memory: &Memory, bytes: u64) -> Result<(Span, u64), DeviceError> {
        let allocation = self.allocator.allocate(bytes).ok_or_else(|| {
            DeviceError::OutOfMemory(format!("no {bytes} bytes in a row are left of the 4 GiB that a session has"))
        })?;
        if let Err(error) = memory.reserve(self.allocator.end()) {
            self.allocator.free(allocation.span);
            return Err(error);
        }
        Ok((allocation.span, allocation.dirty_bytes))
    }
}
