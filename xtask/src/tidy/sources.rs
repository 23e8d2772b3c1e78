//! The repository's texts, by path.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Folders that hold what a build made.
const BUILT: [&str; 2] = ["target", "node_modules"];
/// Hidden folders that hold sources nevertheless.
const HIDDEN: [&str; 3] = [".cargo", ".ci", ".config"];
/// The file that says where a linked worktree's repository is.
const WORKTREE: &str = ".git";

/// Every file of the repository that is text, by its path with forward slashes.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    texts: BTreeMap<String, String>,
}

impl Sources {
    /// Reads the files under a folder. Those that are not UTF-8 are left out.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let mut sources = Self::default();
        sources.add_folder(root, "")?;
        Ok(sources)
    }

    /// Texts given by path, for tests.
    #[cfg(test)]
    pub(crate) fn of(texts: &[(&str, &str)]) -> Self {
        Self { texts: texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// A file's text, if there is one.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Every file, sorted by path.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every Rust file.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(path, _)| path.ends_with(".rs"))
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be listed", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type()?;
            let is_wanted =
                !BUILT.contains(&name.as_str()) && (!name.starts_with('.') || HIDDEN.contains(&name.as_str()));
            if kind.is_dir() && is_wanted {
                self.add_folder(&entry.path(), &format!("{prefix}{name}/"))?;
            } else if kind.is_file() && name != WORKTREE {
                let bytes = fs::read(entry.path()).with_context(|| format!("{prefix}{name} cannot be read"))?;
                if let Ok(text) = String::from_utf8(bytes) {
                    self.texts.insert(format!("{prefix}{name}"), text);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_and_hidden_files_are_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in ["target/a.rs", ".git/b.rs", ".ci/run", "src/c.rs"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, "text").expect("written");
        }
        let sources = Sources::load(folder.path()).expect("loaded");
        assert_eq!(sources.all().map(|(path, _)| path).collect::<Vec<_>>(), [".ci/run", "src/c.rs"]);
    }
}
