//! How long each value is needed, so that few registers serve many values.
//!
//! A value belongs to the block that defines it, and is needed until the last statement of that block which uses it,
//! itself or in a block inside. A loop's `continuing` block and its condition count as the end of its body.

use samebit_wgsl::lowered::{Block, Stmt, Value};

use super::{InterpError, flow};

/// For each value, the number of the last statement that uses it, in the block that defines it.
pub(super) struct Liveness {
    last: Vec<u32>,
}

struct Walk {
    /// How deep the block is that defines a value; `u32::MAX` for those that no statement defines.
    depths: Vec<u32>,
    last: Vec<u32>,
    /// The statement that each block is at, outermost first.
    positions: Vec<u32>,
    has_failed: bool,
}

impl Liveness {
    /// Looks at a whole body.
    pub(super) fn new(body: &Block, values: usize) -> Result<Self, InterpError> {
        let mut walk =
            Walk { depths: vec![u32::MAX; values], last: vec![0; values], positions: Vec::new(), has_failed: false };
        walk.positions.push(0);
        walk.block(body);
        if walk.has_failed {
            return Err(InterpError::Malformed("a value is used outside of its block"));
        }
        Ok(Self { last: walk.last })
    }

    /// The last statement that uses a value.
    pub(super) fn last(&self, value: Value) -> u32 {
        self.last.get(value.0 as usize).copied().unwrap_or(u32::MAX)
    }
}

impl Walk {
    /// Statements of the current block, from its current position on.
    fn block(&mut self, block: &Block) {
        for statement in block {
            flow::uses(statement, |value| self.used(value));
            flow::defines(statement, |value| self.defined(value));
            self.inside(statement);
            self.step();
        }
    }

    fn inside(&mut self, statement: &Stmt) {
        if let Stmt::Loop { body, continuing, break_if, .. } = statement {
            self.positions.push(0);
            self.block(body);
            self.block(continuing);
            if let Some(condition) = break_if {
                self.used(*condition);
            }
            self.positions.pop();
            return;
        }
        flow::blocks(statement, |block| {
            self.positions.push(0);
            self.block(block);
            self.positions.pop();
        });
    }

    fn step(&mut self) {
        if let Some(position) = self.positions.last_mut() {
            *position += 1;
        }
    }

    fn defined(&mut self, value: Value) {
        let Some(depth) = self.depths.get_mut(value.0 as usize) else {
            self.has_failed = true;
            return;
        };
        *depth = u32::try_from(self.positions.len() - 1).unwrap_or(u32::MAX);
        self.last[value.0 as usize] = self.positions.last().copied().unwrap_or(0);
    }

    fn used(&mut self, value: Value) {
        match self.depths.get(value.0 as usize) {
            None => self.has_failed = true,
            // Of the preamble, which lasts.
            Some(&u32::MAX) => {}
            Some(&depth) => match self.positions.get(depth as usize) {
                Some(&position) => self.last[value.0 as usize] = position,
                None => self.has_failed = true,
            },
        }
    }
}
