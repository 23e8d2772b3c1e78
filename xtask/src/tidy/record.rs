//! What `xtask/tidy.toml` remembers between changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Where the record is.
pub(crate) const PATH: &str = "xtask/tidy.toml";

const HEADER: &str = "\
# What `cargo xtask tidy` holds the repository against. `cargo xtask tidy --bless` writes it: contracts as they are, if
# CHANGELOG.md says what changed, and ratchets downwards. Raising a ratchet is a decision: edit it here, and say why.

";

/// The record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// How many Rust files may be longer than 300 lines.
    pub(crate) files_over_300_lines: usize,
    /// Contracts by name.
    pub(crate) contracts: BTreeMap<String, Contract>,
}

/// A contract as it was when last blessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contract {
    /// The version it carries.
    pub(crate) version: String,
    /// The line of CHANGELOG.md that tells of its last change.
    pub(crate) changelog: String,
    /// The BLAKE3 hash of its files.
    pub(crate) blake3: String,
}

impl Record {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not a record", path.display()))
    }

    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let text = HEADER.to_owned() + &toml::to_string(self)?;
        fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
    }
}
