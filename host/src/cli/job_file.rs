//! `job.toml`: a job written down. Paths in it are relative to the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use samebit_runner::spec::{Hash, Name, Profile, Tolerance, ToleranceError};
use serde::Deserialize;

use crate::cli::limits::LimitArgs;
use crate::error::Failure;

/// More than any job file has: jobs take 64 KiB of arguments.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where a module or input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file.
    File(PathBuf),
    /// A blob of the store.
    Blob(Hash),
}

/// A tolerance as a user writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct ToleranceText(Tolerance);

impl TryFrom<String> for ToleranceText {
    type Error = ToleranceError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

/// A job file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobFile {
    /// A path, or the hash of a blob in the store.
    module: String,
    /// Arguments for the guest.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Name → path or hash.
    #[serde(default)]
    inputs: BTreeMap<Name, String>,
    /// Limits that differ from the defaults.
    #[serde(default)]
    pub(crate) limits: LimitArgs,
    /// The profile.
    pub(crate) profile: Option<Profile>,
    /// Output → tolerance.
    #[serde(default)]
    tolerances: BTreeMap<Name, ToleranceText>,
    #[serde(skip)]
    folder: PathBuf,
}

impl JobFile {
    /// Reads and checks a job file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let failed = |why: &dyn std::fmt::Display| {
            Failure::usage("job-file", format!("the job file {} cannot be read: {why}", path.display()))
        };
        let size = std::fs::metadata(path).map_err(|error| failed(&error))?.len();
        if size > FILE_BYTES_MAX {
            return Err(failed(&format_args!("it has {size} bytes, at most {FILE_BYTES_MAX} are allowed")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
        let mut file: Self = toml::from_str(&text).map_err(|error| {
            Failure::usage("job-file", format!("the job file {} is not valid: {error}", path.display()))
        })?;
        file.folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(file)
    }

    /// The module.
    pub(crate) fn module(&self) -> Source {
        source(&self.module, &self.folder)
    }

    /// The tolerances.
    pub(crate) fn tolerances(&self) -> BTreeMap<Name, Tolerance> {
        self.tolerances.iter().map(|(name, ToleranceText(tolerance))| (name.clone(), *tolerance)).collect()
    }

    /// The inputs.
    pub(crate) fn inputs(&self) -> BTreeMap<Name, Source> {
        self.inputs.iter().map(|(name, text)| (name.clone(), source(text, &self.folder))).collect()
    }
}

/// What a text stands for: a file of that name, else the blob of that hash, else a file that is missing.
pub(crate) fn source(text: &str, folder: &Path) -> Source {
    let path = folder.join(text);
    match text.parse() {
        Ok(hash) if !path.exists() => Source::Blob(hash),
        _ => Source::File(path),
    }
}

/// True if a path is a job file's.
pub(crate) fn is_job_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<JobFile, Failure> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("job.toml");
        std::fs::write(&path, text).expect("written");
        JobFile::read(&path)
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("job.toml");
        std::fs::write(
            &path,
            "module = 'm.wasm'\ninputs.a = '../a'\nlimits = { fuel = '1k', gpu-memory = 4 }\ntolerances.c = 'ulp:4'",
        )
        .expect("written");
        let file = JobFile::read(&path).expect("valid");
        assert_eq!(file.module(), Source::File(folder.path().join("m.wasm")));
        assert_eq!(file.tolerances().into_values().collect::<Vec<_>>(), [Tolerance::Ulp(4)]);
        assert_eq!(file.inputs().into_values().collect::<Vec<_>>(), [Source::File(folder.path().join("../a"))]);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, wanted) in [
            ("module = 'm'\nmodul = 'x'", ["line 2", "modul"]),
            ("module = 'm'\n[limits]\nfule = 1", ["line 3", "fule"]),
            ("module = 'm'\n[limits]\nmemory = '1kB'", ["line 3", "expected bytes"]),
            ("module = 'm'\nlimits.fuel = -1", ["line 2", "-1"]),
            ("module = 'm'\n\n[inputs]\n'../x' = 'x'", ["line 4", "not a name"]),
            ("module = 'm'\nprofile = 'fast'", ["line 2", "fast"]),
            ("module = 'm'\n[tolerances]\nc = 'ulp:x'", ["line 3", "not a tolerance"]),
            ("module = 'm'\ntolerances.c = 'relative:2'", ["line 2", "from 0 to below 1"]),
            ("args = []", ["module", "missing"]),
        ] {
            let message = read(text).expect_err(text).message().to_owned();
            assert!(wanted.iter().all(|wanted| message.contains(wanted)), "{text:?} gave {message}");
        }
    }
}
