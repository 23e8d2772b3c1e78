//! The only place of xtask that prints. What a command is for goes to standard output, how it gets there to standard
//! error.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this module is xtask's output")]

/// A line of a command's answer.
pub(crate) fn answer(text: &str) {
    println!("{text}");
}

/// What is being done now.
pub(crate) fn step(text: &str) {
    eprintln!("xtask: {text}");
}

/// Why a command failed, with its causes.
pub(crate) fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
