//! Leaves out writings of variables that others in the same block replace before anything may read them.

use crate::lowered::{Block, Stmt, Variable};
use std::collections::{BTreeMap, BTreeSet};

/// Leaves out of a block, and of all inside, what is written in vain.
pub(super) fn leave_out(block: &mut Block) {
    // Where each variable was written that nothing has read since.
    let mut unread: BTreeMap<Variable, usize> = BTreeMap::new();
    let mut vain = BTreeSet::new();
    for (index, statement) in block.iter_mut().enumerate() {
        match statement {
            Stmt::Set(variable, _) => vain.extend(unread.insert(*variable, index)),
            Stmt::Get(_, variable) => drop(unread.remove(variable)),
            Stmt::Let(..)
            | Stmt::Load { .. }
            | Stmt::Store { .. }
            | Stmt::Atomic { .. }
            | Stmt::Barrier(_)
            | Stmt::Leave(_)
            | Stmt::Continue(_) => {}
            Stmt::If { accept, reject, .. } => {
                leave_out(accept);
                leave_out(reject);
                unread.clear();
            }
            Stmt::Switch { cases, default, .. } => {
                cases.iter_mut().for_each(|case| leave_out(&mut case.body));
                leave_out(default);
                unread.clear();
            }
            Stmt::Scope { body, .. } => {
                leave_out(body);
                unread.clear();
            }
            Stmt::Loop { body, continuing, .. } => {
                leave_out(body);
                leave_out(continuing);
                unread.clear();
            }
        }
    }
    if !vain.is_empty() {
        let mut index = 0;
        block.retain(|_| {
            index += 1;
            !vain.contains(&(index - 1))
        });
    }
}
