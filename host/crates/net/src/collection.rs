//! Collections: several blobs under names, in the form that iroh's other programs use (`sendme` among them).
//!
//! A collection is a blob that lists hashes. The first is of a blob with the names; the others are the members. What a
//! stranger's collection says is bounded and its names are checked here, since they become paths.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use iroh_blobs::format::collection::{Collection, CollectionMeta};
use iroh_blobs::hashseq::HashSeq;
use samebit_spec::{BlobRef, Hash};
use samebit_store::{Blob, ImportError, Pin, ReadError, Store};
use thiserror::Error;

use crate::message::Provider;
use crate::{FetchError, Fetcher, Node, Wish};

/// The most members of a collection that is listed here.
pub const MEMBERS_MAX: usize = 4096;
/// The longest list, and the longest blob of names, in bytes.
const LIST_BYTES_MAX: u64 = 1 << 20;
/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 1024;
/// Characters that a path cannot have on one system or another, or that lead elsewhere.
const FORBIDDEN: [char; 8] = ['\\', ':', '*', '?', '"', '<', '>', '|'];
/// The longest part of a name between slashes, in bytes.
const PART_BYTES_MAX: usize = 255;
/// Names that Windows takes for devices, in every folder and with any extension.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// The same, before one digit. It takes superscript ones for digits as well.
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];

/// A collection that was made here.
#[derive(Debug)]
pub struct Packed {
    /// The list, by which the collection is known.
    pub list: BlobRef,
    /// The blob of names.
    pub names: BlobRef,
    /// Keeps both.
    pub pins: [Pin; 2],
}

/// A member of somebody's collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name as a relative path that leads nowhere but down.
    pub path: PathBuf,
    /// Its hash.
    pub hash: Hash,
}

/// Why a collection cannot be listed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListError {
    /// The list or the names could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// They could not be read back.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// They are no collection.
    #[error("not a collection: {0}")]
    Malformed(&'static str),
    /// A name is no relative path that leads down.
    #[error("not a collection to keep: the name {0:?} is not a path that is safe everywhere")]
    Name(String),
}

