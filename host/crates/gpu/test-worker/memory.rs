//! A device that only stores: what crosses between host and worker can be tried without a driver.

use std::collections::BTreeMap;

use samebit_device::{
    BoxFuture, BufferCopy, BufferId, BufferRange, Device, DeviceError, DeviceInfo, DeviceKind, Dispatch, FinishError,
    KernelFault, KernelId, Program, ReadError, Session, SessionOptions, Sink,
};

/// What it says of itself.
pub(crate) fn info() -> DeviceInfo {
    DeviceInfo {
        name: "mem\u{1b}[2Jory".to_owned(),
        driver: "none".to_owned(),
        backend: "none".to_owned(),
        kind: DeviceKind::Other,
        limits: BTreeMap::from([("maxBindGroups".to_owned(), 4)]),
        features: vec!["nothing".to_owned()],
        unsuitable: None,
        battery: None,
    }
}

/// A device that only stores.
pub(crate) struct Memory(DeviceInfo);

impl Default for Memory {
    fn default() -> Self {
        Self(info())
    }
}

impl Device for Memory {
    fn info(&self) -> &DeviceInfo {
        &self.0
    }

    fn open(&self, _: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        Box::pin(async { Ok(Box::new(Stored::default()) as Box<dyn Session>) })
    }
}

#[derive(Default)]
struct Stored(BTreeMap<BufferId, Vec<u8>>);

impl Stored {
    fn slice(&mut self, range: BufferRange) -> Result<&mut [u8], DeviceError> {
        let buffer = self.0.get_mut(&range.buffer);
        let slice = buffer.and_then(|buffer| buffer.get_mut(range.offset as usize..)?.get_mut(..range.size as usize));
        slice.ok_or_else(|| DeviceError::Failed("out of range".to_owned()))
    }
}

impl Session for Stored {
    fn buffer_create(&mut self, id: BufferId, size_bytes: u64) -> Result<(), DeviceError> {
        self.0.insert(id, vec![0; size_bytes as usize]);
        Ok(())
    }

    fn buffer_drop(&mut self, id: BufferId) {
        self.0.remove(&id);
    }

    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.slice(BufferRange { buffer: id, offset, size: bytes.len() as u64 })?.copy_from_slice(bytes);
        Ok(())
    }

    fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError> {
        self.slice(range)?.chunks_mut(4).for_each(|target| target.copy_from_slice(&word.to_le_bytes()));
        Ok(())
    }

    fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), DeviceError> {
        let BufferCopy { source, source_offset, target } = copy;
        let bytes = self.slice(BufferRange { buffer: source, offset: source_offset, size: target.size })?.to_vec();
        self.slice(target)?.copy_from_slice(&bytes);
        Ok(())
    }

    fn buffer_read<'a>(&'a mut self, range: BufferRange, sink: Sink<'a>) -> BoxFuture<'a, Result<(), ReadError>> {
        Box::pin(async move { Ok(sink(self.slice(range)?)?) })
    }

    fn kernel_create(&mut self, _: KernelId, _: Program) -> Result<(), KernelFault> {
        Ok(())
    }

    fn kernel_drop(&mut self, _: KernelId) {}

    fn dispatch(&mut self, _: &Dispatch) -> Result<(), DeviceError> {
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
