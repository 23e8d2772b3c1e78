//! The seam: [`Device`], and [`Session`], one job's use of it.
//!
//! A session may trust its caller: [`Checked`](crate::Checked) has validated every range, alignment and binding, and
//! gives out the ids. What it must do is keep the order of the calls, start every buffer at zero, bound what it queues,
//! and turn whatever its driver does (errors, loss, panics) into a [`DeviceError`] of this session alone.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use samebit_wgsl::lowered::Lowered;
use samebit_wgsl::{Admission, Kernel};
use serde::{Deserialize, Serialize};

use crate::{DeviceError, DeviceInfo, FinishError, KernelFault, ReadError};

/// A future on the heap, as trait objects need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Takes the bytes of a buffer, in order, in pieces of the device's choosing.
pub type Sink<'a> = &'a mut (dyn FnMut(&[u8]) -> std::io::Result<()> + Send);

/// Tells how many pieces of work, of any size, a device has finished so far.
pub type Progress = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Ends a session.
pub type Abort = Arc<dyn Fn() + Send + Sync>;

/// A buffer of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BufferId(pub u32);

/// A kernel of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KernelId(pub u32);

/// A range of a buffer, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferRange {
    /// The buffer.
    pub buffer: BufferId,
    /// Where the range begins.
    pub offset: u64,
    /// How long it is.
    pub size: u64,
}

/// A copy between two different buffers. Offsets and size are multiples of 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferCopy {
    /// Read from here.
    pub source: BufferId,
    /// Where the read begins, in bytes.
    pub source_offset: u64,
    /// Written to here; its size is the size of the copy.
    pub target: BufferRange,
}

/// A buffer range bound to a kernel's variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// `@group`.
    pub group: u32,
    /// `@binding`.
    pub binding: u32,
    /// What is bound.
    pub range: BufferRange,
}

/// How many workgroups run along x, y and z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grid {
    /// These many, each at most 65,535.
    Direct([u32; 3]),
    /// As many as three `u32` in a buffer say when the device gets there; nothing runs if one is over 65,535.
    Indirect {
        /// The buffer.
        buffer: BufferId,
        /// Where the three words begin, in bytes.
        offset: u64,
    },
}

/// One launch of a kernel over a grid of workgroups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// What runs.
    pub kernel: KernelId,
    /// Over what, sorted by group and binding.
    pub bindings: Vec<Binding>,
    /// How many workgroups.
    pub grid: Grid,
}

/// What a session promises to whoever opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOptions {
    /// [`Admission::Exact`]: the session gets exact programs, and computes each of their operations bit for bit as
    /// [`samebit_wgsl::lowered::eval`] does.
    pub admission: Admission,
    /// How many iterations of loops, of all its loops together, an invocation may begin in one dispatch; less than 2^31.
    /// In exact programs one more than that spends the budget. For native ones a device may leave it to its driver.
    pub loop_iterations: u32,
}

/// A kernel as a session gets it, by the session's [`SessionOptions::admission`].
#[derive(Debug, Clone)]
pub enum Program {
    /// Admitted and lowered: every device computes the same.
    Exact(Arc<Lowered>),
    /// As the guest wrote it, to be compiled as the device likes.
    Native {
        /// The kernel.
        kernel: Arc<Kernel>,
        /// What it was parsed from, for the excerpts of refusals.
        text: Arc<str>,
    },
}

/// Something that runs kernels.
pub trait Device: Send + Sync {
    /// What the device says of itself.
    fn info(&self) -> &DeviceInfo;