/// What a file is called in a collection: by the last part of its path.
pub fn name_in_list(path: &Path) -> String {
    path.file_name().map_or_else(|| "file".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Makes a collection of blobs that are in the store.
pub async fn pack(store: &Store, members: &[(String, Hash)]) -> Result<Packed, ImportError> {
    let members = members.iter().map(|(name, hash)| (name.clone(), iroh_blobs::Hash::from(*hash.as_bytes())));
    let mut blobs = members.collect::<Collection>().to_blobs();
    let (Some(names), Some(list)) = (blobs.next(), blobs.next()) else {
        unreachable!("a collection is a blob of names and a list");
    };
    let (names, names_pin) = store.import_bytes(names).await?;
    let (list, list_pin) = store.import_bytes(list).await?;
    Ok(Packed { list, names, pins: [list_pin, names_pin] })
}

/// Lists a collection, fetching its list and names, but no member.
pub async fn list(node: &Node, providers: &[Provider], list: Hash) -> Result<Vec<Member>, ListError> {
    let fetcher = Fetcher::new(node, providers, LIST_BYTES_MAX);
    let (names, hashes) = listed(small(&fetcher, node, list).await?)?;
    let names = small(&fetcher, node, names).await?;
    members(&names, hashes)
}

/// The blob of names, and the members, that a collection's list of hashes has.
pub fn listed(list: bytes::Bytes) -> Result<(Hash, Vec<Hash>), ListError> {
    let hashes = HashSeq::try_from(list).map_err(|_| ListError::Malformed("its list is no list of hashes"))?;
    if hashes.len() > MEMBERS_MAX + 1 {
        return Err(ListError::Malformed("it has too many members"));
    }
    let mut hashes = hashes.into_iter().map(|hash| Hash::from_bytes(*hash.as_bytes()));
    let names = hashes.next().ok_or(ListError::Malformed("its list is empty"))?;
    Ok((names, hashes.collect()))
}

async fn small(fetcher: &Fetcher<'_>, node: &Node, hash: Hash) -> Result<bytes::Bytes, ListError> {
    let (_, _pin) = fetcher.fetch(Wish { hash, size_bytes: None }, &|_| ()).await?;
    match node.store().open_blob(&hash).await? {
        Blob::Bytes(bytes) => Ok(bytes),
        Blob::File(_) => Err(ListError::Malformed("its list is too long")),
    }
}

/// The members that a blob of names and a list of hashes make.
pub fn members(names: &[u8], hashes: Vec<Hash>) -> Result<Vec<Member>, ListError> {
    let (meta, rest) = postcard::take_from_bytes::<CollectionMeta>(names)
        .map_err(|_| ListError::Malformed("its names cannot be read"))?;
    if !meta.check_header() || !rest.is_empty() {
        return Err(ListError::Malformed("its names are in another form"));
    }
    if meta.names().len() != hashes.len() {
        return Err(ListError::Malformed("it has not as many names as members"));
    }
    let mut seen = BTreeSet::new();
    let mut members = Vec::with_capacity(hashes.len());
    for (name, hash) in meta.names().iter().zip(hashes) {
        let refused = || ListError::Name(name.chars().take(80).collect());
        let path = path(name).ok_or_else(refused)?;
        // Two names that differ in case alone are one file on many systems.
        if !seen.insert(name.to_lowercase()) {
            return Err(refused());
        }
        members.push(Member { path, hash });
    }
    // What is a file cannot be a folder as well.
    let folders = |name: &str| name.match_indices('/').any(|(at, _)| seen.contains(&name[..at]));
    match seen.iter().find(|name| folders(name)) {
        Some(name) => Err(ListError::Name(name.chars().take(80).collect())),
        None => Ok(members),
    }
}

/// A stranger's name as a path, if it is one that leads down and means the same everywhere.
fn path(name: &str) -> Option<PathBuf> {
    (name.len() <= NAME_BYTES_MAX && name.split('/').all(is_safe)).then(|| name.split('/').collect())
}

/// True if a part of a path names the same file on every system, and no other: no way up, no stream, no device, and
/// nothing at the end that Windows would cut off.
fn is_safe(part: &str) -> bool {
    let is_plain = !part.chars().any(|char| char.is_control() || FORBIDDEN.contains(&char));
    !part.is_empty() && part.len() <= PART_BYTES_MAX && is_plain && !part.ends_with(['.', ' ']) && !is_device(part)
}

fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end_matches(' ').to_uppercase();
    let is_digit = |rest: &str| matches!(rest, "¹" | "²" | "³") || matches!(rest.as_bytes(), [b'0'..=b'9']);
    DEVICES.contains(&stem.as_str())
        || NUMBERED_DEVICES.iter().any(|name| stem.strip_prefix(name).is_some_and(is_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<u8> {
        let members = names.iter().map(|name| ((*name).to_owned(), iroh_blobs::Hash::EMPTY));
        members.collect::<Collection>().to_blobs().next().expect("names").to_vec()
    }

    #[test]
    fn names_become_paths_that_lead_down() {
        let listed = members(&names(&["a.txt", "größe/b c"]), vec![Hash::of(b"a"); 2]).expect("members");
        assert_eq!(listed[1].path, PathBuf::from("größe").join("b c"));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for name in ["", "/etc/passwd", "..", "a/../b", "a//b", "a/", ".", "C:x", "a\\b", "a\nb", "a. ", long.as_str()]
        {
            let error = members(&names(&[name]), vec![Hash::of(b"a")]).expect_err(name);
            assert!(matches!(error, ListError::Name(_)), "{name}: {error}");
        }
    }

    #[test]
    fn names_that_some_system_takes_for_something_else_are_refused() {
        for name in [
            "a\0b",
            "nul",
            "NUL.txt",
            "d/Con",
            "aux.tar.gz",
            "com1",
            "COM¹.log",
            "lpt9 .x",
            "conin$",
            "a.txt:stream",
            "a.",
            "b ",
            "c/d./e",
            ".. ",
            "...",
            "\u{7f}",
            "\u{85}",
        ] {
            let error = members(&names(&[name]), vec![Hash::of(b"a")]).expect_err(name);
            assert!(matches!(error, ListError::Name(_)), "{name:?}: {error}");
        }
        let part = "x".repeat(PART_BYTES_MAX);
        for name in ["console", "null", "com", "com10", "nul_", ".con", "a.nul", "lpt", part.as_str()] {
            members(&names(&[name]), vec![Hash::of(b"a")]).expect(name);
        }
        members(&names(&[&(part + "x")]), vec![Hash::of(b"a")]).expect_err("too long for a file's name");
    }

    #[test]
    fn names_that_would_be_one_file_are_refused() {
        for pair in [["a", "a"], ["Readme", "README"], ["d/a", "D/a"], ["ä", "Ä"], ["a", "a/b"], ["d/e/f", "D/e"]] {
            let error = members(&names(&pair), vec![Hash::of(b"a"); 2]).expect_err(pair[0]);
            assert!(matches!(error, ListError::Name(_)), "{pair:?}: {error}");
        }
        members(&names(&["a", "ab", "b/a", "b/ab"]), vec![Hash::of(b"a"); 4]).expect("four files");
    }

    #[test]
    fn what_is_no_collection_is_refused() {
        let good = names(&["a"]);
        members(&good, Vec::new()).expect_err("more names than members");
        members(&good[1..], vec![Hash::of(b"a")]).expect_err("no header");
        members(&[&good[..], &[0]].concat(), vec![Hash::of(b"a")]).expect_err("left-over bytes");
        members(b"", Vec::new()).expect_err("nothing");
    }

    #[test]
    fn a_folder_that_sendme_sent_is_listed() {
        // The list and the names of a folder of four files, as sendme 0.37.1 sent them.
        let list = [
            "2bfec3dd45337b303ce3f06bf33e85fdc749252e7947b074b4d5f9993c1c34e3",
            "8e4c7c1b99dbfd50e7a95185fead5ee1448fa904a2fdd778eaf5f2dbfd629a99",
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
            "3ae7d805f6789a6402acb70ad4096a85a56bf6804eaf25c0493ac697548d30b5",
            "65e500a36f8835c21af98f54c319d2799254fd8acff1f2460ecc82d9c104c11b",
        ];
        let list: Vec<u8> = list.iter().flat_map(|hash| *hash.parse::<Hash>().expect("a hash").as_bytes()).collect();
        let text = "CollectionV0.\u{4}\u{c}folder/a.txt\u{c}folder/empty\u{14}folder/größe b.txt\u{10}folder/sub/b.bin";
        let (names, hashes) = listed(list.into()).expect("a list");
        assert_eq!(names, Hash::of(text.as_bytes()));
        let members = members(text.as_bytes(), hashes).expect("members");
        assert_eq!((members.len(), members[0].hash), (4, Hash::of(b"hello\n")));
        assert_eq!(members[2], Member { path: "folder/größe b.txt".into(), hash: Hash::of(b"x") });
    }

    #[test]
    fn what_is_no_list_of_hashes_is_refused() {
        for list in [vec![], vec![7; 31], vec![7; 33], vec![7; 32 * (MEMBERS_MAX + 2)]] {
            listed(list.into()).expect_err("not a list");
        }
    }
}
