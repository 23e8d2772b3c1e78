//! Standard streams. Which is what depends on the module:
//!
//! | stream | a job | a command |
//! |---|---|---|
//! | stdin | empty | the input `stdin`, empty if there is none |
//! | stdout | the log, level info | the output `stdout` |
//! | stderr | the log, level error | the log, level error |
//!
//! Nothing here ever waits: reading and writing are done when they return.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use samebit_spec::Name;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::end::Stop;
use crate::log::{LineWriter, Log};
use crate::spool::Outputs;
use crate::{Input, Level, ModuleKind, RunError};

/// The most bytes that one read or write moves; a guest may ask for more, and gets this much.
pub(super) const CHUNK_BYTES: usize = 64 << 10;

/// The standard streams of a run.
pub(crate) struct Stdio {
    pub(super) stdin: Stdin,
    pub(super) stdout: Sink,
    pub(super) stderr: Sink,
}

impl Stdio {
    pub(crate) fn new(kind: ModuleKind, inputs: &BTreeMap<Name, Input>, outputs: &Outputs, log: &Log) -> Self {
        let name = |text: &str| Name::new(text).ok();
        let stdin = name("stdin").filter(|_| kind != ModuleKind::Job);
        let input = stdin.as_ref().and_then(|name| inputs.get(name)).cloned();
        let stdout = match name("stdout").filter(|_| kind != ModuleKind::Job) {
            Some(name) => Target::Output { outputs: outputs.clone(), name, written: false },
            None => Target::Log(LineWriter::new(log.clone(), Level::Info)),
        };
        Self {
            stdin: Stdin { name: stdin, input, position: Arc::default() },
            stdout: Sink(Arc::new(Mutex::new(stdout))),
            stderr: Sink(Arc::new(Mutex::new(Target::Log(LineWriter::new(log.clone(), Level::Error))))),
        }
    }

    /// Ends lines that the guest left open, and makes sure that a command's output exists.
    pub(crate) fn finish(&self) -> Result<(), Stop> {
        self.stdout.finish()?;
        self.stderr.finish()
    }
}

/// Where standard input comes from. All streams made of it share one position.
#[derive(Clone)]
pub(super) struct Stdin {
    name: Option<Name>,
    input: Option<Input>,
    position: Arc<Mutex<u64>>,
}

impl Stdin {
    fn next(&self, size: usize) -> Result<Bytes, RunError> {
        let Some(input) = &self.input else { return Ok(Bytes::new()) };
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = usize::try_from(input.size_bytes() - *position).unwrap_or(usize::MAX);
        let mut chunk = vec![0; size.min(rest).min(CHUNK_BYTES)];
        if let (Err(error), Some(name)) = (input.read_at(*position, &mut chunk), &self.name) {
            return Err(RunError::Input { name: name.clone(), error });
        }
        *position += chunk.len() as u64;
        Ok(chunk.into())
    }

    fn is_at_end(&self) -> bool {
        let position = *self.position.lock().unwrap_or_else(PoisonError::into_inner);
        self.input.as_ref().is_none_or(|input| position >= input.size_bytes())
    }
}

impl IsTerminal for Stdin {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Stdin {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Stdin {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl InputStream for Stdin {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size > 0 && self.is_at_end() {
            return Err(StreamError::Closed);
        }
        self.next(size).map_err(|error| StreamError::Trap(Stop::Host(error).into()))
    }
}

impl AsyncRead for Stdin {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, target: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.next(target.remaining()).map(|bytes| target.put_slice(&bytes)).map_err(io::Error::other))
    }
}

/// Where an output stream goes. All streams made of it write to the same place.
#[derive(Clone)]
pub(super) struct Sink(Arc<Mutex<Target>>);

enum Target {
    Output { outputs: Outputs, name: Name, written: bool },
    Log(LineWriter),
}

impl Sink {
    fn put(&self, bytes: &[u8]) -> Result<(), Stop> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Target::Output { outputs, name, written } => {
                *written = true;
                outputs.append(name, bytes)
            }
            Target::Log(lines) => lines.write(bytes),
        }
    }

    fn finish(&self) -> Result<(), Stop> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Target::Output { written: true, .. } => Ok(()),
            Target::Output { outputs, name, .. } => outputs.append(name, &[]),
            Target::Log(lines) => lines.finish(),
        }
    }
}

impl IsTerminal for Sink {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Sink {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Sink {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Sink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.put(&bytes).map_err(|stop| StreamError::Trap(stop.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK_BYTES)
    }

    // The trait's own would allocate as many zeros as the guest names.
    fn write_zeroes(&mut self, count: usize) -> StreamResult<()> {
        if count > CHUNK_BYTES {
            return Err(StreamError::trap("more zeros than check-write permits"));
        }
        self.write(Bytes::from(vec![0; count]))
    }
}

impl AsyncWrite for Sink {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.put(bytes).map(|()| bytes.len()).map_err(io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
