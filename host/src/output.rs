//! Everything the program says. Answers go to standard output, all else to standard error.
//!
//! With `--json` the answer is one JSON value, and so is a failure. Text that a guest, a receipt or a driver chose
//! passes through [`clean`] first, so that it cannot move the cursor or pass for ours.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::cli::{Color, Global, LogFormat};
use crate::error::Failure;

/// Good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Bad news.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What could go either way.
pub(crate) const UNSURE: Style = AnsiColor::Yellow.on_default().bold();
/// The name of what follows.
pub(crate) const LABEL: Style = AnsiColor::Cyan.on_default();

/// Where and how to say things. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    verbose: bool,
    color: Color,
    log: LogFormat,
}

impl Output {
    /// As the global flags say.
    pub(crate) fn new(global: &Global) -> Self {
        Self {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose > 0,
            color: global.color,
            log: global.log_format,
        }
    }

    /// An output for JSON, before the flags are known to make sense.
    pub(crate) fn json() -> Self {
        Self { json: true, quiet: true, verbose: false, color: Color::Auto, log: LogFormat::Text }
    }

    /// True if only answers and errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// True if more than the usual is wanted.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// True if something that moves may be shown.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && !self.json && std::io::stderr().is_terminal()
    }

    /// An answer: its JSON, or its lines for people.
    pub(crate) fn answer(&self, json: impl FnOnce() -> Value, text: impl FnOnce(&mut Text)) {
        if self.json {
            return self.raw(&format!("{:#}\n", json()));
        }
        let mut lines = Text::default();
        text(&mut lines);
        self.raw(&lines.0);
    }

    /// An answer that is the same for people and programs.
    pub(crate) fn raw(&self, text: &str) {
        // Whoever closed the pipe has seen enough.
        let _ = AutoStream::new(std::io::stdout(), choice(self.color)).write_all(text.as_bytes());
    }

    /// Something worth knowing, on standard error.
    pub(crate) fn note(&self, text: &str) {
        match self.log {
            LogFormat::Json => tracing::info!("{text}"),
            LogFormat::Text if self.quiet => {}
            LogFormat::Text => self.error_line(&format!("{text}\n")),
        }
    }

    /// Why the program ends without an answer.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json {
            let error = json!({
                "kind": failure.kind(),
                "message": failure.message(),
                "exit_code": failure.exit().code(),
            });
            self.raw(&format!("{:#}\n", json!({ "error": error })));
        }
        match self.log {
            LogFormat::Json => tracing::error!(kind = failure.kind(), "{}", failure.message()),
            LogFormat::Text => {
                self.error_line(&format!("{BAD}error{BAD:#}: {}\n", clean_lines(failure.message())));
            }
        }
    }

    /// A line of the guest's log.
    pub(crate) fn log_line(&self, level: &str, message: &str) {
        match self.log {
            LogFormat::Json => tracing::info!(guest = level, "{message}"),
            LogFormat::Text => self.error_line(&log_text(level, message)),
        }
    }

    /// True if standard error takes colors.
    pub(crate) fn colors_errors(&self) -> bool {
        AutoStream::new(std::io::stderr(), choice(self.color)).current_choice() != ColorChoice::Never
    }

    fn error_line(&self, text: &str) {
        let _ = AutoStream::new(std::io::stderr(), choice(self.color)).write_all(text.as_bytes());
    }
}

/// A line of the guest's log, with its level in color.
pub(crate) fn log_text(level: &str, message: &str) -> String {
    let style = match level {
        "error" => BAD,
        "warn" => UNSURE,
        _ => LABEL,
    };
    format!("{style}{level}{style:#} {}\n", clean(message))
}

/// Lines for people.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

impl Text {
    /// A line as it is.
    pub(crate) fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// A name, and what it stands for.
    pub(crate) fn field(&mut self, name: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{LABEL}{name:<12}{LABEL:#} {}", clean(&value.to_string()));
    }

    /// A word that says how it went, and the rest of the sentence.
    pub(crate) fn headline(&mut self, style: Style, word: &str, rest: &str) {
        let _ = writeln!(self.0, "{style}{word}{style:#}{}", clean(rest));
    }
}

/// Text of a stranger's on one line, with control characters made visible.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for char in text.chars() {
        if is_harmless(char) {
            clean.push(char);
        } else {
            clean.extend(char.escape_default());
        }
    }
    clean
}

/// The same, line breaks kept.
fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// Neither a control character nor one that turns the direction of writing.
fn is_harmless(char: char) -> bool {
    let turns = matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    char == '\t' || !(char.is_control() || turns)
}

/// So many of something, for people.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A size for people.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let power = (bytes.ilog2() / 10).min(4);
    format!("{:.1} {}", bytes as f64 / f64::from(1 << 10).powi(power as i32), UNITS[power as usize - 1])
}

/// Sends the program's own trace to standard error: warnings, and more for each `-v`. `SAMEBIT_LOG` overrides.
pub(crate) fn trace(global: &Global, serves: bool) {
    // Whoever keeps a host running wants to know what it does; whoever runs a command looks at its answer. As JSON, what
    // is said besides the answer comes this way too.
    let told = serves || global.log_format == LogFormat::Json;
    let level = match (global.quiet, global.verbose.saturating_add(u8::from(told))) {
        (true, _) => "error",
        (false, 0) => "warn,iroh_blobs=error",
        (false, 1) => "warn,samebit=info",
        (false, 2) => "info,samebit=debug",
        (false, _) => "debug",
    };
    let filter = EnvFilter::try_from_env("SAMEBIT_LOG").unwrap_or_else(|_| {
        let ours = level.split_once("samebit=").map(|(_, level)| level);
        let crates = ["runner", "engine", "gpu", "net", "store"]
            .map(|name| ours.map(|level| format!(",samebit_{name}={level}")));
        // That its collection ends with the store is no error, and how it went is told by who asked for it.
        let level = format!("{level},iroh_blobs::store::gc=off");
        EnvFilter::new(crates.into_iter().flatten().fold(level, |all, one| all + &one))
    });
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match global.log_format {
        LogFormat::Json => lines.json().flatten_event(true).init(),
        LogFormat::Text => {
            let errors = AutoStream::new(std::io::stderr(), choice(global.color));
            let lines = lines.with_ansi(errors.current_choice() != ColorChoice::Never).with_target(false);
            if serves { lines.init() } else { lines.without_time().init() }
        }
    }
}

fn choice(color: Color) -> ColorChoice {
    match color {
        // `Auto` asks whether it is a terminal, and respects `NO_COLOR`.
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_cannot_move_the_cursor() {
        assert_eq!(clean("a\x1b[2Jb\r\n\u{202e}c"), r"a\u{1b}[2Jb\r\n\u{202e}c");
        assert_eq!(clean("größe\t✓"), "größe\t✓");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "host")), ["0 hosts", "1 host", "2 hosts"]);
    }

    #[test]
    fn sizes_read_well() {
        let sizes = [0, 1023, 1024, 1536, 5 << 20, 3 << 30, 2 << 40, u64::MAX].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 MiB", "3.0 GiB", "2.0 TiB", "16777216.0 TiB"]);
    }
}
