//! The files of a new job: the example `hello-job` under another name, and the guest SDK it stands on.
//!
//! All of it is compiled into this program from its places in the repository, and the manifests are derived from
//! those there, so that a new job is built from what this version was tested with.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use thiserror::Error;
use toml::{Table, Value};

static EXAMPLE_SRC: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../examples/hello-job/src");
static EXAMPLE_KERNELS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../examples/hello-job/kernels");
const EXAMPLE_MANIFEST: &str = include_str!("../../../examples/hello-job/Cargo.toml");
const EXAMPLE_README: &str = include_str!("../../../examples/hello-job/README.md");
const EXAMPLE_NAME: &str = "samebit-example-hello-job";
static SDK_SRC: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/src");
static MACROS_SRC: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/macros/src");
static WIT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../wit");
const SDK_MANIFEST: &str = include_str!("../../../guest-sdk/Cargo.toml");
const MACROS_MANIFEST: &str = include_str!("../../../guest-sdk/macros/Cargo.toml");
const WORKSPACE_MANIFEST: &str = include_str!("../../../Cargo.toml");
const WORKSPACE_LOCK: &str = include_str!("../../../Cargo.lock");

/// Where the SDK lies in a job.
const SDK: &str = "vendor/samebit-guest";

/// The template itself is broken, which a test would have seen.
#[derive(Debug, Error)]
#[error("the template is broken: {0}")]
pub(crate) struct TemplateError(String);

impl From<toml::de::Error> for TemplateError {
    fn from(error: toml::de::Error) -> Self {
        Self(error.to_string())
    }
}

/// Every file of a job of this name, by its path in the job's folder.
pub(crate) fn files(name: &str) -> Result<BTreeMap<PathBuf, Vec<u8>>, TemplateError> {
    let mut files = BTreeMap::new();
    add(&mut files, "src", &EXAMPLE_SRC);
    add(&mut files, "kernels", &EXAMPLE_KERNELS);
    add(&mut files, &format!("{SDK}/src"), &SDK_SRC);
    add(&mut files, &format!("{SDK}/macros/src"), &MACROS_SRC);
    add(&mut files, "vendor/wit", &WIT);
    let mut put = |path: &str, text: String| files.insert(PathBuf::from(path), text.into_bytes());
    put("Cargo.toml", job_manifest(name)?);
    put("Cargo.lock", lock(name)?);
    put("README.md", renamed(EXAMPLE_README, name));
    put(".gitignore", "/target\n".to_owned());
    put(&format!("{SDK}/Cargo.toml"), vendored(SDK_MANIFEST, &[("samebit-guest-macros", "macros")])?);
    put(&format!("{SDK}/macros/Cargo.toml"), vendored(MACROS_MANIFEST, &[])?);
    Ok(files)
}

fn add(files: &mut BTreeMap<PathBuf, Vec<u8>>, to: &str, dir: &Dir<'_>) {
    for file in dir.files() {
        files.insert(Path::new(to).join(file.path()), file.contents().to_owned());
    }
    for dir in dir.dirs() {
        add(files, to, dir);
    }
}

/// The example's name, as a package's and as a module's, becomes the job's.
fn renamed(text: &str, name: &str) -> String {
    text.replace(EXAMPLE_NAME, name).replace(&EXAMPLE_NAME.replace('-', "_"), &name.replace('-', "_"))
}

fn job_manifest(name: &str) -> Result<String, TemplateError> {
    let text = renamed(EXAMPLE_MANIFEST, name).replace("../../guest-sdk", SDK);
    let dependencies = text.parse::<Table>()?.remove("dependencies");
    let sdk = dependencies.as_ref().and_then(|table| table.get("samebit-guest")?.get("path")?.as_str());
    if sdk != Some(SDK) {
        return Err(TemplateError("the example does not depend on the SDK by its path".to_owned()));
    }
    Ok(format!("{text}\n# A workspace of its own, wherever the folder lies.\n[workspace]\n"))
}

/// A member's manifest without its workspace: what it inherits is written out.
fn vendored(manifest: &str, local: &[(&str, &str)]) -> Result<String, TemplateError> {
    let mut workspace = WORKSPACE_MANIFEST.parse::<Table>()?;
    let workspace = workspace.remove("workspace").unwrap_or(Value::Boolean(false));
    let inherited = |section: &str, key: &str| {
        let value = workspace.get(section).and_then(|table| table.get(key)).cloned();
        value.ok_or_else(|| TemplateError(format!("the workspace has no {section}.{key}")))
    };
    let mut manifest = manifest.parse::<Table>()?;
    manifest.remove("lints");
    manifest.remove("dev-dependencies");
    for (key, value) in table(&mut manifest, "package")? {
        if is_inherited(value) {
            *value = inherited("package", key)?;
        }
    }
    for (key, value) in table(&mut manifest, "dependencies")? {
        if let Some((_, path)) = local.iter().find(|(name, _)| *name == key) {
            *value = Value::Table(Table::from_iter([("path".to_owned(), (*path).into())]));
        } else if is_inherited(value) {
            *value = merged(inherited("dependencies", key)?, value);
        }
    }
    Ok(manifest.to_string())
}

