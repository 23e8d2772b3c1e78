//! How a function returns.

use naga::{Block, Statement};

/// Whether a body returns nowhere but at its very end.
pub(super) fn is_tail(body: &Block) -> bool {
    match body.split_last() {
        Some((Statement::Return { .. }, before)) => !before.iter().any(returns),
        Some((Statement::Block(last), before)) => !before.iter().any(returns) && is_tail(last),
        _ => !body.iter().any(returns),
    }
}

/// Whether a statement may return. How deep blocks nest is bounded.
fn returns(statement: &Statement) -> bool {
    match statement {
        Statement::Return { .. } => true,
        Statement::Block(block) => block.iter().any(returns),
        Statement::If { accept, reject, .. } => accept.iter().chain(reject.iter()).any(returns),
        Statement::Loop { body, .. } => body.iter().any(returns),
        Statement::Switch { cases, .. } => cases.iter().any(|case| case.body.iter().any(returns)),
        _ => false,
    }
}