    /// Opens the device for one job. What goes wrong in one session stays in it. A device that cannot promise what the
    /// options ask for is [`DeviceError::Unavailable`].
    fn open(&self, options: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>>;

    /// Tells, while a session is being opened, how far that has come: the first may take a battery of arithmetic. A device
    /// that cannot say always says 0.
    fn opening(&self) -> Progress {
        Arc::new(|| 0)
    }
}

/// One job's use of a device. Dropping it frees everything, sooner or later; [`close`](Session::close) says when.
///
/// Calls return once the operation is queued. An operation that fails later makes a later call fail, at the latest
/// [`finish`](Session::finish).
///
/// A dispatch that spends an invocation's budget of loop iterations leaves buffers with contents that mean nothing. Only
/// [`buffer_read`](Session::buffer_read) and [`finish`](Session::finish) tell: they wait for all that was queued before,
/// so where a guest's run ends does not depend on time. Every other call goes on as if nothing had happened.
pub trait Session: Send {
    /// Creates a buffer of zeros. The size is a multiple of 4 and within the fixed limits.
    fn buffer_create(&mut self, id: BufferId, size_bytes: u64) -> Result<(), DeviceError>;

    /// Frees a buffer once what is queued is done.
    fn buffer_drop(&mut self, id: BufferId);

    /// Writes bytes; offset and length are multiples of 4.
    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError>;

    /// Fills a range, multiples of 4, with a 32-bit word.
    fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError>;

    /// Copies between two different buffers.
    fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), DeviceError>;

    /// Hands the bytes of a range, any range, to `sink` once everything queued so far is done. Fails with
    /// [`ReadError::BudgetSpent`], before it hands out anything, if a dispatch since the session began spent its budget,
    /// whatever buffers it was bound to.
    fn buffer_read<'a>(&'a mut self, range: BufferRange, sink: Sink<'a>) -> BoxFuture<'a, Result<(), ReadError>>;

    /// Hashes a range where it lies, if the device has a way that is faster than reading it out and hashing it here: the
    /// chaining values of its pieces, as [`hash`](crate::hash) has them, the first of which is the piece `first` of all
    /// that is hashed. `None` if not; the range's size is a multiple of a piece's. Waits and fails as
    /// [`buffer_read`](Session::buffer_read) does.
    ///
    /// Whoever asks decides how far to believe it: it is as good as the device, and no better.
    fn buffer_hash(
        &mut self,
        range: BufferRange,
        first: u64,
    ) -> BoxFuture<'_, Result<Option<Vec<[u8; 32]>>, ReadError>> {
        let _ = (range, first);
        Box::pin(async { Ok(None) })
    }

    /// Says what a kernel was parsed from, before it is made ready: for devices that report to the kernel's author.
    fn kernel_source(&mut self, id: KernelId, kernel: &Kernel, text: &str) {
        let _ = (id, kernel, text);
    }

    /// Makes a kernel ready to dispatch.
    fn kernel_create(&mut self, id: KernelId, program: Program) -> Result<(), KernelFault>;

    /// Frees a kernel once what is queued is done.
    fn kernel_drop(&mut self, id: KernelId);

    /// Queues a launch.
    fn dispatch(&mut self, dispatch: &Dispatch) -> Result<(), DeviceError>;

    /// Tells, from any thread and while a call waits, how far the device has come: for whoever must know slow from stuck.
    /// A device that cannot say always says 0.
    fn progress(&self) -> Progress {
        Arc::new(|| 0)
    }

    /// Ends the session, from any thread and while a call blocks, if the device can: what was queued is lost then, and the
    /// call fails. For whoever made a call on another thread and is gone before it returned.
    fn abort(&self) -> Abort {
        Arc::new(|| {})
    }

    /// True if so much is queued that the caller should [`settle`](Session::settle) before queueing more.
    fn is_congested(&self) -> bool;

    /// Submits what is queued and waits until there is room for more.
    fn settle(&mut self) -> BoxFuture<'_, Result<(), DeviceError>>;

    /// Submits what is queued and waits until all of it is done, so that every failure has shown.
    fn finish(&mut self) -> BoxFuture<'_, Result<(), FinishError>>;

    /// Frees everything, and returns when the driver has let go of it. A process that exits before that may crash in
    /// its driver.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>;
}
