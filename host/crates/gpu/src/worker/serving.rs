//! A worker with an open session: the requests are its calls.

use std::io::{self, Write};
use std::sync::Arc;

use samebit_device::wgsl::{self, Admission};
use samebit_device::{
    BufferRange, DeviceError, FinishError, KernelFault, KernelId, Program, ReadError, Session, SessionOptions,
};

use super::frame;
use super::message::{KernelSource, Reply, Request};
use super::pulse::{Pulse, wait};
use super::rates::Rates;
use super::serve::{Worker, lock, say};
use crate::hash::Hashing;

/// A worker with an open session.
pub(super) struct Serving {
    worker: Worker,
    session: Box<dyn Session>,
    pulse: Pulse,
    options: SessionOptions,
    hashing: Option<Hashing>,
}

impl Serving {
    pub(super) fn new(worker: Worker, session: Box<dyn Session>, options: SessionOptions) -> Self {
        let pulse = Pulse::new(session.progress());
        Self { worker, session, pulse, options, hashing: None }
    }

    /// Does what it is asked until it is told to close.
    pub(super) fn run(mut self) -> io::Result<()> {
        loop {
            let (request, bytes) = self.worker.next()?;
            let queued = match request {
                Request::Close => {
                    pollster::block_on(self.session.close());
                    return self.worker.reply(&Reply::Closed);
                }
                Request::Finish => {
                    let Self { session, pulse, worker, .. } = &mut self;
                    let finished = wait(session.finish(), pulse, &worker.out)?;
                    self.worker.reply(&Reply::Finished(finished))?;
                    continue;
                }
                Request::BufferRead(range) => {
                    let read = self.read(range)?;
                    self.worker.reply(&Reply::Read(read))?;
                    continue;
                }
                Request::HashRates(range) => {
                    let rates = self.measure(range)?;
                    self.worker.reply(&Reply::Rates(rates))?;
                    continue;
                }
                Request::BufferHash(range, first) => {
                    let hashed = self.hash(range, first)?;
                    self.worker.reply(&Reply::Hashed(hashed))?;
                    continue;
                }
                Request::KernelCreate(id, source) => {
                    let created = self.create(id, &source);
                    self.worker.reply(&Reply::Kernel(created))?;
                    continue;
                }
                request => self.queue(request, &bytes)?,
            };
            match queued {
                Ok(()) => self.worker.tell()?,
                Err(error) => say(&self.worker.out, &Reply::Failed(error))?,
            }
        }
    }

    /// Makes room if there is none, and queues.
    fn queue(&mut self, request: Request, bytes: &[u8]) -> io::Result<Result<(), DeviceError>> {
        let Self { session, pulse, worker, .. } = self;
        if session.is_congested()
            && let Err(error) = wait(session.settle(), pulse, &worker.out)?
        {
            return Ok(Err(error));
        }
        Ok(match request {
            Request::BufferCreate(id, size) => session.buffer_create(id, size),
            Request::BufferWrite(id, offset, _) => session.buffer_write(id, offset, bytes),
            Request::BufferFill(range, word) => session.buffer_fill(range, word),
            Request::BufferCopy(copy) => session.buffer_copy(copy),
            Request::Dispatch(dispatch) => session.dispatch(&dispatch),
            Request::BufferDrop(id) => {
                session.buffer_drop(id);
                Ok(())
            }
            Request::KernelDrop(id) => {
                session.kernel_drop(id);
                Ok(())
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        })
    }

    fn read(&mut self, range: BufferRange) -> io::Result<Result<(), FinishError>> {
        let Self { session, pulse, worker, .. } = self;
        let out = worker.out.clone();
        let mut sink = |bytes: &[u8]| {
            let mut out = lock(&out);
            for piece in bytes.chunks(frame::BULK_BYTES) {
                frame::write(&mut *out, &Reply::Piece(piece.len() as u32))?;
                out.write_all(piece)?;
            }
            out.flush()
        };
        Ok(match wait(session.buffer_read(range, &mut sink), pulse, &worker.out)? {
            Ok(()) => Ok(()),
            Err(ReadError::Sink(error)) => return Err(error),
            Err(error) => Err(told(error)),
        })
    }

    fn measure(&mut self, range: BufferRange) -> io::Result<Result<Option<Rates>, FinishError>> {
        let Self { session, pulse, worker, options, hashing } = self;
        if !Hashing::can_be(range, *options) {
            return Ok(Ok(None));
        }
        let rates = wait(Rates::measure(&mut **session, hashing, range, *options), pulse, &worker.out)?;
        Ok(rates.map(Some).map_err(told))
    }

    fn hash(&mut self, range: BufferRange, first: u64) -> io::Result<Result<Option<Vec<[u8; 32]>>, FinishError>> {
        let Self { session, pulse, worker, options, hashing } = self;
        if !Hashing::can_be(range, *options) {
            return Ok(Ok(None));
        }
        let hashed = async {
            let mut ready = match hashing.take() {
                Some(ready) => ready,
                None => Hashing::new(&mut **session, *options)?,
            };
            let values = ready.pieces(&mut **session, range, first).await;
            *hashing = Some(ready);
            values.map(Some)
        };
        Ok(wait(hashed, pulse, &worker.out)?.map_err(told))
    }

    /// Makes a kernel of what it was made from before. It was admitted then, so it is again.
    fn create(&mut self, id: KernelId, source: &KernelSource) -> Result<(), KernelFault> {
        let KernelSource { text, entry_point, constants } = source;
        let kernel = Arc::new(wgsl::parse(&wgsl::Source { text, entry_point, constants })?);
        let program = match self.options.admission {
            Admission::Exact => Program::Exact(Arc::new(wgsl::lower(&kernel, text, Admission::Exact)?)),
            Admission::Native => Program::Native { kernel: kernel.clone(), text: text.as_str().into() },
        };
        self.session.kernel_source(id, &kernel, text);
        self.session.kernel_create(id, program)
    }
}

/// Why a read failed, for the host.
fn told(error: ReadError) -> FinishError {
    match error {
        ReadError::BudgetSpent => FinishError::BudgetSpent,
        ReadError::Device(error) => error.into(),
        error => DeviceError::Failed(error.to_string()).into(),
    }
}
