//! Files of the user's: written whole or not at all, read within bounds.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::Failure;

/// Makes a folder for outputs.
pub(crate) fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path)
        .map_err(|error| Failure::usage("output", format!("the folder {} cannot be made: {error}", path.display())))
}

/// Writes a file under another name, which it loses once it is whole.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::host("output", format!("{} cannot be written: {error}", path.display()));
    if path.is_dir() {
        return Err(Failure::usage("output", format!("{} cannot be written: it is a folder", path.display())));
    }
    let absolute = std::path::absolute(path).map_err(failed)?;
    let folder = absolute.parent().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    make_folder(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".samebit-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(&absolute).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Reads a file that should be small. A longer one is cut one byte past `bytes_max`.
pub(crate) fn read_bounded(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
