//! Files hold one idea each, and their length tells when they do not.

use super::Finding;
use super::record::Record;
use super::sources::Sources;

/// No file is longer.
const LINES_MAX: usize = 600;
/// Files longer than this are counted, and may not become more.
const LINES_LONG: usize = 300;

/// Finds files that are too long, and long files beyond the number allowed.
pub(crate) fn check(sources: &Sources, long_allowed: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in sources.rust() {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            findings.push(Finding::new(path, format!("{lines} lines, at most {LINES_MAX} are allowed: split it")));
        }
    }
    let long = long(sources);
    if long.len() > long_allowed {
        let text = format!(
            "{} files are over {LINES_LONG} lines, {long_allowed} are allowed: split one of {}",
            long.len(),
            long.join(", ")
        );
        findings.push(Finding::new("lengths", text));
    }
    findings
}

/// Takes the ratchet to where the code is, if that is better.
pub(crate) fn bless(sources: &Sources, record: &mut Record) {
    record.files_over_300_lines = record.files_over_300_lines.min(long(sources).len());
}

fn long(sources: &Sources) -> Vec<&str> {
    sources.rust().filter(|(_, text)| text.lines().count() > LINES_LONG).map(|(path, _)| path).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn sources(lines: usize) -> Sources {
        Sources::of(&[("src/a.rs", &"//\n".repeat(lines)), ("docs/long.md", &"text\n".repeat(2000))])
    }

    #[test]
    fn a_file_over_the_limit_is_found() {
        assert_eq!(check(&sources(600), 1), []);
        let findings = check(&sources(601), 1);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place, "src/a.rs");
    }

    #[test]
    fn one_more_long_file_than_recorded_is_found() {
        assert_eq!(check(&sources(300), 0), []);
        assert_eq!(check(&sources(301), 1), []);
        assert!(check(&sources(301), 0)[0].text.contains("src/a.rs"));
    }

    #[test]
    fn blessing_lowers_the_ratchet_and_never_raises_it() {
        let mut record = Record { files_over_300_lines: 5, contracts: BTreeMap::new() };
        bless(&sources(301), &mut record);
        assert_eq!(record.files_over_300_lines, 1);
        bless(&sources(10), &mut record);
        bless(&sources(301), &mut record);
        assert_eq!(record.files_over_300_lines, 0);
    }
}
