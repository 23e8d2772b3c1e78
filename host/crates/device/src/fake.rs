//! A device for tests: memory, no kernels, and flaws to order.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::{
    BoxFuture, BufferCopy, BufferId, BufferRange, Device, DeviceError, DeviceInfo, DeviceKind, Dispatch, FinishError,
    KernelFault, KernelId, Program, ReadError, Session, SessionOptions, Sink,
};

/// What a fake does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing, but that no kernel ever runs.
    None,
    StartsDirty,
    LosesWrites,
    ReadsFromTheStart,
    FillsOneWord,
    CopiesNothing,
    FailsToOpen,
}

/// A device that only stores.
pub(crate) struct Fake {
    flaw: Flaw,
    /// The calls of all its sessions, as text.
    pub(crate) calls: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self { flaw, calls: Arc::default() }
    }

    pub(crate) fn session(&self) -> Box<dyn Session> {
        Box::new(Memory { flaw: self.flaw, buffers: BTreeMap::new(), calls: self.calls.clone() })
    }

    /// The calls since the last time.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

static INFO: LazyLock<DeviceInfo> = LazyLock::new(|| DeviceInfo {
    name: "fake".into(),
    driver: "none".into(),
    backend: "none".into(),
    kind: DeviceKind::Other,
    limits: BTreeMap::new(),
    features: Vec::new(),
    unsuitable: None,
    battery: None,
});

impl Device for Fake {
    fn info(&self) -> &DeviceInfo {
        &INFO
    }

    fn open(&self, _: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        Box::pin(async {
            match self.flaw {
                Flaw::FailsToOpen => Err(DeviceError::Unavailable("it is a fake".into())),
                _ => Ok(self.session()),
            }
        })
    }
}

struct Memory {
    flaw: Flaw,
    buffers: BTreeMap<BufferId, Vec<u8>>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Memory {
    fn note(&self, call: String) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    /// A range that must be inside a buffer that must exist, or the caller broke its contract.
    fn slice(&mut self, range: BufferRange) -> &mut [u8] {
        let buffer = self.buffers.get_mut(&range.buffer).expect("the buffer exists");
        &mut buffer[range.offset as usize..][..range.size as usize]
    }
}

impl Session for Memory {
    fn buffer_create(&mut self, id: BufferId, size_bytes: u64) -> Result<(), DeviceError> {
        self.note(format!("create {} {size_bytes}", id.0));
        let byte = if self.flaw == Flaw::StartsDirty { 1 } else { 0 };
        self.buffers.insert(id, vec![byte; size_bytes as usize]);
        Ok(())
    }

    fn buffer_drop(&mut self, id: BufferId) {
        self.note(format!("drop {}", id.0));
        self.buffers.remove(&id).expect("the buffer exists");
    }

    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.note(format!("write {} {offset} {}", id.0, bytes.len()));
        assert!(offset.is_multiple_of(4) && bytes.len().is_multiple_of(4) && !bytes.is_empty());
        if self.flaw != Flaw::LosesWrites {
            self.slice(BufferRange { buffer: id, offset, size: bytes.len() as u64 }).copy_from_slice(bytes);
        }
        Ok(())
    }

    fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError> {
        self.note(format!("fill {} {} {} {word}", range.buffer.0, range.offset, range.size));
        let words = if self.flaw == Flaw::FillsOneWord { 1 } else { usize::MAX };
        for target in self.slice(range).chunks_mut(4).take(words) {
            target.copy_from_slice(&word.to_le_bytes());
        }
        Ok(())
    }

    fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), DeviceError> {
        let BufferCopy { source, source_offset, target } = copy;
        self.note(format!("copy {} {source_offset} {} {} {}", source.0, target.buffer.0, target.offset, target.size));
        let bytes = self.slice(BufferRange { buffer: source, offset: source_offset, size: target.size }).to_vec();
        if self.flaw != Flaw::CopiesNothing {
            self.slice(target).copy_from_slice(&bytes);
        }
        Ok(())
    }

    fn buffer_read<'a>(&'a mut self, mut range: BufferRange, sink: Sink<'a>) -> BoxFuture<'a, Result<(), ReadError>> {
        if self.flaw == Flaw::ReadsFromTheStart {
            range.offset = 0;
        }
        Box::pin(async move { Ok(sink(self.slice(range))?) })
    }

    fn kernel_create(&mut self, id: KernelId, _: Program) -> Result<(), KernelFault> {
        self.note(format!("kernel {}", id.0));
        Ok(())
    }

    fn kernel_drop(&mut self, id: KernelId) {
        self.note(format!("drop kernel {}", id.0));
    }

    fn dispatch(&mut self, dispatch: &Dispatch) -> Result<(), DeviceError> {
        let bound = dispatch.bindings.iter().map(|b| (b.group, b.binding, b.range.offset, b.range.size));
        self.note(format!("dispatch {} {:?} {:?}", dispatch.kernel.0, bound.collect::<Vec<_>>(), dispatch.grid));
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
