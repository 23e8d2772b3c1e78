//! Which crate may depend on which.
//!
//! [`ARROWS`] is the drawing in `docs/ARCHITECTURE.md`, and the two are checked equal. It is drawn as sparsely as can
//! be: a crate may depend on whatever its arrows lead to, directly or by way of others. A cycle, and an arrow that does
//! not follow from the drawing, is a defect. Dependencies of tests alone may lead anywhere, but not in a circle.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::DependencyKind;

use super::Finding;
use crate::workspace::Workspace;

/// The drawing: a crate, and what it depends on.
const ARROWS: &[(&str, &[&str])] = &[
    ("samebit-spec", &[]),
    ("samebit-proof", &["samebit-spec"]),
    ("samebit-store", &["samebit-spec"]),
    ("samebit-net", &["samebit-store"]),
    ("samebit-wgsl", &[]),
    ("samebit-device", &["samebit-wgsl"]),
    ("samebit-gpu", &["samebit-device"]),
    ("samebit-reference", &["samebit-device"]),
    ("samebit-engine", &["samebit-device", "samebit-spec"]),
    ("samebit-runner", &["samebit-engine", "samebit-store", "samebit-proof"]),
    ("samebit", &["samebit-runner", "samebit-net", "samebit-gpu", "samebit-reference"]),
    ("samebit-guest-macros", &[]),
    ("samebit-guest", &["samebit-guest-macros"]),
];

/// All that a guest may depend on.
const GUESTS: &[&str] = &["samebit-guest"];

/// Where the drawing stands in the document.
const MARKER: &str = "<!-- arrows -->";

/// A package of the workspace and its dependencies within it.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    name: String,
    folder: String,
    depends: Vec<(String, DependencyKind)>,
}

/// The workspace's packages, as cargo sees them.
pub(crate) fn packages(workspace: &Workspace) -> Vec<Package> {
    let names = workspace.packages().iter().map(|package| package.name.as_str()).collect::<BTreeSet<_>>();
    let within = |package: &cargo_metadata::Package| {
        let inside = package.dependencies.iter().filter(|dependency| names.contains(dependency.name.as_str()));
        inside.map(|dependency| (dependency.name.clone(), dependency.kind)).collect()
    };
    let package = |package: &cargo_metadata::Package| Package {
        name: package.name.to_string(),
        folder: workspace.folder(package),
        depends: within(package),
    };
    workspace.packages().iter().map(package).collect()
}

/// Finds arrows that are not drawn, circles, and a document that draws otherwise.
pub(crate) fn check(packages: &[Package], document: Option<&str>) -> Vec<Finding> {
    let mut findings = packages.iter().flat_map(check_package).collect::<Vec<_>>();
    for (name, _) in ARROWS {
        if !packages.iter().any(|package| package.name == *name) {
            findings.push(Finding::new(*name, "is drawn, but there is no such package: take its arrows out"));
        }
    }
    if let Some(circle) = circle(packages) {
        findings.push(Finding::new(circle.join(" → "), "is a circle"));
    }
    let drawn = ARROWS.iter().map(|(from, to)| ((*from).to_owned(), to.iter().map(|to| (*to).to_owned()).collect()));
    if document.map(table) != Some(drawn.collect()) {
        let text = format!("its table after `{MARKER}` and ARROWS in xtask/src/tidy/arrows.rs differ: make them equal");
        findings.push(Finding::new("docs/ARCHITECTURE.md", text));
    }
    findings
}

fn check_package(package: &Package) -> Vec<Finding> {
    let Some(allowed) = allowed(package) else {
        let text = format!("{} has no arrows: draw them in xtask/src/tidy/arrows.rs", package.folder);
        return vec![Finding::new(&package.name, text)];
    };
    let arrows = package.depends.iter().filter(|(_, kind)| *kind != DependencyKind::Development);
    let undrawn = arrows.filter(|(to, _)| !allowed.contains(to.as_str()));
    undrawn.map(|(to, _)| Finding::new(&package.name, format!("depends on {to}, and no arrow leads there"))).collect()
}

/// All that a package may depend on; `None` if it is not drawn.
fn allowed(package: &Package) -> Option<BTreeSet<&'static str>> {
    if package.folder == "xtask" {
        return Some(ARROWS.iter().map(|(name, _)| *name).collect());
    }
    let is_guest = package.folder.starts_with("plugins/") || package.folder.starts_with("examples/");
    let direct = if is_guest { GUESTS } else { arrows_of(&package.name)? };
    let mut reached = BTreeSet::new();
    let mut open = direct.to_vec();
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(arrows_of(name).unwrap_or_default());
        }
    }
    Some(reached)
}

fn arrows_of(name: &str) -> Option<&'static [&'static str]> {
    ARROWS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to)
}

