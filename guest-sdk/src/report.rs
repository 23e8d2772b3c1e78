//! What a job says while it runs: lines of its log, and how far it has come.

use crate::host;

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The job cannot do what it was asked to.
    Error,
    /// The job can, but probably not as was meant.
    Warn,
    /// What the job does.
    Info,
    /// For the job's author.
    Debug,
    /// For the job's author, in bulk.
    Trace,
}

/// Writes a line to the job's log, which is part of the outcome. [`info!`](crate::info) and its siblings format it.
pub fn log(level: Level, message: &str) {
    host::log(level, message);
}

/// Says how far the job has come: `done` of `total`, in any unit. Shown to whoever is watching, and forgotten.
pub fn progress(done: u64, total: u64) {
    host::progress(done, total);
}

/// Logs that the job cannot do what it was asked to, formatted like [`format!`].
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => { $crate::log($crate::Level::Error, &::std::format!($($message)+)) };
}

/// Logs what is probably not meant, formatted like [`format!`].
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::log($crate::Level::Warn, &::std::format!($($message)+)) };
}

/// Logs what the job does, formatted like [`format!`].
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::log($crate::Level::Info, &::std::format!($($message)+)) };
}

/// Logs for the job's author, formatted like [`format!`].
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::log($crate::Level::Debug, &::std::format!($($message)+)) };
}

/// Logs in bulk for the job's author, formatted like [`format!`].
#[macro_export]
macro_rules! trace {
    ($($message:tt)+) => { $crate::log($crate::Level::Trace, &::std::format!($($message)+)) };
}
