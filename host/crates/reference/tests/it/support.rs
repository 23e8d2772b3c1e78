//! A session with short names for what tests do with it.

use samebit_device::wgsl::{Admission, Source, parse};
use samebit_device::{
    BindingIndex, BufferId, BufferRange, Checked, Device, FinishError, Grid, KernelId, ReadError, SessionOptions,
};
use samebit_reference::ReferenceDevice;

/// The most memory a session may use.
const MEMORY_BYTES: u64 = 4 << 30;

/// The device of this machine.
pub(crate) fn device() -> ReferenceDevice {
    ReferenceDevice::new().expect("it runs everywhere")
}

/// A session in the exact profile.
pub(crate) struct Lab {
    pub(crate) gpu: Checked,
}

impl Lab {
    pub(crate) fn open(device: &ReferenceDevice, loop_iterations: u32) -> Self {
        let options = SessionOptions { admission: Admission::Exact, loop_iterations };
        let session = pollster::block_on(device.open(options)).expect("it opens");
        Self { gpu: Checked::new(session, MEMORY_BYTES, Admission::Exact) }
    }

    pub(crate) fn kernel(&mut self, text: &str) -> KernelId {
        let source = Source { text, entry_point: "main", constants: &[] };
        self.gpu.kernel_create(parse(&source).expect("the text is valid"), text).expect("it is admitted")
    }

    pub(crate) fn zeros(&mut self, words: u64) -> BufferId {
        self.gpu.buffer_create(words * 4).expect("there is memory")
    }

    /// Launches a kernel with the buffers bound to group 0 from binding 0 on.
    pub(crate) fn run(&mut self, kernel: KernelId, buffers: &[BufferId], grid: [u32; 3]) {
        let bind = |(binding, buffer): (u32, &BufferId)| (BindingIndex { group: 0, binding }, *buffer, 0, None);
        let given: Vec<_> = (0..).zip(buffers).map(bind).collect();
        self.gpu.dispatch(kernel, &given, Grid::Direct(grid)).expect("it is valid");
    }

    pub(crate) fn words(&mut self, buffer: BufferId) -> Result<Vec<u32>, ReadError> {
        let mut bytes = Vec::new();
        let mut sink = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        let range = BufferRange { buffer, offset: 0, size: self.gpu.buffer_size(buffer) };
        pollster::block_on(self.gpu.buffer_read(range, &mut sink))?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect())
    }

    pub(crate) fn finish(&mut self) -> Result<(), FinishError> {
        pollster::block_on(self.gpu.finish())
    }

    pub(crate) fn close(self) {
        pollster::block_on(self.gpu.close());
    }
}