/// A circle among all dependencies, those of tests included.
fn circle(packages: &[Package]) -> Option<Vec<String>> {
    let mut left = packages.iter().map(|package| (package.name.as_str(), package)).collect::<BTreeMap<_, _>>();
    // A package that depends on nothing left can be in no circle. What cannot be taken away is circles, and what
    // depends on them.
    while let Some(name) = left.iter().find_map(|(name, package)| next(package, &left).is_none().then_some(*name)) {
        left.remove(name);
    }
    let mut path = vec![*left.first_key_value()?.0];
    loop {
        let to = next(left[path[path.len() - 1]], &left)?;
        if let Some(start) = path.iter().position(|name| *name == to) {
            path.push(to);
            return Some(path[start..].iter().map(|name| (*name).to_owned()).collect());
        }
        path.push(to);
    }
}

fn next<'a>(package: &'a Package, left: &BTreeMap<&str, &Package>) -> Option<&'a str> {
    package.depends.iter().map(|(to, _)| to.as_str()).find(|to| left.contains_key(to))
}

/// Reads the drawing: rows of a crate and what it depends on, each name in backquotes.
fn table(document: &str) -> BTreeMap<String, BTreeSet<String>> {
    let after = document.split_once(MARKER).map_or("", |(_, after)| after);
    let rows = after.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let names = |row: &str| row.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    rows.filter_map(|row| {
        let mut names = names(row).into_iter();
        Some((names.next()?, names.collect()))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The packages as drawn, and the document that draws them.
    fn drawn() -> (Vec<Package>, String) {
        let mut document = format!("{MARKER}\n\n| crate | depends on |\n|---|---|\n");
        let mut packages = Vec::new();
        for (from, to) in ARROWS {
            let to = to.iter().map(|to| format!("`{to}`")).collect::<Vec<_>>().join(", ");
            document += &format!("| `{from}` | {to} |\n");
            packages.push(package(from, "host/crates/x", arrows_of(from).expect("drawn")));
        }
        (packages, document)
    }

    fn package(name: &str, folder: &str, depends: &[&str]) -> Package {
        let depends = depends.iter().map(|to| ((*to).to_owned(), DependencyKind::Normal)).collect();
        Package { name: name.to_owned(), folder: folder.to_owned(), depends }
    }

    /// What is found when a package's dependencies are those given.
    fn with(changed: Package) -> Vec<Finding> {
        let (mut packages, document) = drawn();
        packages.retain(|package| package.name != changed.name);
        packages.push(changed);
        check(&packages, Some(&document))
    }

    #[test]
    fn the_drawing_itself_passes() {
        let (packages, document) = drawn();
        assert_eq!(check(&packages, Some(&document)), []);
    }

    #[test]
    fn an_arrow_may_skip_what_it_leads_through() {
        assert_eq!(with(package("samebit", "host", &["samebit-spec", "samebit-engine", "samebit-gpu"])), []);
    }

    #[test]
    fn an_undrawn_arrow_is_found() {
        let findings = with(package("samebit-runner", "host/crates/runner", &["samebit-gpu"]));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].text.contains("samebit-gpu"));
        let mut build = package("samebit-proof", "host/crates/proof", &["samebit-store"]);
        build.depends[0].1 = DependencyKind::Build;
        assert_eq!(with(build).len(), 1);
    }

    #[test]
    fn a_guest_reaches_nothing_of_the_host() {
        assert_eq!(with(package("plugin", "plugins/x", &["samebit-guest"])), []);
        assert_eq!(with(package("plugin", "plugins/x", &["samebit-spec"])).len(), 1);
        assert_eq!(with(package("example", "examples/x", &["samebit-engine"])).len(), 1);
        assert_eq!(with(package("samebit-guest", "guest-sdk", &["samebit-wgsl"])).len(), 1);
    }

    #[test]
    fn a_test_may_depend_on_anything_but_itself() {
        let mut tested = package("samebit-runner", "host/crates/runner", &["samebit-gpu"]);
        tested.depends[0].1 = DependencyKind::Development;
        assert_eq!(with(tested), []);
        let mut circular = package("samebit-spec", "host/crates/spec", &["samebit-runner"]);
        circular.depends[0].1 = DependencyKind::Development;
        let findings = with(circular);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].place.contains("samebit-spec → samebit-runner"), "{}", findings[0]);
    }

    #[test]
    fn a_package_that_is_not_drawn_or_not_there_is_found() {
        assert_eq!(with(package("samebit-extra", "host/crates/extra", &[])).len(), 1);
        let (mut packages, document) = drawn();
        packages.retain(|package| package.name != "samebit");
        assert_eq!(check(&packages, Some(&document)).len(), 1);
    }

    #[test]
    fn a_document_that_draws_otherwise_is_found() {
        let (packages, document) = drawn();
        let other = document.replace("| `samebit-gpu` | `samebit-device` |", "| `samebit-gpu` | `samebit-spec` |");
        assert_ne!(other, document);
        assert_eq!(check(&packages, Some(&other)).len(), 1);
        assert_eq!(check(&packages, None).len(), 1);
    }
}
