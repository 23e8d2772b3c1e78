//! What others build against changes only together with a line that tells them.
//!
//! Two contracts: the WIT package, and the format of receipts. For each the record holds the hash of its files, the
//! version it carries and the line of CHANGELOG.md that tells of its last change.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use super::Finding;
use super::record::Contract;
use super::sources::Sources;

/// A contract: its name in the record, the word by which CHANGELOG.md must tell of it, and its files.
struct Rule {
    name: &'static str,
    word: &'static str,
    owns: fn(&str) -> bool,
    version: fn(&Sources) -> Result<String>,
}

const RULES: [Rule; 2] = [
    Rule { name: "wit", word: "`wit`", owns: is_wit, version: wit_version },
    Rule { name: "receipt", word: "`RECEIPT`", owns: |path| path == "docs/RECEIPT.md", version: workspace_version },
];

/// Finds contracts that changed without a word.
pub(crate) fn check(sources: &Sources, record: &BTreeMap<String, Contract>) -> Vec<Finding> {
    RULES.iter().filter_map(|rule| check_rule(sources, rule, record.get(rule.name)).err()).collect()
}

fn check_rule(sources: &Sources, rule: &Rule, recorded: Option<&Contract>) -> Result<(), Finding> {
    let finding = |text: String| Finding::new(rule.name, text);
    let recorded = recorded.ok_or_else(|| finding("not recorded: run `cargo xtask tidy --bless`".to_owned()))?;
    (rule.version)(sources).map_err(|error| finding(format!("{error:#}")))?;
    if !sources.all().any(|(path, _)| (rule.owns)(path)) {
        return Err(finding("has no files".to_owned()));
    }
    if recorded.blake3 != hash(sources, rule) {
        return Err(finding(format!(
            "changed since version {}: bump its version where it breaks anyone, tell of the change in a line of \
             CHANGELOG.md under Unreleased that names {}, then run `cargo xtask tidy --bless`",
            recorded.version, rule.word
        )));
    }
    let changelog = sources.text("CHANGELOG.md").unwrap_or_default();
    if changelog.lines().any(|line| line.trim() == recorded.changelog) {
        return Ok(());
    }
    Err(finding(format!("CHANGELOG.md no longer has the line that told of its last change: `{}`", recorded.changelog)))
}

/// Records the contracts as they are. Refused for one that changed and that CHANGELOG.md does not name.
pub(crate) fn bless(sources: &Sources, record: &mut BTreeMap<String, Contract>) -> Result<()> {
    for rule in &RULES {
        if check_rule(sources, rule, record.get(rule.name)).is_ok() {
            continue;
        }
        let Some(line) =
            unreleased(sources.text("CHANGELOG.md").unwrap_or_default()).find(|line| line.contains(rule.word))
        else {
            bail!(
                "{} changed, and CHANGELOG.md does not say so: add a line under Unreleased that names {}",
                rule.name,
                rule.word
            );
        };
        let version = (rule.version)(sources)?;
        let contract = Contract { version, changelog: line.to_owned(), blake3: hash(sources, rule) };
        record.insert(rule.name.to_owned(), contract);
    }
    Ok(())
}

/// The lines of the section that the next release will be.
fn unreleased(changelog: &str) -> impl Iterator<Item = &str> {
    let after = changelog.lines().skip_while(|line| !line.starts_with("## [Unreleased]")).skip(1);
    after.take_while(|line| !line.starts_with("## ")).map(str::trim)
}

fn hash(sources: &Sources, rule: &Rule) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("samebit 2026 xtask contract v1");
    for (path, text) in sources.all().filter(|(path, _)| (rule.owns)(path)) {
        for part in [path, text] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().to_string()
}

/// Our own interfaces; those of WASI lie a folder deeper.
fn is_wit(path: &str) -> bool {
    path.strip_prefix("wit/").is_some_and(|rest| rest.ends_with(".wit") && !rest.contains('/'))
}

