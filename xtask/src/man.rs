//! Man pages and shell completions, which `samebit` derives from its own command line.

use std::process::Command;

use anyhow::Result;

use crate::command::run as run_command;
use crate::demo;
use crate::terminal::answer;
use crate::workspace::Workspace;

/// Writes both below the target folder.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    demo::build_samebit(workspace)?;
    run_command(Command::new(workspace.samebit()).arg("__generate").arg(workspace.target()))?;
    for folder in ["man", "completions"] {
        answer(&workspace.target().join(folder).display().to_string());
    }
    Ok(())
}
