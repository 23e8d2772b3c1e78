//! A device on which launching certain numbers of workgroups is a misfortune.

use samebit_device::wgsl::Kernel;
use samebit_device::{
    BoxFuture, BufferCopy, BufferId, BufferRange, Device, DeviceError, DeviceInfo, Dispatch, FinishError, Grid,
    KernelFault, KernelId, Program, Progress, ReadError, Session, SessionOptions, Sink,
};
use samebit_gpu::GpuDevice;

use crate::memory;

/// Crashes, as a driver does that follows a wild pointer.
const CRASH: u32 = 65_001;
/// Hangs, as a driver does that waits for a GPU which is gone.
const HANG: u32 = 65_002;
/// Loses the device.
const LOSE: u32 = 65_003;
/// Prints to standard output, which is not the driver's to print to.
const PRINT: u32 = 65_004;
/// Takes a hundredth of a second.
const DAWDLE: u32 = 65_005;

/// A GPU whose sessions meet misfortunes.
pub(crate) struct Gpu(pub(crate) GpuDevice);

impl Device for Gpu {
    fn info(&self) -> &DeviceInfo {
        self.0.info()
    }

    fn open(&self, options: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        Box::pin(async move {
            let (inner, lose) = self.0.open_losable(options).await?;
            let lose: Box<dyn FnOnce() + Send> = Box::new(lose);
            Ok(Box::new(Unlucky { inner, lose: Some(lose) }) as Box<dyn Session>)
        })
    }
}

/// The same without a GPU.
pub(crate) struct Memory(pub(crate) memory::Memory);

impl Device for Memory {
    fn info(&self) -> &DeviceInfo {
        self.0.info()
    }

    fn open(&self, options: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        Box::pin(async move {
            let inner = self.0.open(options).await?;
            Ok(Box::new(Unlucky { inner, lose: None }) as Box<dyn Session>)
        })
    }
}

struct Unlucky {
    inner: Box<dyn Session>,
    lose: Option<Box<dyn FnOnce() + Send>>,
}

impl Session for Unlucky {
    fn dispatch(&mut self, dispatch: &Dispatch) -> Result<(), DeviceError> {
        match dispatch.grid {
            Grid::Direct([CRASH, ..]) => std::process::abort(),
            Grid::Direct([HANG, ..]) => loop {
                std::thread::park();
            },
            Grid::Direct([LOSE, ..]) => self.lose.take().map_or(Ok(()), |lose| {
                lose();
                Ok(())
            }),
            Grid::Direct([PRINT, ..]) => {
                print();
                Ok(())
            }
            Grid::Direct([DAWDLE, ..]) => {
                std::thread::sleep(std::time::Duration::from_millis(10));
                Ok(())
            }
            _ => self.inner.dispatch(dispatch),
        }
    }

    fn buffer_create(&mut self, id: BufferId, size_bytes: u64) -> Result<(), DeviceError> {
        self.inner.buffer_create(id, size_bytes)
    }

    fn buffer_drop(&mut self, id: BufferId) {
        self.inner.buffer_drop(id);
    }

    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.inner.buffer_write(id, offset, bytes)
    }

    fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError> {
        self.inner.buffer_fill(range, word)
    }

    fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), DeviceError> {
        self.inner.buffer_copy(copy)
    }

    fn buffer_read<'a>(&'a mut self, range: BufferRange, sink: Sink<'a>) -> BoxFuture<'a, Result<(), ReadError>> {
        self.inner.buffer_read(range, sink)
    }

    fn kernel_source(&mut self, id: KernelId, kernel: &Kernel, text: &str) {
        self.inner.kernel_source(id, kernel, text);
    }

    fn kernel_create(&mut self, id: KernelId, program: Program) -> Result<(), KernelFault> {
        self.inner.kernel_create(id, program)
    }

    fn kernel_drop(&mut self, id: KernelId) {
        self.inner.kernel_drop(id);
    }

    fn progress(&self) -> Progress {
        self.inner.progress()
    }

    fn is_congested(&self) -> bool {
        self.inner.is_congested()
    }

    fn settle(&mut self) -> BoxFuture<'_, Result<(), DeviceError>> {
        self.inner.settle()
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), FinishError>> {
        self.inner.finish()
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.inner.close()
    }
}

#[expect(clippy::print_stdout, reason = "this is what must do no harm")]
fn print() {
    println!("driver: hello");
}
