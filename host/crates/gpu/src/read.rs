//! Reading a buffer out, in pieces, through two pieces of memory that the CPU can see.
//!
//! While one piece is handed to the sink, straight from mapped memory, the GPU copies the next into the other. Memory
//! stays bounded however much is read.

use samebit_device::{BufferId, BufferRange, DeviceError, ReadError, Sink};
use tokio::sync::oneshot;

use crate::exact::control::Look;
use crate::session::GpuSession;

/// Largest piece.
const PIECE_BYTES: u64 = 8 << 20;
/// Smallest memory for pieces. Most reads are of a few results.
const PIECE_BYTES_MIN: u64 = 64 << 10;

/// Memory for one piece.
pub(crate) struct Staging {
    buffer: wgpu::Buffer,
}

/// A piece on its way.
struct Piece {
    staging: Staging,
    submission: wgpu::SubmissionIndex,
    mapped: oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>,
    /// The bytes wanted of it, and how many there are in whole words.
    wanted: std::ops::Range<usize>,
    size: u64,
    /// Whether a budget was spent before these bytes were made.
    look: Option<Look>,
}

impl GpuSession {
    pub(crate) async fn read(&mut self, range: BufferRange, sink: Sink<'_>) -> Result<(), ReadError> {
        self.fate.check()?;
        if self.is_known_spent() || range.size == 0 && self.is_spent().await? {
            return Err(ReadError::BudgetSpent);
        }
        // Goes along with the first piece, so that reading costs one wait.
        let mut look = self.look();
        let end = range.offset + range.size;
        let mut next = range.offset - range.offset % 4;
        // If this future is dropped on the way, its memory may still be on its way too, and is not used again.
        let [first, second] = self.staging_for(end.next_multiple_of(4) - next)?;
        let (mut idle, mut flying): (_, Option<Piece>) = (vec![second, first], None);
        while next < end || flying.is_some() {
            let started = match (next < end).then(|| idle.pop()).flatten() {
                Some(staging) => {
                    let until = end.next_multiple_of(4).min(next + staging.buffer.size());
                    let wanted = range.offset.saturating_sub(next)..until.min(end) - next;
                    let wanted = wanted.start as usize..wanted.end as usize;
                    let piece = self.start((range.buffer, next), until - next, staging, wanted, look.take())?;
                    next = until;
                    Some(piece)
                }
                None => None,
            };
            if let Some(piece) = std::mem::replace(&mut flying, started) {
                idle.push(self.land(piece, sink).await?);
            }
        }
        self.staging = <[Staging; 2]>::try_from(idle).ok();
        Ok(())
    }

    /// Memory large enough for pieces of a read, kept from the last read if that will do.
    fn staging_for(&mut self, size: u64) -> Result<[Staging; 2], DeviceError> {
        let size = size.clamp(PIECE_BYTES_MIN, PIECE_BYTES).next_power_of_two();
        if let Some(staging) = self.staging.take()
            && staging[0].buffer.size() >= size
        {
            return Ok(staging);
        }
        let create = || Staging {
            buffer: self.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size,
                usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                mapped_at_creation: false,
            }),
        };
        let staging = [create(), create()];
        self.fate.check()?;
        Ok(staging)
    }

    /// Queues the copy of a piece, and its mapping once it is done.
    fn start(
        &mut self,
        source: (BufferId, u64),
        size: u64,
        staging: Staging,
        wanted: std::ops::Range<usize>,
        mut look: Option<Look>,
    ) -> Result<Piece, DeviceError> {
        self.record_copy_out(source, &staging.buffer, size)?;
        let submission = self.submit()?;
        if let Some(look) = &mut look {
            look.map();
        }
        let (sender, mapped) = oneshot::channel();
        staging.buffer.map_async(wgpu::MapMode::Read, 0..size, |result| drop(sender.send(result)));
        Ok(Piece { staging, submission, mapped, wanted, size, look })
    }

    /// Waits for a piece and hands its bytes on.
    async fn land(
        &mut self,
        piece: Piece,
        sink: &mut (dyn FnMut(&[u8]) -> std::io::Result<()> + Send),
    ) -> Result<Staging, ReadError> {
        let Piece { staging, submission, mut mapped, wanted, size, look } = piece;
        self.watcher.wait(submission).await;
        self.fate.check()?;
        if let Some(look) = look
            && self.seen(look)?
        {
            return Err(ReadError::BudgetSpent);
        }
        if !matches!(mapped.try_recv(), Ok(Ok(()))) {
            return Err(self.fate.failure("memory could not be mapped").into());
        }
        let view = staging
            .buffer
            .get_mapped_range(0..size)
            .map_err(|error| self.fate.failure(&format!("memory could not be mapped: {error}")))?;
        let bytes = view.get(wanted).ok_or_else(|| self.fate.failure("it mapped less memory than it was asked for"))?;
        sink(bytes)?;
        drop(view);
        staging.buffer.unmap();
        Ok(staging)
    }
}
