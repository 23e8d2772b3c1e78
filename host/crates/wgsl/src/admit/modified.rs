//! Which variables the loops of a kernel modify.

use std::collections::BTreeMap;

use super::Work;
use crate::Refusal;
use crate::lowered::{Block, Label, Stmt, Variable};

/// The variables that each loop modifies, sorted.
pub(super) fn by_loops(body: &Block, work: &mut Work) -> Result<BTreeMap<Label, Vec<Variable>>, Refusal> {
    let mut loops = BTreeMap::new();
    find(body, &mut Vec::new(), &mut loops, work)?;
    Ok(loops)
}

/// Adds to `found` what `block` modifies, and to `loops` what its loops do.
fn find(
    block: &Block,
    found: &mut Vec<Variable>,
    loops: &mut BTreeMap<Label, Vec<Variable>>,
    work: &mut Work,
) -> Result<(), Refusal> {
    for stmt in block {
        let from = found.len();
        match stmt {
            Stmt::Set(variable, _) => found.push(*variable),
            Stmt::If { accept, reject, .. } => {
                find(accept, found, loops, work)?;
                find(reject, found, loops, work)?;
            }
            Stmt::Switch { cases, default, .. } => {
                for case in cases {
                    find(&case.body, found, loops, work)?;
                }
                find(default, found, loops, work)?;
            }
            Stmt::Scope { body, .. } => find(body, found, loops, work)?,
            Stmt::Loop { label, body, continuing, .. } => {
                find(body, found, loops, work)?;
                find(continuing, found, loops, work)?;
                let mut modified = found.split_off(from);
                work.take(modified.len())?;
                modified.sort_unstable();
                modified.dedup();
                found.extend_from_slice(&modified);
                loops.insert(*label, modified);
            }
            _ => {}
        }
    }
    Ok(())
}
