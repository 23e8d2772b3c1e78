//! Where everything lies in a store's folder, and whether a folder is a store at all.
//!
//! ```text
//! format            which version of this layout the folder follows
//! lock              locked by the process that has the store open
//! index/            iroh-blobs: blobs.db, hash trees and fetched blobs in data/, its own temp/
//! files/HASH        the bytes of a blob that the store owns
//! references/HASH   the path of a blob that is somebody else's file
//! scratch/          work in progress; emptied whenever the store is opened
//! recent            when blobs were used last, if the store has a quota
//! ```
//!
//! `files` and `references` exist because iroh-blobs can neither take over a file without copying it, nor say where a
//! file is that it refers to. Both are found by hash alone, so that they need no transaction with the index.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use samebit_spec::Hash;

use crate::books::Held;

/// The text of the format file.
const FORMAT: &str = "samebit store 1\n";
/// More than any version of the format file will need.
const FORMAT_BYTES_MAX: u64 = 256;
/// What may lie in a folder whose making was interrupted before the format file was there.
const BEFORE_FORMAT: [&str; 2] = ["lock", "format.new"];
/// What iroh-blobs calls the files of a blob: its bytes, its hash tree, and what of an incomplete one is here.
const INDEX_PARTS: [&str; 4] = ["data", "obao4", "sizes4", "bitfield"];
/// That of the sizes, which only an incomplete blob has.
const SIZES_PART: &str = "sizes4";

/// The paths of one store.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The store's folder, absolute.
    pub(crate) root: PathBuf,
    /// iroh-blobs' folder.
    pub(crate) index: PathBuf,
    /// Work in progress.
    pub(crate) scratch: PathBuf,
}

/// What a folder is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A store that this version reads.
    Store,
    /// Nothing yet.
    Empty,
    /// Something else.
    Foreign,
    /// A store of another version, with the text of its format file.
    Unknown(String),
}

impl Layout {
    /// The layout of a store in `root`, which must be absolute.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { index: root.join("index"), scratch: root.join("scratch"), root }
    }

    /// The lock file.
    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// iroh-blobs' database.
    pub(crate) fn database(&self) -> PathBuf {
        self.index.join("blobs.db")
    }

    /// Where the bytes of a blob of the store's own are.
    pub(crate) fn file(&self, hash: &Hash) -> PathBuf {
        self.root.join("files").join(hash.to_string())
    }

    /// Where iroh-blobs puts the bytes of a blob that it fetched.
    pub(crate) fn fetched(&self, hash: &Hash) -> PathBuf {
        self.index.join("data").join(format!("{hash}.data"))
    }

    /// Where the path of a referenced blob is noted.
    pub(crate) fn reference(&self, hash: &Hash) -> PathBuf {
        self.root.join("references").join(hash.to_string())
    }

    /// Where it is noted when blobs were used last.
    pub(crate) fn recent(&self) -> PathBuf {
        self.root.join("recent")
    }

    /// Every file that a blob of this hash may have in the store.
    pub(crate) fn parts(&self, hash: &Hash) -> Vec<PathBuf> {
        let index = INDEX_PARTS.iter().map(|part| self.index.join("data").join(format!("{hash}.{part}")));
        index.chain([self.file(hash), self.reference(hash)]).collect()
    }

    /// How much a blob's files take, in bytes, and whether only a part of it is here.
    pub(crate) fn weigh(&self, hash: &Hash) -> (u64, bool) {
        let sizes = self.index.join("data").join(format!("{hash}.{SIZES_PART}"));
        let parts = self.parts(hash);
        let bytes = parts.iter().filter_map(|part| fs::metadata(part).ok()).map(|metadata| metadata.len()).sum();
        (bytes, sizes.exists())
    }

    /// All blobs that have files here, each as used when its last file was written.
    pub(crate) fn scan(&self) -> io::Result<HashMap<Hash, Held>> {
        let mut found = HashMap::<Hash, Held>::new();
        for folder in [self.root.join("files"), self.root.join("references"), self.index.join("data")] {
            let entries = match fs::read_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                let (hash, part) = name.split_once('.').unwrap_or((name, ""));
                // What is no blob's is nothing of ours.
                let Ok(hash) = hash.parse::<Hash>() else { continue };
                let metadata = entry.metadata()?;
                let held = found.entry(hash).or_default();
                held.bytes += metadata.len();
                held.incomplete |= part == SIZES_PART;
                held.used_ms = held.used_ms.max(written_ms(&metadata));
            }
        }
        Ok(found)
    }

    fn format(&self) -> PathBuf {
        self.root.join("format")
    }

    /// Makes the store's folder, for its owner alone, if there is none.
    pub(crate) fn create_root(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.root)
    }

    /// Says what the folder is. Writes nothing, so that a mistyped path is left as it was.
    pub(crate) fn kind(&self) -> io::Result<Kind> {
        match File::open(self.format()) {
            Ok(file) => {
                let mut text = Vec::new();
                file.take(FORMAT_BYTES_MAX).read_to_end(&mut text)?;
                let text = String::from_utf8_lossy(&text);
                Ok(if text == FORMAT { Kind::Store } else { Kind::Unknown(text.trim().to_owned()) })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                for entry in fs::read_dir(&self.root)? {
                    let name = entry?.file_name();
                    if !BEFORE_FORMAT.iter().any(|known| name == *known) {
                        // Unless another process made the store between the two looks.
                        return if self.format().try_exists()? { self.kind() } else { Ok(Kind::Foreign) };
                    }
                }
                Ok(Kind::Empty)
            }
            Err(error) => Err(error),
        }
    }

    /// Marks an empty folder as a store. The format file comes into being whole or not at all.
    pub(crate) fn mark(&self) -> io::Result<()> {
        let new = self.root.join("format.new");
        let mut file = File::create(&new)?;
        file.write_all(FORMAT.as_bytes())?;
        file.sync_all()?;
        fs::rename(new, self.format())
    }

    /// Makes the folders, and removes what dead processes left half done. Only for the holder of the lock.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        for folder in ["files", "references", "scratch", "index"] {
            fs::create_dir_all(self.root.join(folder))?;
        }
        empty_folder(&self.scratch)?;
        empty_folder(&self.index.join("temp"))
    }
}

fn written_ms(metadata: &Metadata) -> u64 {
    let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let since = written.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Removes all that a folder contains, symbolic links themselves and not what they lead to.
fn empty_folder(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
