//! A device that is memory: buffers hold bytes, kernels are taken, and launching one does nothing.
//!
//! What a guest's call to a GPU is refused for is decided before any device, so most hostile guests need no driver.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use blake3::hazmat::HasherExt;
use samebit_engine::DeviceSource;
use samebit_engine::device::hash::PIECE_BYTES;
use samebit_engine::device::{
    BoxFuture, BufferCopy, BufferId, BufferRange, Device, DeviceError, DeviceInfo, DeviceKind, Dispatch, FinishError,
    KernelFault, KernelId, Program, ReadError, Session, SessionOptions, Sink,
};

/// Opens the device that is memory.
pub(crate) fn fake() -> DeviceSource {
    Arc::new(|| Ok(Arc::new(Fake)))
}

static INFO: LazyLock<DeviceInfo> = LazyLock::new(|| DeviceInfo {
    name: "memory".to_owned(),
    driver: "none".to_owned(),
    backend: "none".to_owned(),
    kind: DeviceKind::Other,
    limits: BTreeMap::new(),
    features: Vec::new(),
    unsuitable: None,
    battery: None,
});

struct Fake;

impl Device for Fake {
    fn info(&self) -> &DeviceInfo {
        &INFO
    }

    fn open(&self, _: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        Box::pin(async { Ok(Box::new(Memory::default()) as Box<dyn Session>) })
    }
}

#[derive(Default)]
struct Memory {
    buffers: BTreeMap<BufferId, Vec<u8>>,
}

impl Memory {
    /// Indexing by a guest's number: the test fails if the checks before a device let one through that is out of range.
    fn range(&mut self, range: BufferRange) -> &mut [u8] {
        let buffer = self.buffers.get_mut(&range.buffer).expect("only living buffers reach a device");
        &mut buffer[range.offset as usize..][..range.size as usize]
    }
}

impl Session for Memory {
    fn buffer_create(&mut self, id: BufferId, size_bytes: u64) -> Result<(), DeviceError> {
        self.buffers.insert(id, vec![0; size_bytes as usize]);
        Ok(())
    }

    fn buffer_drop(&mut self, id: BufferId) {
        self.buffers.remove(&id).expect("only living buffers are dropped");
    }

    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        assert!(offset.is_multiple_of(4) && bytes.len().is_multiple_of(4));
        self.range(BufferRange { buffer: id, offset, size: bytes.len() as u64 }).copy_from_slice(bytes);
        Ok(())
    }

    fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError> {
        assert!(range.offset.is_multiple_of(4) && range.size.is_multiple_of(4));
        self.range(range).chunks_exact_mut(4).for_each(|target| target.copy_from_slice(&word.to_le_bytes()));
        Ok(())
    }

    fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), DeviceError> {
        let BufferCopy { source, source_offset, target } = copy;
        assert!(
            source != target.buffer
                && source_offset.is_multiple_of(4)
                && target.offset % 4 == 0
                && target.size % 4 == 0
        );
        let bytes = self.range(BufferRange { buffer: source, offset: source_offset, size: target.size }).to_vec();
        self.range(target).copy_from_slice(&bytes);
        Ok(())
    }

    fn buffer_read<'a>(&'a mut self, range: BufferRange, sink: Sink<'a>) -> BoxFuture<'a, Result<(), ReadError>> {
        Box::pin(async move {
            for piece in self.range(range).chunks(1 << 20) {
                sink(piece)?;
            }
            Ok(())
        })
    }

    fn buffer_hash(
        &mut self,
        range: BufferRange,
        first: u64,
    ) -> BoxFuture<'_, Result<Option<Vec<[u8; 32]>>, ReadError>> {
        let pieces = self.range(range).chunks_exact(PIECE_BYTES as usize);
        let values = (first..).zip(pieces).map(|(number, piece)| {
            let mut hasher = blake3::Hasher::new();
            hasher.set_input_offset(number * PIECE_BYTES);
            hasher.update(piece).finalize_non_root()
        });
        let values = values.collect();
        Box::pin(async { Ok(Some(values)) })
    }

    fn kernel_create(&mut self, _id: KernelId, _: Program) -> Result<(), KernelFault> {
        Ok(())
    }

    fn kernel_drop(&mut self, _id: KernelId) {}

    fn dispatch(&mut self, dispatch: &Dispatch) -> Result<(), DeviceError> {
        for binding in &dispatch.bindings {
            assert!(binding.range.offset % 256 == 0 && binding.range.size > 0);
            self.range(binding.range);
        }
        Ok(())
    }

    fn is_congested(&self) -> bool {
        false
    }

    fn settle(&mut self) -> BoxFuture<'_, Result<(), DeviceError>> {
        Box::pin(async { Ok(()) })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), FinishError>> {
        Box::pin(async { Ok(()) })
    }
}
