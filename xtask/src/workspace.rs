//! What cargo knows about this workspace.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The workspace, as `cargo metadata` describes it without looking at other people's crates.
#[derive(Debug)]
pub(crate) struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Loads the workspace around the current folder. Needs no network.
    pub(crate) fn load() -> Result<Self> {
        let metadata = MetadataCommand::new().no_deps().exec().context("`cargo metadata` failed")?;
        Ok(Self { metadata })
    }

    /// The repository's folder.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// Where cargo builds to, and xtask with it.
    pub(crate) fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// The workspace's own packages.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.metadata.packages
    }

    /// The `samebit` program of the dev profile, whether or not it is built.
    pub(crate) fn samebit(&self) -> PathBuf {
        self.target().join("debug").join(format!("samebit{}", std::env::consts::EXE_SUFFIX))
    }

    /// A package's folder below the root, with forward slashes.
    pub(crate) fn folder(&self, package: &Package) -> String {
        let folder = package.manifest_path.parent().unwrap_or(&package.manifest_path);
        let folder = folder.strip_prefix(&self.metadata.workspace_root).unwrap_or(folder);
        folder.as_str().replace('\\', "/")
    }
}
