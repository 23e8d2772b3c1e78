//! A kernel's statements as a tree of numbered blocks, which the analyses annotate.

use samebit_wgsl::lowered::{Block, Label, Stmt, Value, Variable};
use std::collections::BTreeMap;

/// Numbers a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BlockId(pub usize);

/// A statement, its blocks by number.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// A statement without blocks.
    Plain(&'a Stmt),
    /// One of two blocks.
    If {
        condition: Value,
        accept: BlockId,
        reject: BlockId,
    },
    /// One of several.
    Switch {
        label: Label,
        selector: Value,
        cases: Vec<(&'a [u32], BlockId)>,
        default: BlockId,
    },
    /// A block that can be left.
    Scope {
        label: Label,
        body: BlockId,
    },
    /// A repeated block.
    Loop {
        label: Label,
        /// The whole loop: a block without statements of its own, which has the next two inside.
        shell: BlockId,
        body: BlockId,
        continuing: BlockId,
        break_if: Option<Value>,
    },
    Leave(Label),
    Continue(Label),
    Barrier,
}

/// What a block is to its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The kernel's body, an arm, a case, a scope.
    Plain,
    /// A whole loop.
    Shell,
    /// A loop's body or what follows it.
    Repeated,
}

/// A block.
#[derive(Debug)]
pub(super) struct BlockInfo<'a> {
    pub nodes: Vec<Node<'a>>,
    pub parent: Option<BlockId>,
    pub role: Role,
    /// Position in the text behind its end.
    pub end: u32,
    /// How many labels enclose it.
    pub labels: u32,
    /// Whether there is a barrier in it.
    pub has_barrier: bool,
}

/// What a label names.
#[derive(Clone, Copy, Debug)]
pub(super) struct LabelInfo {
    /// The block that leaving leads out of: a scope's or switch's block is any of those with this parent.
    pub inside: LabelKind,
    /// The block that the statement is in.
    pub outside: BlockId,
    /// How many labels enclose it, itself included.
    pub depth: u32,
}

/// What kind of statement a label names.
#[derive(Clone, Copy, Debug)]
pub(super) enum LabelKind {
    /// Leads out of these blocks.
    Plain,
    /// Leads out of the shell, or to the end of the body.
    Loop { shell: BlockId, body: BlockId },
}

/// The tree.
#[derive(Debug)]
pub(super) struct Flow<'a> {
    pub blocks: Vec<BlockInfo<'a>>,
    pub labels: BTreeMap<u32, LabelInfo>,
    /// The position of the last loop, if there is one.
    pub last_loop: Option<u32>,
    /// Who reads and writes variables, in the order of the text.
    pub accesses: Vec<Access>,
    /// Who leaves or continues.
    pub jumps: Vec<Jump>,
    position: u32,
}

/// A statement that reads or writes a variable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub variable: Variable,
    pub position: u32,
    pub block: BlockId,
    /// What is written, if it writes.
    pub written: Option<Value>,
}

/// The last statement of a block, if it goes elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jump {
    pub label: Label,
    pub block: BlockId,
    pub is_continue: bool,
}

/// The kernel's body.
pub(super) const ROOT: BlockId = BlockId(0);

impl<'a> Flow<'a> {
    /// Numbers the blocks of a body.
    pub(super) fn new(body: &'a Block) -> Self {
        let mut flow = Self {
            blocks: Vec::new(),
            labels: BTreeMap::new(),
            last_loop: None,
            accesses: Vec::new(),
            jumps: Vec::new(),
            position: 0,
        };
        flow.add(body, None, Role::Plain, 0);
        flow
    }

