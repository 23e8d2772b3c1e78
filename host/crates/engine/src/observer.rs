//! What a run tells whoever is watching. None of it becomes part of the outcome.

/// How much a log line matters: `level` of `wit/report.wit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The job cannot do what it should.
    Error,
    /// Something is off.
    Warn,
    /// What a user wants to know.
    Info,
    /// What the author wants to know.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The word that begins a line of the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Something that happened in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// The guest wrote a line to its log.
    Log(Level, &'a str),
    /// The guest has done so much of so much.
    Progress {
        /// Units done.
        done: u64,
        /// Units in all; 0 if unknown.
        total: u64,
    },
    /// A kernel was refused. The guest saw where and why in short; this is the whole story.
    KernelRefused(&'a str),
    /// The device with this name was opened.
    DeviceOpened(&'a str),
}

/// Watches a run. Called from the thread that runs the guest, so it should return soon.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _event: Event<'_>) {}
}
