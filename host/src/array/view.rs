//! An array while it runs, in one view: a bar for all jobs, and a line for each of the first hosts.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use samebit_runner::spec::HostKey;

use super::work::short;
use crate::output::Output;

/// Hosts with a line of their own. More would scroll away what is above.
const LINES_MAX: usize = 12;
/// How often what moves is drawn anew.
const TICK: Duration = Duration::from_millis(200);

// The templates are constants that a test parses; were one wrong, the default style would do.
const JOBS: &str = "{bar:40} {pos}/{len} jobs {eta} {msg}";
const HOST: &str = "  {msg}";

/// The view. Shows nothing unless there is a terminal to show it on.
pub(crate) struct View {
    output: Output,
    is_shown: bool,
    all: MultiProgress,
    jobs: ProgressBar,
    hosts: BTreeMap<HostKey, ProgressBar>,
}

impl View {
    /// For so many jobs, of which so many are done, and these hosts.
    pub(crate) fn new(output: &Output, jobs: usize, done: usize, hosts: &[HostKey]) -> Self {
        let is_shown = output.shows_progress();
        let all =
            if is_shown { MultiProgress::new() } else { MultiProgress::with_draw_target(ProgressDrawTarget::hidden()) };
        let jobs = all.add(ProgressBar::new(jobs as u64).with_style(style(JOBS)).with_position(done as u64));
        jobs.enable_steady_tick(TICK);
        let line = |host: &HostKey| (*host, all.add(ProgressBar::new_spinner().with_style(style(HOST))));
        let hosts = hosts.iter().take(LINES_MAX).map(line).collect();
        Self { output: output.clone(), is_shown, all, jobs, hosts }
    }

    /// One job more is over, so many in all have gone wrong.
    pub(crate) fn job_is_over(&self, wrong: usize) {
        self.jobs.inc(1);
        if wrong > 0 {
            self.jobs.set_message(format!("{wrong} went wrong"));
        }
    }

    /// What a host does.
    pub(crate) fn host(&self, host: &HostKey, going: usize, done: u64, failed: u64) {
        let Some(line) = self.hosts.get(host) else { return };
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        line.set_message(format!("{}  {going} there, {done} done{failed}", short(host)));
    }

    /// A host gets nothing more.
    pub(crate) fn host_is_gone(&self, host: &HostKey, why: &str) {
        if let Some(line) = self.hosts.get(host) {
            line.finish_and_clear();
        }
        self.note(&format!("host {host} gets no more jobs: {why}"));
    }

    /// Something worth knowing.
    pub(crate) fn note(&self, text: &str) {
        if self.is_shown { self.all.suspend(|| self.output.note(text)) } else { self.output.note(text) }
    }

    /// Takes the view away.
    pub(crate) fn finish(&self) {
        self.hosts.values().for_each(ProgressBar::finish_and_clear);
        self.jobs.finish_and_clear();
        // A terminal that is gone shows nothing anyway.
        let _ = self.all.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_parse() {
        ProgressStyle::with_template(JOBS).expect("valid");
        ProgressStyle::with_template(HOST).expect("valid");
    }
}
