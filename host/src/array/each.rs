//! `--each`: what the jobs of an array are made of, one for each.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use samebit_runner::spec::{BlobRef, Name};

use crate::cli::files::read_bounded;
use crate::cli::job::hash_file;
use crate::error::Failure;

/// The most jobs in an array.
pub(crate) const JOBS_MAX: usize = 100_000;
/// The longest file of lines, in bytes.
const LINES_BYTES_MAX: usize = 64 << 20;
/// The input that a command reads as its standard input, which is meant where none is named.
const STDIN: &str = "stdin";

/// What there is a job for each of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Each {
    /// The files of a folder or the lines of a file, as this input.
    Input(Name, PathBuf),
    /// Integers, as the last argument.
    Numbers(RangeInclusive<i64>),
}

/// One job of an array: how it differs from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name, which is also one of a file: a file's, a line's number or the integer.
    pub(crate) label: String,
    /// What it has of its own.
    pub(crate) own: Own,
}

/// What one job of an array has of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Own {
    /// Nothing: it is the only one.
    Nothing,
    /// An argument after the others.
    Arg(String),
    /// A file as an input.
    File(PathBuf, BlobRef),
    /// Bytes as an input.
    Bytes(Arc<[u8]>, BlobRef),
}

impl Each {
    /// Reads `NAME=PATH`, `PATH`, `A..B` or `A..=B`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(numbers) = numbers(text) {
            return numbers;
        }
        let (name, path) = match text.split_once('=') {
            Some((name, path)) => (name.parse().map_err(|error| format!("{error}"))?, path),
            None => (Name::new(STDIN).map_err(|error| error.to_string())?, text),
        };
        if path.is_empty() {
            return Err("no folder, file or range is named: write NAME=DIR, NAME=FILE or A..B".to_owned());
        }
        Ok(Self::Input(name, path.into()))
    }

    /// The input that jobs differ in, if it is one.
    pub(crate) fn input(&self) -> Option<&Name> {
        match self {
            Self::Input(name, _) => Some(name),
            Self::Numbers(..) => None,
        }
    }

    /// The jobs. Reads and hashes files, which takes time.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, Failure> {
        match self {
            Self::Numbers(range) => Ok(range.clone().map(Entry::number).collect()),
            Self::Input(_, path) if path.is_dir() => folder(path),
            Self::Input(_, path) => lines(path),
        }
    }
}

impl Entry {
    fn number(number: i64) -> Self {
        let label = number.to_string();
        Self { own: Own::Arg(label.clone()), label }
    }

    /// The only job of an array that is one job at several hosts.
    pub(crate) fn only() -> Self {
        Self { label: "job".to_owned(), own: Own::Nothing }
    }
}

impl Own {
    /// The input, if it is one.
    pub(crate) fn input(&self) -> Option<BlobRef> {
        match self {
            Self::File(_, blob) | Self::Bytes(_, blob) => Some(*blob),
            Self::Nothing | Self::Arg(_) => None,
        }
    }
}

/// A range of integers, if that is what the text looks like.
fn numbers(text: &str) -> Option<Result<Each, String>> {
    let (first, last) = text.split_once("..")?;
    let (last, with_last) = last.strip_prefix('=').map_or((last, 0), |last| (last, 1_i64));
    let (first, last) = (first.parse::<i64>().ok()?, last.parse::<i64>().ok()?);
    let count = i128::from(last) - i128::from(first) + i128::from(with_last);
    Some(if count <= 0 {
        Err(format!("the range {text} is empty: write the smaller number first"))
    } else if count > JOBS_MAX as i128 {
        Err(format!("the range {text} has {count} numbers: an array has at most {JOBS_MAX} jobs"))
    } else {
        // Not empty, so that there is a number before the last.
        Ok(Each::Numbers(first..=last - 1 + with_last))
    })
}

