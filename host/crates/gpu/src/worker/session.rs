//! A session whose device is in a worker.

use std::sync::Arc;

use samebit_device::hash::PIECE_BYTES;
use samebit_device::wgsl::Kernel;
use samebit_device::{
    Abort, BoxFuture, BufferCopy, BufferId, BufferRange, DeviceError, Dispatch, FinishError, KernelFault, KernelId,
    Program, ReadError, Session, Sink,
};

use super::frame::BULK_BYTES;
use super::link::{Link, broken};
use super::message::{KernelSource, Reply, Request};
use super::rates::Known;

/// One job's use of a worker.
pub(super) struct WorkerSession {
    link: Link,
    /// What the next kernel is made from.
    source: Option<(KernelId, KernelSource)>,
    rates: Arc<Known>,
}

impl WorkerSession {
    pub(super) fn new(link: Link, rates: Arc<Known>) -> Self {
        Self { link, source: None, rates }
    }

    fn queue(&self, request: &Request) -> Result<(), DeviceError> {
        self.link.send(request, Vec::new())
    }

    async fn read(&mut self, range: BufferRange, sink: Sink<'_>) -> Result<(), ReadError> {
        let mut reading = self.link.read(range)?;
        while let Some(piece) = reading.pieces.recv().await {
            sink(&piece)?;
        }
        match self.link.answered(reading.answer).await? {
            Reply::Read(Ok(())) => Ok(()),
            Reply::Read(Err(error)) => Err(untold(error)),
            _ => Err(unexpected().into()),
        }
    }

    /// Whether hashing a range over there pays. Finding out hashes a part of it.
    async fn hashing_pays(&mut self, range: BufferRange) -> Result<bool, ReadError> {
        if let Some(pays) = self.rates.pays(range.size) {
            return Ok(pays);
        }
        match self.link.ask(&Request::HashRates(range)).await? {
            Reply::Rates(Ok(Some(rates))) => self.rates.set(rates),
            Reply::Rates(Ok(None)) => {}
            Reply::Rates(Err(error)) => return Err(untold(error)),
            _ => return Err(unexpected().into()),
        }
        Ok(self.rates.pays(range.size).unwrap_or(false))
    }

    async fn hash(&mut self, range: BufferRange, first: u64) -> Result<Option<Vec<[u8; 32]>>, ReadError> {
        if !self.hashing_pays(range).await? {
            return Ok(None);
        }
        match self.link.ask(&Request::BufferHash(range, first)).await? {
            Reply::Hashed(Ok(Some(values))) if values.len() as u64 * PIECE_BYTES != range.size => {
                Err(broken("it hashed something else").into())
            }
            Reply::Hashed(Ok(values)) => Ok(values),
            Reply::Hashed(Err(error)) => Err(untold(error)),
            _ => Err(unexpected().into()),
        }
    }

    async fn create(&mut self, id: KernelId) -> Result<(), KernelFault> {
        let source = self.source.take().filter(|(of, _)| *of == id);
        let Some((_, source)) = source else {
            return Err(DeviceError::Failed("it was given a kernel and not what it was made from".to_owned()).into());
        };
        match self.link.ask(&Request::KernelCreate(id, source)).await? {
            Reply::Kernel(result) => result,
            _ => Err(unexpected().into()),
        }
    }
}

/// What the worker was told.
fn untold(error: FinishError) -> ReadError {
    match error {
        FinishError::BudgetSpent => ReadError::BudgetSpent,
        FinishError::Device(error) => error.into(),
    }
}

fn unexpected() -> DeviceError {
    broken("it answered something else")
}

impl Session for WorkerSession {
    fn buffer_create(&mut self, id: BufferId, size_bytes: u64) -> Result<(), DeviceError> {
        self.queue(&Request::BufferCreate(id, size_bytes))
    }

    fn buffer_drop(&mut self, id: BufferId) {
        // What fails here shows in the next call.
        let _ = self.queue(&Request::BufferDrop(id));
    }

    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        let mut at = offset;
        for piece in bytes.chunks(BULK_BYTES) {
            self.link.send(&Request::BufferWrite(id, at, piece.len() as u32), piece.to_vec())?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError> {
        self.queue(&Request::BufferFill(range, word))
    }

    fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), DeviceError> {
        self.queue(&Request::BufferCopy(copy))
    }

    fn buffer_read<'a>(&'a mut self, range: BufferRange, sink: Sink<'a>) -> BoxFuture<'a, Result<(), ReadError>> {
        Box::pin(self.read(range, sink))
    }

    fn buffer_hash(
        &mut self,
        range: BufferRange,
        first: u64,
    ) -> BoxFuture<'_, Result<Option<Vec<[u8; 32]>>, ReadError>> {
        Box::pin(self.hash(range, first))
    }

    fn kernel_source(&mut self, id: KernelId, kernel: &Kernel, text: &str) {
        let source = KernelSource {
            text: text.to_owned(),
            entry_point: kernel.entry_point().to_owned(),
            constants: kernel.constants().to_vec(),
        };
        self.source = Some((id, source));
    }

    fn kernel_create(&mut self, id: KernelId, _: Program) -> Result<(), KernelFault> {
        pollster::block_on(self.create(id))
    }

    fn abort(&self) -> Abort {
        self.link.abort()
    }

    fn kernel_drop(&mut self, id: KernelId) {
        // What fails here shows in the next call.
        let _ = self.queue(&Request::KernelDrop(id));
    }

    fn dispatch(&mut self, dispatch: &Dispatch) -> Result<(), DeviceError> {
        self.queue(&Request::Dispatch(dispatch.clone()))
    }

    fn is_congested(&self) -> bool {
        self.link.is_congested()
    }

    fn settle(&mut self) -> BoxFuture<'_, Result<(), DeviceError>> {
        Box::pin(self.link.room())
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), FinishError>> {
        Box::pin(async {
            match self.link.ask(&Request::Finish).await? {
                Reply::Finished(result) => result,
                _ => Err(unexpected().into()),
            }
        })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(self.link.close())
    }
}