fn table<'a>(manifest: &'a mut Table, name: &str) -> Result<toml::map::IterMut<'a, String, Value>, TemplateError> {
    let table = manifest.get_mut(name).and_then(Value::as_table_mut);
    Ok(table.ok_or_else(|| TemplateError(format!("a manifest has no {name}")))?.iter_mut())
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// The workspace's dependency with the features that the member adds.
fn merged(inherited: Value, member: &Value) -> Value {
    let Some(added) = member.get("features").and_then(Value::as_array) else { return inherited };
    let mut table = match inherited {
        Value::Table(table) => table,
        version => Table::from_iter([("version".to_owned(), version)]),
    };
    let features = table.entry("features").or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(features) = features {
        features.extend(added.iter().cloned());
    }
    Value::Table(table)
}

/// The part of the workspace's lock file that a job needs, so that it is built from the versions this was tested with.
fn lock(name: &str) -> Result<String, TemplateError> {
    let lock = WORKSPACE_LOCK.parse::<Table>()?;
    let packages = lock.get("package").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |package: &Value, key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut wanted = VecDeque::from([EXAMPLE_NAME.to_owned()]);
    let mut seen = BTreeSet::new();
    while let Some(dependency) = wanted.pop_front() {
        // `name`, or `name version` where there are several.
        let (name, version) = dependency.split_once(' ').unwrap_or((&dependency, ""));
        for (index, package) in packages.iter().enumerate() {
            let is_meant = text(package, "name") == name && (version.is_empty() || version == text(package, "version"));
            if is_meant && seen.insert(index) {
                let dependencies = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
                wanted.extend(dependencies.filter_map(Value::as_str).map(str::to_owned));
            }
        }
    }
    let mut kept: Vec<Value> = seen.into_iter().map(|index| packages[index].clone()).collect();
    for package in &mut kept {
        if text(package, "name") == EXAMPLE_NAME
            && let Some(package) = package.as_table_mut()
        {
            package.insert("name".to_owned(), name.into());
        }
    }
    let version = lock.get("version").cloned().unwrap_or(Value::Integer(4));
    let lock = Table::from_iter([("version".to_owned(), version), ("package".to_owned(), Value::Array(kept))]);
    Ok(lock.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(files: &BTreeMap<PathBuf, Vec<u8>>, path: &str) -> String {
        String::from_utf8(files.get(Path::new(path)).unwrap_or_else(|| panic!("{path} is missing")).clone())
            .expect(path)
    }

    #[test]
    fn a_job_stands_on_its_own() {
        let files = files("my-job").expect("a template");
        for path in ["Cargo.toml", "vendor/samebit-guest/Cargo.toml", "vendor/samebit-guest/macros/Cargo.toml"] {
            let manifest = text(&files, path);
            assert!(!manifest.contains("workspace = true"), "{path} still inherits: {manifest}");
            assert!(!manifest.contains(".."), "{path} leads out of the job: {manifest}");
            manifest.parse::<Table>().expect(path);
        }
        for path in ["src/lib.rs", "README.md", "vendor/wit/world.wit", "vendor/wit/deps/io.wit", ".gitignore"] {
            assert!(!text(&files, path).is_empty(), "{path}");
        }
        assert!(text(&files, "Cargo.toml").contains("name = \"my-job\""));
        assert!(text(&files, "README.md").contains("my_job.wasm"));
        assert!(!files.values().any(|content| String::from_utf8_lossy(content).contains(EXAMPLE_NAME)));
    }

    #[test]
    fn the_lock_file_holds_what_a_job_needs_and_no_more() {
        let lock = lock("my-job").expect("a lock file");
        for name in ["my-job", "samebit-guest", "samebit-guest-macros", "wit-bindgen", "naga"] {
            assert!(lock.contains(&format!("name = \"{name}\"\n")), "{name} is missing");
        }
        for name in ["iroh-blobs", "wgpu", "wasmtime", "tokio"] {
            assert!(!lock.contains(&format!("name = \"{name}\"\n")), "{name} is not needed");
        }
    }
}