    pub(super) fn block(&self, id: BlockId) -> &BlockInfo<'a> {
        &self.blocks[id.0]
    }

    pub(super) fn label(&self, label: Label) -> &LabelInfo {
        &self.labels[&label.0]
    }

    fn open(&mut self, parent: Option<BlockId>, role: Role, labels: u32) -> BlockId {
        let id = BlockId(self.blocks.len());
        self.position += 1;
        self.blocks.push(BlockInfo { nodes: Vec::new(), parent, role, end: 0, labels, has_barrier: false });
        id
    }

    fn close(&mut self, id: BlockId) {
        self.position += 1;
        self.blocks[id.0].end = self.position;
        if let (Some(parent), true) = (self.blocks[id.0].parent, self.blocks[id.0].has_barrier) {
            self.blocks[parent.0].has_barrier = true;
        }
    }

    fn add(&mut self, block: &'a Block, parent: Option<BlockId>, role: Role, labels: u32) -> BlockId {
        let id = self.open(parent, role, labels);
        for stmt in block {
            let node = self.node(stmt, id, labels);
            self.position += 1;
            self.blocks[id.0].nodes.push(node);
        }
        self.close(id);
        id
    }

    fn node(&mut self, stmt: &'a Stmt, id: BlockId, labels: u32) -> Node<'a> {
        match stmt {
            Stmt::If { condition, accept, reject } => Node::If {
                condition: *condition,
                accept: self.add(accept, Some(id), Role::Plain, labels),
                reject: self.add(reject, Some(id), Role::Plain, labels),
            },
            Stmt::Switch { label, selector, cases, default } => {
                self.labels.insert(label.0, LabelInfo { inside: LabelKind::Plain, outside: id, depth: labels + 1 });
                let cases = cases
                    .iter()
                    .map(|case| (&*case.values, self.add(&case.body, Some(id), Role::Plain, labels + 1)))
                    .collect();
                let default = self.add(default, Some(id), Role::Plain, labels + 1);
                Node::Switch { label: *label, selector: *selector, cases, default }
            }
            Stmt::Scope { label, body } => {
                self.labels.insert(label.0, LabelInfo { inside: LabelKind::Plain, outside: id, depth: labels + 1 });
                Node::Scope { label: *label, body: self.add(body, Some(id), Role::Plain, labels + 1) }
            }
            Stmt::Loop { label, body, continuing, break_if, .. } => {
                let shell = self.open(Some(id), Role::Shell, labels + 1);
                self.last_loop = Some(self.position);
                // The body's number is the next.
                let kind = LabelKind::Loop { shell, body: BlockId(shell.0 + 1) };
                self.labels.insert(label.0, LabelInfo { inside: kind, outside: id, depth: labels + 1 });
                let body = self.add(body, Some(shell), Role::Repeated, labels + 1);
                let continuing = self.add(continuing, Some(shell), Role::Repeated, labels + 1);
                self.close(shell);
                Node::Loop { label: *label, shell, body, continuing, break_if: *break_if }
            }
            Stmt::Leave(label) => {
                self.jumps.push(Jump { label: *label, block: id, is_continue: false });
                Node::Leave(*label)
            }
            Stmt::Continue(label) => {
                self.jumps.push(Jump { label: *label, block: id, is_continue: true });
                Node::Continue(*label)
            }
            Stmt::Barrier(_) => {
                self.blocks[id.0].has_barrier = true;
                Node::Barrier
            }
            Stmt::Get(_, variable) => {
                let position = self.position;
                self.accesses.push(Access { variable: *variable, position, block: id, written: None });
                Node::Plain(stmt)
            }
            Stmt::Set(variable, value) => {
                let position = self.position;
                self.accesses.push(Access { variable: *variable, position, block: id, written: Some(*value) });
                Node::Plain(stmt)
            }
            Stmt::Let(..) | Stmt::Load { .. } | Stmt::Store { .. } | Stmt::Atomic { .. } => Node::Plain(stmt),
        }
    }

    /// The blocks around `id`, itself first.
    pub(super) fn path(&self, id: BlockId) -> impl Iterator<Item = BlockId> + '_ {
        std::iter::successors(Some(id), |id| self.block(*id).parent)
    }
}
