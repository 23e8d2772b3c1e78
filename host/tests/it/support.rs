//! A folder to work in, and the program to work with.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Where jobs run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum On {
    /// Nothing is said: exactly, on the CPU.
    Default,
    /// On a GPU, or what stands in for one.
    Gpu,
    /// Exactly, on a GPU, and verified on the CPU.
    GpuExactly,
}

/// A temporary folder that holds files and stores.
pub(crate) struct Desk {
    folder: TempDir,
    on: On,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Done {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::on(On::Default)
    }

    /// A folder whose jobs run somewhere else.
    pub(crate) fn on(on: On) -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), on }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("writable");
        path
    }

    /// Writes a module from WebAssembly text.
    pub(crate) fn module(&self, name: &str, text: &str) -> PathBuf {
        self.file(name, wat::parse_str(text).expect("valid text"))
    }

    /// The program, in this folder and with the store of this name.
    pub(crate) fn command(&self, store: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_samebit"));
        command.current_dir(self.folder.path()).args(["--store", store]).args(args);
        match (self.on, args.first()) {
            (On::Gpu, Some(&"run")) => drop(command.args(["--device", "gpu", "--profile", "native"])),
            (On::GpuExactly, Some(&"run")) => drop(command.args(["--device", "gpu"])),
            (On::Gpu, Some(&"verify")) => drop(command.args(["--device", "gpu"])),
            _ => {}
        }
        command.env_remove("SAMEBIT_STORE").env_remove("SAMEBIT_LOG").stdin(Stdio::null());
        command
    }

    pub(crate) fn samebit(&self, store: &str, args: &[&str]) -> Done {
        Done::of(self.command(store, args).output().expect("the program starts"))
    }

    /// The same with `--json`: the value it prints.
    pub(crate) fn json(&self, store: &str, args: &[&str]) -> (i32, Value) {
        let done = self.samebit(store, &[args, &["--json"]].concat());
        let value = serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("no JSON: {error}: {done:?}"));
        (done.code, value)
    }

    /// Starts the program and does not wait for it.
    pub(crate) fn start(&self, store: &str, args: &[&str]) -> Child {
        let mut command = self.command(store, args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    }

    /// The names in a folder, hidden ones too.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Flips one bit in a file.
    pub(crate) fn flip(&self, name: &str, at: usize) {
        let path = self.path(name);
        let mut bytes = std::fs::read(&path).expect("readable");
        bytes[at] ^= 1;
        std::fs::write(path, bytes).expect("writable");
    }
}

impl Done {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails the test unless the exit code is this one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Fails the test unless standard output or error has all these texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stdout.contains(text) || self.stderr.contains(text), "`{text}` is not said: {self:#?}");
        }
        self
    }
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("host/ has a parent")
}

/// The shared target folder.
pub(crate) fn target() -> PathBuf {
    let exe = Path::new(env!("CARGO_BIN_EXE_samebit"));
    exe.parent().and_then(Path::parent).expect("target/PROFILE/samebit").to_owned()
}

/// A module that `cargo xtask plugins` has built.
#[track_caller]
pub(crate) fn plugin(name: &str) -> String {
    let path = target().join("plugins").join(name);
    assert!(path.is_file(), "{} is missing: run `cargo xtask plugins` first", path.display());
    path.to_string_lossy().into_owned()
}
