//! What a `continue` may skip: its value is not there in the `continuing` block.

use naga::{Block, Expression, Handle, Statement};
use std::collections::BTreeSet;

/// Notes the values of a loop's body that are defined after something that may continue the loop.
pub(super) fn note(body: &Block, bypassed: &mut BTreeSet<usize>) {
    let mut is_after = false;
    note_after(body, &mut is_after, bypassed);
}

fn note_after(block: &Block, is_after: &mut bool, bypassed: &mut BTreeSet<usize>) {
    for statement in block {
        let mut add = |handle: &Handle<Expression>| {
            if *is_after {
                bypassed.insert(handle.index());
            }
        };
        match statement {
            Statement::Emit(range) => range.clone().for_each(|handle| add(&handle)),
            Statement::Call { result, .. } | Statement::Atomic { result, .. } => result.iter().for_each(add),
            Statement::WorkGroupUniformLoad { result, .. } => add(result),
            // Part of the block around it, as far as scopes of values go.
            Statement::Block(block) => note_after(block, is_after, bypassed),
            statement => *is_after |= continues(statement),
        }
    }
}

/// Whether a statement may continue the loop around it. How deep blocks nest is bounded.
fn continues(statement: &Statement) -> bool {
    match statement {
        Statement::Continue => true,
        Statement::Block(block) => block.iter().any(continues),
        Statement::If { accept, reject, .. } => accept.iter().chain(reject.iter()).any(continues),
        Statement::Switch { cases, .. } => cases.iter().any(|case| case.body.iter().any(continues)),
        _ => false,
    }
}
