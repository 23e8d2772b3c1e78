//! Leaves out jumps to where control goes anyway, and scopes that nothing leaves early.

use crate::lowered::{Block, Label, Stmt};

/// Simplifies the jumps of a body whose labels are less than `labels`.
pub(super) fn simplify(body: &mut Block, labels: u32) {
    let mut jumps = Jumps { leaves: vec![0; labels as usize], ends: Vec::new() };
    jumps.count(body);
    jumps.block(body, 0);
}

/// A jump.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Jump {
    Leave(Label),
    Continue(Label),
}

impl Jump {
    fn of(statement: &Stmt) -> Option<Self> {
        match statement {
            Stmt::Leave(label) => Some(Self::Leave(*label)),
            Stmt::Continue(label) => Some(Self::Continue(*label)),
            _ => None,
        }
    }
}

struct Jumps {
    /// How often each label is left.
    leaves: Vec<u32>,
    /// Jumps to what comes after the end of the enclosing blocks; which of them hold for a block is its `from`.
    ends: Vec<Jump>,
}

impl Jumps {
    fn count(&mut self, block: &Block) {
        for statement in block {
            match statement {
                Stmt::Leave(Label(label)) => {
                    if let Some(count) = self.leaves.get_mut(*label as usize) {
                        *count += 1;
                    }
                }
                Stmt::If { accept, reject, .. } => [accept, reject].into_iter().for_each(|block| self.count(block)),
                Stmt::Switch { cases, default, .. } => {
                    cases.iter().map(|case| &case.body).chain([default]).for_each(|block| self.count(block));
                }
                Stmt::Scope { body, .. } => self.count(body),
                Stmt::Loop { body, continuing, .. } => {
                    [body, continuing].into_iter().for_each(|block| self.count(block));
                }
                _ => {}
            }
        }
    }

    /// Simplifies a block, at whose end control goes where the jumps from `from` on go.
    fn block(&mut self, block: &mut Block, from: usize) {
        while let Some(jump) = block.last().and_then(Jump::of).filter(|jump| self.ends[from..].contains(jump)) {
            block.pop();
            if let Jump::Leave(Label(label)) = jump {
                self.leaves[label as usize] -= 1;
            }
        }
        let mut simplified = Vec::with_capacity(block.len());
        let mut rest = std::mem::take(block).into_iter().peekable();
        while let Some(mut statement) = rest.next() {
            let from = if rest.peek().is_none() { from } else { self.ends.len() };
            self.inside(&mut statement, from);
            match statement {
                Stmt::Scope { label, body } if self.leaves.get(label.0 as usize) == Some(&0) => {
                    simplified.extend(body);
                    // What follows a jump is not reached.
                    if simplified.last().is_some_and(|last| Jump::of(last).is_some()) {
                        break;
                    }
                }
                statement => simplified.push(statement),
            }
        }
        *block = simplified;
    }

    /// Simplifies the blocks inside a statement, after which control goes where the jumps from `from` on go.
    fn inside(&mut self, statement: &mut Stmt, from: usize) {
        let depth = self.ends.len();
        match statement {
            Stmt::If { accept, reject, .. } => {
                self.block(accept, from);
                self.block(reject, from);
            }
            Stmt::Switch { label, cases, default, .. } => {
                self.ends.push(Jump::Leave(*label));
                cases.iter_mut().map(|case| &mut case.body).chain([default]).for_each(|block| self.block(block, from));
            }
            Stmt::Scope { label, body } => {
                self.ends.push(Jump::Leave(*label));
                self.block(body, from);
            }
            Stmt::Loop { label, body, continuing, .. } => {
                self.ends.push(Jump::Continue(*label));
                self.block(body, depth);
                self.ends.pop();
                self.block(continuing, depth);
            }
            _ => {}
        }
        self.ends.truncate(depth);
    }
}
