//! The host's key on disk: 64 hexadecimal digits in a file that only its owner can read.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use samebit_runner::spec::{HostKey, SecretKey};
use thiserror::Error;

use crate::error::Failure;

/// More than any key file has.
const FILE_BYTES_MAX: usize = 256;

/// Why there is no key to use.
#[derive(Debug, Error)]
pub(crate) enum KeyError {
    /// None was made yet.
    #[error("no key yet: {} does not exist; make one with `samebit key create`", .0.display())]
    None(PathBuf),
    /// One is there already.
    #[error("a key exists already: {}; receipts are signed with it, so it is not replaced", .0.display())]
    Exists(PathBuf),
    /// The file holds something else.
    #[error("not a key: {} does not hold 64 hexadecimal digits; restore it from a backup, or move it away", .0.display())]
    Malformed(PathBuf),
    /// The file cannot be read or written.
    #[error("the key {} cannot be used: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The system has no randomness to give.
    #[error("a key cannot be made: the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::None(_) | KeyError::Exists(_) => Self::usage("key", error.to_string()),
            _ => Self::host("key", error.to_string()),
        }
    }
}

/// Reads the key.
pub(crate) fn load(path: &Path) -> Result<SecretKey, KeyError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyError::None(path.to_owned())),
        Err(source) => return Err(KeyError::Io { path: path.to_owned(), source }),
    };
    warn_if_open(path);
    let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() <= FILE_BYTES_MAX);
    // A secret key has the same form as a public one: 32 bytes as hexadecimal digits.
    let key = text.and_then(|text| text.trim().parse::<HostKey>().ok());
    key.map(|key| SecretKey::from_bytes(key.as_bytes())).ok_or_else(|| KeyError::Malformed(path.to_owned()))
}

/// A key that is nobody's, and kept nowhere.
pub(crate) fn fresh() -> Result<SecretKey, KeyError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
    Ok(SecretKey::from_bytes(&bytes))
}

/// Makes a key. The file comes into being whole, and never over another.
pub(crate) fn create(path: &Path) -> Result<SecretKey, KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    let key = fresh()?;
    let folder = path.parent().ok_or_else(|| io(io::ErrorKind::InvalidFilename.into()))?;
    // Made with mode 0600 on Unix.
    let mut file = tempfile::Builder::new().prefix(".key-").tempfile_in(folder).map_err(io)?;
    writeln!(file, "{}", secret_text(&key)).and_then(|()| file.as_file().sync_all()).map_err(io)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(key),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(KeyError::Exists(path.to_owned())),
        Err(error) => Err(io(error.error)),
    }
}

/// The secret as text.
pub(crate) fn secret_text(key: &SecretKey) -> String {
    HostKey::from_bytes(key.to_bytes()).to_string()
}

#[cfg(unix)]
fn warn_if_open(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if let Ok(metadata) = std::fs::metadata(path)
        && metadata.permissions().mode() & 0o077 != 0
    {
        tracing::warn!("the key {} can be read by others; run `chmod 600` on it", path.display());
    }
}

#[cfg(not(unix))]
fn warn_if_open(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        assert!(matches!(load(&path), Err(KeyError::None(_))));
        let key = create(&path).expect("made");
        assert_eq!(load(&path).expect("read").public(), key.public());
        assert!(matches!(create(&path), Err(KeyError::Exists(_))));
        assert_eq!(load(&path).expect("unchanged").public(), key.public());
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1, "nothing else is left");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        create(&path).expect("made");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn other_files_are_no_keys() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        for content in [b"".as_slice(), b"\xff\xfe", b"0123", &[b'0'; 63], &[b'g'; 64], &[b'0'; 4096]] {
            std::fs::write(&path, content).expect("written");
            assert!(matches!(load(&path), Err(KeyError::Malformed(_))), "{content:?}");
        }
    }
}
