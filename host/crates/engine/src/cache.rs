//! Compiled modules on disk, so that a module is compiled once per machine.
//!
//! Compiled code is trusted code: running a forged entry would be running whatever it says. So every entry carries a
//! keyed BLAKE3 hash under a key that only this store's owner can read, over its name and content. An entry that is
//! damaged, of another engine, or from another store is as good as none: it is compiled again and replaced.

use std::hash::{Hash as _, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use samebit_spec::Hash;
use tracing::{debug, warn};

const MAC_BYTES: usize = 32;

/// A folder of compiled modules.
#[derive(Debug, Clone)]
pub struct Cache {
    dir: PathBuf,
    key: [u8; 32],
}

impl Cache {
    /// A cache in `dir`, which is created when first needed. `key` must be secret and stay the same for the folder.
    pub fn new(dir: PathBuf, key: [u8; 32]) -> Self {
        Self { dir, key }
    }

    /// The compiled form of a module, if a trustworthy one is there.
    pub(crate) fn load(&self, module: &Hash, engine: &wasmtime::Engine) -> Option<Vec<u8>> {
        let path = self.path(module, engine);
        let mut entry = std::fs::read(&path).ok()?;
        let content_at = entry.len().checked_sub(MAC_BYTES)?;
        let mac: [u8; MAC_BYTES] = entry.get(content_at..)?.try_into().ok()?;
        entry.truncate(content_at);
        // `blake3::Hash` compares in constant time.
        if self.mac(&path, &entry) == blake3::Hash::from_bytes(mac) {
            return Some(entry);
        }
        warn!("the compiled module {} was damaged or is not this store's; compiling again", path.display());
        None
    }

    /// Keeps the compiled form of a module. Failing to is no error: the module is compiled again next time.
    pub(crate) fn save(&self, module: &Hash, engine: &wasmtime::Engine, content: &[u8]) {
        let path = self.path(module, engine);
        match self.write(&path, content) {
            Ok(()) => debug!("kept compiled module {}", path.display()),
            Err(error) => warn!("the compiled module {} could not be kept: {error}", path.display()),
        }
    }

    /// Written under another name first, so that no process ever sees half an entry.
    fn write(&self, path: &Path, content: &[u8]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.dir)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(content)?;
        file.write_all(self.mac(path, content).as_bytes())?;
        file.persist(path)?;
        Ok(())
    }

    fn path(&self, module: &Hash, engine: &wasmtime::Engine) -> PathBuf {
        let mut hasher = Fnv::default();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.dir.join(format!("{module}.{:016x}.cwasm", hasher.finish()))
    }

    fn mac(&self, path: &Path, content: &[u8]) -> blake3::Hash {
        let name = path.file_name().map(|name| name.as_encoded_bytes()).unwrap_or_default();
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(blake3::hash(name).as_bytes());
        hasher.update(content);
        hasher.finalize()
    }
}

/// FNV-1a: the standard library's hasher may change between compilers, and the same engine must find its entries again.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
