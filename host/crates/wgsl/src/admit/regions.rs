//! What of a kernel an invocation can reach without passing a barrier.
//!
//! A region is all that can be reached from the start of the kernel, or from behind one barrier, before the next. Two
//! invocations of a workgroup are always in the same region, so what stands in no common region never happens at once.

use super::Work;
use crate::Refusal;
use crate::lowered::{Block, Label, Memory, Stmt};

/// A stretch of the kernel that is reached as a whole or not at all, but for what branches over.
type Node = usize;

/// The stretches of a kernel, and how one follows another.
#[derive(Debug, Default)]
pub(super) struct Regions {
    follows: Vec<Vec<Node>>,
    /// The atomic operations on workgroup memory of each stretch, counted in the order of the text.
    atomics: Vec<Vec<usize>>,
    /// Where regions start.
    starts: Vec<Node>,
    labels: Vec<(Label, Node, Option<Node>)>,
    count: usize,
}

impl Regions {
    /// Finds the stretches of `body`.
    pub(super) fn new(body: &Block, work: &mut Work) -> Result<Self, Refusal> {
        let mut regions = Self::default();
        let start = regions.node();
        regions.starts.push(start);
        regions.block(body, Some(start), work)?;
        Ok(regions)
    }

    /// Hands the atomic operations of each region to `each`, in the order of the text.
    pub(super) fn try_for_each(
        &self,
        work: &mut Work,
        mut each: impl FnMut(&[usize], &mut Work) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut seen_by = vec![usize::MAX; self.follows.len()];
        for (number, start) in self.starts.iter().enumerate() {
            let (mut found, mut stack) = (Vec::new(), vec![*start]);
            while let Some(node) = stack.pop() {
                if std::mem::replace(&mut seen_by[node], number) == number {
                    continue;
                }
                work.take(1 + self.follows[node].len() + self.atomics[node].len())?;
                found.extend_from_slice(&self.atomics[node]);
                stack.extend_from_slice(&self.follows[node]);
            }
            found.sort_unstable();
            each(&found, work)?;
        }
        Ok(())
    }

    fn node(&mut self) -> Node {
        self.follows.push(Vec::new());
        self.atomics.push(Vec::new());
        self.follows.len() - 1
    }

    /// Follows a block from `at`, or nothing that is reached, to its end. What is not reached is counted all the same.
    fn block(&mut self, block: &Block, mut at: Option<Node>, work: &mut Work) -> Result<Option<Node>, Refusal> {
        for stmt in block {
            work.take(1)?;
            at = self.stmt(stmt, at, work)?;
        }
        Ok(at)
    }

    fn stmt(&mut self, stmt: &Stmt, at: Option<Node>, work: &mut Work) -> Result<Option<Node>, Refusal> {
        Ok(match stmt {
            Stmt::Atomic { place, .. } if place.memory == Memory::Workgroup => {
                at.into_iter().for_each(|node| self.atomics[node].push(self.count));
                self.count += 1;
                at
            }
            Stmt::Barrier(_) => at.map(|_| {
                let start = self.node();
                self.starts.push(start);
                start
            }),
            Stmt::If { accept, reject, .. } => {
                let accept = self.block(accept, at, work)?;
                let reject = self.block(reject, at, work)?;
                if accept == reject { accept } else { self.meet([accept, reject]) }
            }
            Stmt::Switch { label, cases, default, .. } => {
                let end = self.node();
                self.labels.push((*label, end, None));
                for body in cases.iter().map(|case| &case.body).chain([default]) {
                    let reached = self.block(body, at, work)?;
                    self.go(reached, end);
                }
                self.labels.pop();
                Some(end)
            }
            Stmt::Scope { label, body } => {
                let end = self.node();
                self.labels.push((*label, end, None));
                let reached = self.block(body, at, work)?;
                self.go(reached, end);
                self.labels.pop();
                Some(end)
            }
            Stmt::Loop { label, body, continuing, break_if, .. } => {
                let [head, next, end] = [self.node(), self.node(), self.node()];
                self.go(at, head);
                self.labels.push((*label, end, Some(next)));
                let reached = self.block(body, Some(head), work)?;
                self.go(reached, next);
                self.labels.pop();
                let reached = self.block(continuing, Some(next), work)?;
                self.go(reached, head);
                if break_if.is_some() {
                    self.go(reached, end);
                }
                Some(end)
            }
            Stmt::Leave(label) => {
                let end = self.find(*label, work)?.map(|(end, _)| end);
                end.into_iter().for_each(|end| self.go(at, end));
                None
            }
            Stmt::Continue(label) => {
                let next = self.find(*label, work)?.and_then(|(_, next)| next);
                next.into_iter().for_each(|next| self.go(at, next));
                None
            }
            _ => at,
        })
    }

    fn find(&self, label: Label, work: &mut Work) -> Result<Option<(Node, Option<Node>)>, Refusal> {
        let found = self.labels.iter().rposition(|known| known.0 == label);
        work.take(self.labels.len() - found.unwrap_or(0))?;
        Ok(found.map(|index| (self.labels[index].1, self.labels[index].2)))
    }

    fn meet(&mut self, from: [Option<Node>; 2]) -> Option<Node> {
        let from: Vec<Node> = from.into_iter().flatten().collect();
        match from[..] {
            [] => None,
            [one] => Some(one),
            _ => {
                let to = self.node();
                from.into_iter().for_each(|node| self.go(Some(node), to));
                Some(to)
            }
        }
    }

    fn go(&mut self, from: Option<Node>, to: Node) {
        from.into_iter().for_each(|from| self.follows[from].push(to));
    }
}
