//! What no text here may hold, and what every package must.

use super::Finding;
use super::sources::Sources;
use crate::workspace::Workspace;

/// Somebody's own folders. Written in halves, so that this file does not hold them.
const PERSONAL: [&str; 3] = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/")];
/// Macros for code that is not finished.
const UNFINISHED: [&str; 3] = [concat!("todo", "!("), concat!("dbg", "!("), concat!("unimplemented", "!(")];
/// Files that a visitor looks for.
const HOUSE: [&str; 7] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "docs/ARCHITECTURE.md",
];
const LICENSE: &str = "MIT OR Apache-2.0";

/// Checks every text by itself.
pub(crate) fn check(sources: &Sources) -> Vec<Finding> {
    let missing = HOUSE.iter().filter(|path| sources.text(path).is_none_or(|text| text.trim().is_empty()));
    let mut findings = missing.map(|path| Finding::new(*path, "missing or empty")).collect::<Vec<_>>();
    for (path, text) in sources.all().filter(|(path, _)| *path != "Cargo.lock") {
        findings.extend(lines(path, text, &PERSONAL, "a folder of one machine"));
    }
    for (path, text) in sources.rust() {
        findings.extend(lines(path, text, &UNFINISHED, "unfinished code"));
        if !text.starts_with("//!") {
            findings.push(Finding::new(path, "does not open with `//!` lines that say what the file is for"));
        }
    }
    findings
}

/// Checks that every package carries the license and the lints of the workspace. Examples do not: theirs is the
/// manifest that a stranger would write.
pub(crate) fn check_packages(sources: &Sources, workspace: &Workspace) -> Vec<Finding> {
    let folders = workspace.packages().iter().map(|package| workspace.folder(package));
    let paths = folders.filter(|folder| !folder.starts_with("examples/")).map(|folder| folder + "/Cargo.toml");
    paths.filter_map(|path| check_manifest(&path, sources.text(&path)?)).collect()
}

fn check_manifest(path: &str, text: &str) -> Option<Finding> {
    let Ok(manifest) = text.parse::<toml::Table>() else { return Some(Finding::new(path, "not valid TOML")) };
    let inherits =
        |value: Option<&toml::Value>| value.and_then(|value| value.get("workspace")?.as_bool()) == Some(true);
    let license = manifest.get("package").and_then(|package| package.get("license"));
    if !inherits(license) && license.and_then(toml::Value::as_str) != Some(LICENSE) {
        return Some(Finding::new(path, format!("its license is not {LICENSE}: write `license.workspace = true`")));
    }
    let text = "does not inherit the workspace's lints: add `[lints]` with `workspace = true`";
    (!inherits(manifest.get("lints"))).then(|| Finding::new(path, text))
}

fn lines(path: &str, text: &str, words: &[&str], meaning: &str) -> Vec<Finding> {
    let found = text.lines().enumerate().filter_map(|(index, line)| {
        let word = words.iter().find(|word| line.contains(**word))?;
        Some(Finding::new(format!("{path}:{}", index + 1), format!("holds `{word}`, {meaning}")))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Findings about one file, next to a house that has all it must.
    fn of(path: &str, text: &str) -> Vec<Finding> {
        let house = HOUSE.iter().map(|path| (*path, "text"));
        check(&Sources::of(&house.chain([(path, text)]).collect::<Vec<_>>()))
    }

    #[test]
    fn personal_folders_are_found() {
        for folder in PERSONAL {
            let findings = of("docs/x.md", &format!("first line\nsee {folder}me/notes\n"));
            assert_eq!(findings.len(), 1, "{folder}");
            assert_eq!(findings[0].place, "docs/x.md:2");
        }
        assert_eq!(of("docs/x.md", "a workgroup's root/ and home/ are fine"), []);
    }

    #[test]
    fn unfinished_code_is_found() {
        for word in UNFINISHED {
            assert_eq!(of("src/lib.rs", &format!("//! Text.\nfn f() {{ {word}) }}\n")).len(), 1, "{word}");
        }
        assert_eq!(of("src/lib.rs", "//! Text.\nfn f() {}\n"), []);
    }

    #[test]
    fn a_file_without_a_charter_is_found() {
        assert_eq!(of("src/main.rs", "fn main() {}\n").len(), 1);
    }

    #[test]
    fn a_missing_or_empty_house_file_is_found() {
        assert_eq!(check(&Sources::of(&[])).len(), HOUSE.len());
        assert_eq!(of("LICENSE-MIT", " \n").len(), 1);
    }

    #[test]
    fn a_package_without_license_or_lints_is_found() {
        let good = "[package]\nlicense.workspace = true\n[lints]\nworkspace = true\n";
        assert_eq!(check_manifest("Cargo.toml", good), None);
        let unlicensed = good.replace("license.workspace = true", "license = \"GPL-3.0\"");
        assert!(check_manifest("Cargo.toml", &unlicensed).is_some());
        assert!(check_manifest("Cargo.toml", "[package]\nlicense.workspace = true\n").is_some());
        assert!(check_manifest("Cargo.toml", "[package").is_some());
    }
}