/// The version that every file of the package states.
fn wit_version(sources: &Sources) -> Result<String> {
    let mut version: Option<&str> = None;
    for (path, text) in sources.all().filter(|(path, _)| is_wit(path)) {
        let stated = text.lines().find_map(|line| line.strip_prefix("package samebit:job@")?.strip_suffix(';'));
        let stated = stated.with_context(|| format!("{path} does not state `package samebit:job@VERSION;`"))?;
        match version {
            Some(version) if version != stated => bail!("{path} states version {stated}, another file {version}"),
            _ => version = Some(stated),
        }
    }
    version.map(str::to_owned).context("there is no WIT package")
}

fn workspace_version(sources: &Sources) -> Result<String> {
    let manifest: toml::Table = sources.text("Cargo.toml").context("there is no Cargo.toml")?.parse()?;
    let version = manifest.get("workspace").and_then(|table| table.get("package")?.get("version")?.as_str());
    version.map(str::to_owned).context("Cargo.toml states no version of the workspace")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: (&str, &str) = ("Cargo.toml", "[workspace.package]\nversion = \"0.1.0\"\n");
    const TOLD: &str = "# Changelog\n## [Unreleased]\n- `wit`: new.\n- `RECEIPT`: new.\n## [0.0.1]\n- Older.\n";
    const UNTOLD: &str = "# Changelog\n## [Unreleased]\n- Faster.\n## [0.0.1]\n- `wit`: old.\n- `RECEIPT`: old.\n";

    fn sources(wit: &str, receipt: &str, changelog: &str) -> Sources {
        let wit = format!("package samebit:job@0.1.0;\n{wit}");
        Sources::of(&[MANIFEST, ("wit/a.wit", &wit), ("docs/RECEIPT.md", receipt), ("CHANGELOG.md", changelog)])
    }

    fn blessed() -> BTreeMap<String, Contract> {
        let mut record = BTreeMap::new();
        bless(&sources("1", "1", TOLD), &mut record).expect("told of");
        record
    }

    #[test]
    fn what_was_blessed_passes_and_any_change_is_found() {
        let record = blessed();
        assert_eq!(check(&sources("1", "1", TOLD), &record), []);
        assert_eq!(check(&sources("2", "1", TOLD), &record)[0].place, "wit");
        assert_eq!(check(&sources("1", "2", TOLD), &record)[0].place, "receipt");
        assert_eq!(check(&sources("1", "1", TOLD), &BTreeMap::new()).len(), 2);
        let receiptless =
            Sources::of(&[MANIFEST, ("wit/a.wit", "package samebit:job@0.1.0;\n1"), ("CHANGELOG.md", TOLD)]);
        assert_eq!(check(&receiptless, &record)[0].text, "has no files");
    }

    #[test]
    fn a_release_moves_the_line_and_removing_it_is_found() {
        let record = blessed();
        let released = TOLD.replace("## [Unreleased]", "## [Unreleased]\n\n## [0.1.0]");
        assert_eq!(check(&sources("1", "1", &released), &record), []);
        assert_eq!(check(&sources("1", "1", UNTOLD), &record).len(), 2);
    }

    #[test]
    fn blessing_is_refused_unless_the_changelog_tells() {
        let mut record = blessed();
        let error = bless(&sources("2", "1", UNTOLD), &mut record).expect_err("untold");
        assert!(error.to_string().contains("`wit`"), "{error}");
        assert_eq!(record, blessed());
        bless(&sources("2", "1", TOLD), &mut record).expect("told of");
        assert_eq!(check(&sources("2", "1", TOLD), &record), []);
    }

    #[test]
    fn files_of_one_package_must_agree_on_its_version() {
        let two = [("wit/a.wit", "package samebit:job@0.1.0;"), ("wit/b.wit", "package samebit:job@0.2.0;")];
        wit_version(&Sources::of(&two)).expect_err("two versions");
        wit_version(&Sources::of(&[("wit/a.wit", "interface a {}")])).expect_err("no version");
        wit_version(&Sources::of(&[("wit/deps/io.wit", "package wasi:io@0.2.0;")])).expect_err("no package of ours");
    }
}