fn folder(path: &Path) -> Result<Vec<Entry>, Failure> {
    let failed = |why: String| Failure::usage("each", format!("the folder {} cannot be used: {why}", path.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| failed(error.to_string()))? {
        let entry = entry.map_err(|error| failed(error.to_string()))?;
        let file = entry.path();
        // Through links: what they lead to is what is read.
        if !std::fs::metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        let label = entry.file_name().into_string();
        let label = label.map_err(|name| failed(format!("the name of {} is not UTF-8", name.display())))?;
        if files.len() == JOBS_MAX {
            return Err(failed(format!("it has more files than the {JOBS_MAX} jobs of an array")));
        }
        files.push((label, file));
    }
    if files.is_empty() {
        return Err(failed("there is no file in it".to_owned()));
    }
    files.sort();
    let entry = |(label, file): (String, PathBuf)| match hash_file(&file) {
        Ok(blob) => Ok(Entry { label, own: Own::File(file, blob) }),
        Err(error) => Err(failed(format!("{} cannot be read: {error}", file.display()))),
    };
    files.into_iter().map(entry).collect()
}

fn lines(path: &Path) -> Result<Vec<Entry>, Failure> {
    let failed = |why: String| Failure::usage("each", format!("the file {} cannot be used: {why}", path.display()));
    let bytes = read_bounded(path, LINES_BYTES_MAX).map_err(|error| failed(error.to_string()))?;
    if bytes.len() > LINES_BYTES_MAX {
        return Err(failed(format!("it is longer than {LINES_BYTES_MAX} bytes")));
    }
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let lines = (1_usize..).zip(lines).filter(|(_, line)| !line.is_empty());
    let entry = |(number, line): (usize, &[u8])| Entry {
        label: number.to_string(),
        own: Own::Bytes(line.into(), BlobRef::of(line)),
    };
    let entries = lines.take(JOBS_MAX + 1).map(entry).collect::<Vec<_>>();
    match entries.len() {
        0 => Err(failed("there is no line in it".to_owned())),
        1..=JOBS_MAX => Ok(entries),
        _ => Err(failed(format!("it has more lines than the {JOBS_MAX} jobs of an array"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.label.as_str()).collect()
    }

    #[test]
    fn ranges_are_ranges_and_all_else_is_a_path() {
        assert_eq!(Each::parse("0..3"), Ok(Each::Numbers(0..=2)));
        assert_eq!(Each::parse("-1..=1"), Ok(Each::Numbers(-1..=1)));
        let stdin = Name::new("stdin").expect("a name");
        assert_eq!(Each::parse("photos"), Ok(Each::Input(stdin.clone(), "photos".into())));
        assert_eq!(Each::parse("../x"), Ok(Each::Input(stdin, "../x".into())));
        let image = Name::new("image").expect("a name");
        assert_eq!(Each::parse("image=a=b"), Ok(Each::Input(image, "a=b".into())));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, wanted) in [
            ("5..5", "empty"),
            ("5..4", "empty"),
            ("-9223372036854775808..9223372036854775807", "at most 100000"),
            ("0..=100000", "at most 100000"),
            ("image=", "NAME=DIR"),
            ("a b=x", "not a name"),
        ] {
            let error = Each::parse(text).expect_err(text);
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn the_last_integer_is_reached() {
        let each = Each::parse("9223372036854775806..=9223372036854775807").expect("a range");
        assert_eq!(labels(&each.entries().expect("two")), ["9223372036854775806", "9223372036854775807"]);
    }

    #[test]
    fn a_folder_gives_its_files_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b", "a.png", "c"] {
            std::fs::write(folder.path().join(name), name).expect("written");
        }
        std::fs::create_dir(folder.path().join("d")).expect("made");
        let each = Each::parse(folder.path().to_str().expect("text")).expect("a path");
        let entries = each.entries().expect("entries");
        assert_eq!(labels(&entries), ["a.png", "b", "c"]);
        assert_eq!(entries[1].own.input(), Some(BlobRef::of(b"b")));
        let empty = Each::Input(Name::new("x").expect("a name"), folder.path().join("d"));
        assert!(empty.entries().expect_err("empty").message().contains("no file"));
    }

    #[test]
    fn a_file_gives_its_lines_by_number_without_the_empty_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines");
        std::fs::write(&path, "one\n\ntwo\r\n").expect("written");
        let each = Each::Input(Name::new("x").expect("a name"), path.clone());
        let entries = each.entries().expect("entries");
        assert_eq!(labels(&entries), ["1", "3"]);
        assert_eq!(entries[1].own.input(), Some(BlobRef::of(b"two")));
        std::fs::write(&path, "x\n".repeat(JOBS_MAX + 1)).expect("written");
        assert!(each.entries().expect_err("too many").message().contains("100000"));
    }
}
