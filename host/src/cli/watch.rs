//! A job of a host, shown while it happens.

use std::sync::Arc;

use samebit_net::message::{EventKind, JobEvent, LogLevel};
use samebit_runner::engine::{Event, Level, Observer};

use crate::cli::report::blob_text;
use crate::output::{Output, clean};
use crate::progress::Progress;

/// Shows what happens to a job.
pub(crate) struct Watch {
    output: Output,
    /// The bar and the log.
    pub(crate) progress: Arc<Progress>,
}

impl Watch {
    /// For a job whose story begins.
    pub(crate) fn new(output: &Output) -> Self {
        Self { output: output.clone(), progress: Progress::new(output) }
    }

    /// Shows an event.
    pub(crate) fn tell(&self, event: &JobEvent) {
        let step = |text: &str| self.output.note(text);
        match &event.kind {
            EventKind::Queued { position } => step(&format!("queued, {position} before it")),
            EventKind::Fetching { blob, done_bytes } => {
                self.progress.event(Event::Progress { done: *done_bytes, total: blob.size_bytes });
                if *done_bytes == blob.size_bytes {
                    step(&format!("the host has {}", blob_text(blob)));
                }
            }
            EventKind::Compiling => step("compiling"),
            EventKind::Running => step("running"),
            EventKind::Progress { done, total } => self.progress.event(Event::Progress { done: *done, total: *total }),
            EventKind::Log { level, text } => self.progress.event(Event::Log(engine_level(*level), text.as_str())),
            EventKind::Hashing => step("hashing"),
            EventKind::Done { .. } => step("done"),
            EventKind::Failed { reason } => step(&format!("failed: {}", clean(reason.as_str()))),
            EventKind::Cancelled => step("cancelled"),
        }
    }
}

fn engine_level(level: LogLevel) -> Level {
    match level {
        LogLevel::Error => Level::Error,
        LogLevel::Warn => Level::Warn,
        LogLevel::Info => Level::Info,
        LogLevel::Debug => Level::Debug,
        LogLevel::Trace => Level::Trace,
    }
}
