//! Shows a run while it runs: a bar for what the guest reports, and its log as it is written.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use samebit_runner::engine::{Event, Observer};

use crate::output::{Output, clean, log_text};

/// Watches a run for the user.
pub(crate) struct Progress {
    output: Output,
    bar: ProgressBar,
    is_shown: bool,
}

impl Progress {
    /// A bar that shows up when the guest reports progress, on a terminal.
    pub(crate) fn new(output: &Output) -> Arc<Self> {
        let is_shown = output.shows_progress();
        let bar = if is_shown { ProgressBar::no_length().with_style(unknown()) } else { ProgressBar::hidden() };
        Arc::new(Self { output: output.clone(), bar, is_shown })
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn print(&self, text: String) {
        if !self.is_shown {
            return;
        }
        let text = if self.output.colors_errors() { text } else { anstream::adapter::strip_str(&text).to_string() };
        self.bar.println(text.trim_end());
    }
}

impl Observer for Progress {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Progress { done, total: 0 } => self.bar.set_position(done),
            Event::Progress { done, total } => {
                if self.bar.length() != Some(total) {
                    self.bar.set_style(known());
                    self.bar.set_length(total);
                }
                self.bar.set_position(done);
            }
            Event::Log(..) if self.output.is_quiet() => {}
            Event::Log(level, message) if self.is_shown => self.print(log_text(level.as_str(), message)),
            Event::Log(level, message) => self.output.log_line(level.as_str(), message),
            Event::KernelRefused(text) => {
                for line in text.lines() {
                    tracing::warn!("kernel refused: {}", clean(line));
                }
            }
            Event::DeviceOpened(name) => tracing::info!("device: {}", clean(name)),
        }
    }
}

// The templates are constants that a test parses; were one wrong, the default style would do.
const KNOWN: &str = "{bar:40} {pos}/{len} {eta}";
const UNKNOWN: &str = "{spinner} {pos}";

fn known() -> ProgressStyle {
    ProgressStyle::with_template(KNOWN).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn unknown() -> ProgressStyle {
    ProgressStyle::with_template(UNKNOWN).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_parse() {
        ProgressStyle::with_template(KNOWN).expect("valid");
        ProgressStyle::with_template(UNKNOWN).expect("valid");
    }
}
