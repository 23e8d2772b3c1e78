//! The job's log: lines of text, each with its level, as `docs/RECEIPT.md` writes them.

use std::sync::{Arc, Mutex, PoisonError};

use samebit_spec::Limit;

use crate::end::Stop;
use crate::{Event, Level, Observer};

/// The log of a run. Shared by the `report` interface and the guest's standard error.
#[derive(Clone)]
pub(crate) struct Log(Arc<Mutex<Lines>>);

struct Lines {
    bytes: Vec<u8>,
    limit_bytes: u64,
    observer: Arc<dyn Observer>,
}

impl Log {
    pub(crate) fn new(limit_bytes: u64, observer: Arc<dyn Observer>) -> Self {
        Self(Arc::new(Mutex::new(Lines { bytes: Vec::new(), limit_bytes, observer })))
    }

    /// Adds a message, a line for each of its lines. One that would pass the limit ends the job, and is not added.
    pub(crate) fn append(&self, level: Level, message: &str) -> Result<(), Stop> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in message.split('\n') {
            let size = level.as_str().len() + 1 + line.len() + 1;
            if (lines.bytes.len() + size) as u64 > lines.limit_bytes {
                return Err(Stop::Exceeded(Limit::Log));
            }
            for part in [level.as_str(), " ", line, "\n"] {
                lines.bytes.extend_from_slice(part.as_bytes());
            }
            lines.observer.event(Event::Log(level, line));
        }
        Ok(())
    }

    /// The log's bytes so far, which are taken out.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes)
    }
}

/// Makes lines of a stream of bytes: a guest's standard error, or a job's standard output.
pub(crate) struct LineWriter {
    log: Log,
    level: Level,
    pending: Vec<u8>,
}

/// A line longer than this is broken, so that a stream without line breaks is bounded and counted as it grows.
const LINE_BYTES_MAX: usize = 4096;

impl LineWriter {
    pub(crate) fn new(log: Log, level: Level) -> Self {
        Self { log, level, pending: Vec::new() }
    }

    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Stop> {
        while !bytes.is_empty() {
            let room = (LINE_BYTES_MAX - self.pending.len()).min(bytes.len());
            let (taken, ends) = match bytes[..room].iter().position(|byte| *byte == b'\n') {
                Some(at) => (at, true),
                None => (room, false),
            };
            self.pending.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken + usize::from(ends)..];
            if ends || self.pending.len() == LINE_BYTES_MAX {
                self.end_line()?;
            }
        }
        Ok(())
    }

    /// Writes what is pending, if anything is, as a line of its own.
    pub(crate) fn finish(&mut self) -> Result<(), Stop> {
        if self.pending.is_empty() { Ok(()) } else { self.end_line() }
    }

    fn end_line(&mut self) -> Result<(), Stop> {
        let line = std::mem::take(&mut self.pending);
        self.log.append(self.level, &String::from_utf8_lossy(&line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Silent;

    fn log(limit_bytes: u64) -> Log {
        Log::new(limit_bytes, Arc::new(Silent))
    }

    #[test]
    fn each_line_of_a_message_is_a_line() {
        let log = log(100);
        log.append(Level::Info, "one\ntwo").expect("within the limit");
        log.append(Level::Warn, "").expect("within the limit");
        assert_eq!(log.take(), b"info one\ninfo two\nwarn \n");
    }

    #[test]
    fn a_line_over_the_limit_is_not_written() {
        let log = log(9);
        log.append(Level::Info, "abc").expect("nine bytes fit");
        assert!(matches!(log.append(Level::Info, ""), Err(Stop::Exceeded(Limit::Log))));
        assert_eq!(log.take(), b"info abc\n");
    }

    #[test]
    fn a_stream_becomes_lines() {
        let log = log(1 << 20);
        let mut writer = LineWriter::new(log.clone(), Level::Error);
        for piece in [b"ab".as_slice(), b"c\n\nd", &[0xff], &[b'x'; LINE_BYTES_MAX]] {
            writer.write(piece).expect("within the limit");
        }
        writer.finish().expect("within the limit");
        let text = String::from_utf8(log.take()).expect("lossy text is text");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..2], ["error abc", "error "]);
        assert!(lines[2].starts_with("error d\u{fffd}xx"));
        assert_eq!(lines[3], "error xx");
    }
}
