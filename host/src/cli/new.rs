//! `samebit new`.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::{files, template};
use crate::error::{Exit, Failure};
use crate::output::Output;

const AFTER: &str = "\
The job is a crate of its own with the guest SDK beside it in `vendor/`, so that it needs nothing
of this program to be built. Nothing is downloaded; the first `cargo build` fetches the SDK's
dependencies from crates.io.

Exit codes:
  0    the job was made
  2    the name cannot be a crate's, or the folder is not empty
  3    the folder cannot be written to

Examples:
  samebit new my-job
  cd my-job && cargo test && samebit build";

/// Arguments of `samebit new`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The name of the crate: lower-case letters, digits, `-` and `_`, starting with a letter
    #[arg(value_parser = name)]
    name: String,
    /// Where to make it [default: a folder of the job's name]
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let folder = args.path.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let files =
        template::files(&args.name).map_err(|error| Failure::host("bug", format!("{error}; please report it")))?;
    refuse_used(&folder)?;
    for (path, content) in &files {
        files::write_whole(&folder.join(path), content)?;
    }
    output.answer(
        || json!({ "name": args.name, "path": folder.display().to_string(), "files": files.len() }),
        |text| {
            text.line(&format!("made the job `{}` in {}", args.name, folder.display()));
            text.line(&format!("next: cd {} && cargo test && samebit build", folder.display()));
        },
    );
    Ok(Exit::Ok)
}

fn refuse_used(folder: &PathBuf) -> Result<(), Failure> {
    let refuse = |why: &str| {
        let why = format!("a job cannot be made in {}: {why}; name another folder with --path", folder.display());
        Err(Failure::usage("output", why))
    };
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            Some(_) => refuse("it is not empty"),
            None => Ok(()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => refuse(&error.to_string()),
    }
}

/// Crates that a job depends on, words of the language, and what cargo uses for folders.
const RESERVED: [&str; 13] = [
    "build",
    "core",
    "crate",
    "deps",
    "examples",
    "incremental",
    "mod",
    "samebit-guest",
    "self",
    "std",
    "super",
    "test",
    "type",
];

fn name(text: &str) -> Result<String, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
    if !is_plain || text.len() > 64 || !text.starts_with(|char: char| char.is_ascii_lowercase()) {
        return Err("a name has 1 to 64 lower-case letters, digits, `-` and `_`, and starts with a letter".to_owned());
    }
    if RESERVED.contains(&text) || text.starts_with("samebit-guest") {
        return Err("this name is taken: choose another".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_crates() {
        for text in ["a", "my-job", "blur_2"] {
            assert_eq!(name(text).as_deref(), Ok(text));
        }
        for text in ["", "2d", "My-Job", "a/b", "../a", "a b", "é", "-a", "std", "samebit-guest", &"a".repeat(65)] {
            name(text).expect_err(text);
        }
    }

    #[test]
    fn a_folder_in_use_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        refuse_used(&folder.path().to_owned()).expect("empty");
        refuse_used(&folder.path().join("none")).expect("absent");
        std::fs::write(folder.path().join("x"), "").expect("written");
        refuse_used(&folder.path().to_owned()).expect_err("used");
        refuse_used(&folder.path().join("x")).expect_err("a file");
    }
}
