//! `cargo xtask tidy`: the rules of the house, checked.
//!
//! Each rule is a function from what it looks at to what it finds, so that its test can show it failing. A tidy
//! repository is one of the tests. Limits that the code has not reached everywhere are ratchets: what is recorded in
//! `xtask/tidy.toml` may get better, never worse.

mod arrows;
mod contracts;
mod lengths;
mod record;
mod sources;
mod texts;

use std::fmt;

use anyhow::{Result, bail};

use self::record::Record;
use self::sources::Sources;
use crate::terminal::answer;
use crate::workspace::Workspace;

/// Arguments of `cargo xtask tidy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Record the present contracts and a lower ratchet; refused unless CHANGELOG.md says what changed
    #[arg(long)]
    bless: bool,
}

/// One thing that is not as the house wants it: where, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    place: String,
    text: String,
}

impl Finding {
    fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// Checks the workspace, or records its present state.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let sources = Sources::load(workspace.root())?;
    let path = workspace.root().join(record::PATH);
    let mut record = Record::load(&path)?;
    if args.bless {
        contracts::bless(&sources, &mut record.contracts)?;
        lengths::bless(&sources, &mut record);
        record.save(&path)?;
    }
    let findings = findings(workspace, &sources, &record);
    for finding in &findings {
        answer(&finding.to_string());
    }
    match findings.len() {
        0 => Ok(()),
        count => bail!("the house is not tidy: {count} finding(s) above"),
    }
}

fn findings(workspace: &Workspace, sources: &Sources, record: &Record) -> Vec<Finding> {
    [
        arrows::check(&arrows::packages(workspace), sources.text("docs/ARCHITECTURE.md")),
        lengths::check(sources, record.files_over_300_lines),
        contracts::check(sources, &record.contracts),
        texts::check(sources),
        texts::check_packages(sources, workspace),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let workspace = Workspace::load().expect("the workspace");
        let sources = Sources::load(workspace.root()).expect("the sources");
        let record = Record::load(&workspace.root().join(record::PATH)).expect("the record");
        let findings = findings(&workspace, &sources, &record);
        let text = findings.iter().map(|finding| format!("\n  {finding}")).collect::<String>();
        assert!(findings.is_empty(), "{text}");
    }
}
