//! [`ReferenceDevice`]: this machine's CPU as a device.

use std::num::NonZeroUsize;
use std::sync::Arc;

use samebit_device::{BoxFuture, Device, DeviceError, DeviceInfo, Session, SessionOptions};

use crate::compile::Compiler;
use crate::describe::describe;
use crate::pool::Pool;
use crate::session::ReferenceSession;

/// The CPU of this machine. Every session computes each operation as the exact profile says.
///
/// Its threads start when they are first needed, and end after the device and its last session are gone.
pub struct ReferenceDevice {
    info: DeviceInfo,
    compiler: Arc<Compiler>,
    pool: Arc<Pool>,
}

impl ReferenceDevice {
    /// A device with one thread for each core that this process may use.
    ///
    /// # Errors
    /// [`DeviceError::Unavailable`] if WebAssembly cannot be compiled for this machine.
    pub fn new() -> Result<Self, DeviceError> {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self::with_threads(threads)
    }

    /// A device with so many threads.
    ///
    /// # Errors
    /// [`DeviceError::Unavailable`] if WebAssembly cannot be compiled for this machine.
    pub fn with_threads(threads: NonZeroUsize) -> Result<Self, DeviceError> {
        Ok(Self {
            info: describe(threads.get()),
            compiler: Arc::new(Compiler::new()?),
            pool: Arc::new(Pool::new(threads.get() - 1)),
        })
    }

    /// What compiles kernels for it.
    #[cfg(test)]
    pub(crate) fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// Opens a session.
    pub(crate) fn open_session(&self, options: SessionOptions) -> Result<ReferenceSession, DeviceError> {
        ReferenceSession::new(self.compiler.clone(), self.pool.clone(), options)
    }
}

impl Device for ReferenceDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn open(&self, options: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        Box::pin(async move { Ok(Box::new(self.open_session(options)?) as Box<dyn Session>) })
    }
}
