//! What each variable holds at the point of a walk through a kernel, and how that comes together where paths join.

use std::collections::BTreeSet;

use super::Work;
use super::graph::{Graph, Node};
use crate::Refusal;
use crate::lowered::Variable;

/// Variables that changed on a way, sorted, with what they hold at its end.
pub(super) type Changes = Vec<(Variable, Node)>;

/// What variables hold.
#[derive(Debug)]
pub(super) struct Flow {
    current: Vec<Node>,
    /// What was overwritten, in order, so that it can be taken back.
    log: Vec<(Variable, Node)>,
}

/// A point to go back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(usize);

impl Flow {
    /// All variables hold `zero`.
    pub(super) fn new(variables: usize, zero: Node) -> Self {
        Self { current: vec![zero; variables], log: Vec::new() }
    }

    pub(super) fn get(&self, variable: Variable) -> Node {
        self.current[variable.0 as usize]
    }

    pub(super) fn set(&mut self, variable: Variable, node: Node) {
        let old = std::mem::replace(&mut self.current[variable.0 as usize], node);
        self.log.push((variable, old));
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.log.len())
    }

    /// What changed since `mark`.
    pub(super) fn changes(&self, mark: Mark, work: &mut Work) -> Result<Changes, Refusal> {
        let since = &self.log[mark.0..];
        work.take(since.len())?;
        let changed: BTreeSet<Variable> = since.iter().map(|(variable, _)| *variable).collect();
        Ok(changed.into_iter().map(|variable| (variable, self.get(variable))).collect())
    }

    /// Takes back what changed since `mark`.
    pub(super) fn undo(&mut self, mark: Mark) {
        while self.log.len() > mark.0
            && let Some((variable, old)) = self.log.pop()
        {
            self.current[variable.0 as usize] = old;
        }
    }

    /// Goes on where these ways come together, all of which started from here. Which way an invocation took depends on
    /// `which`.
    pub(super) fn join(
        &mut self,
        graph: &mut Graph,
        ways: Vec<Changes>,
        which: Node,
        work: &mut Work,
    ) -> Result<(), Refusal> {
        let count = ways.len();
        let mut all: Changes = ways.into_iter().flatten().collect();
        work.take(all.len())?;
        all.sort_unstable();
        for of_one in all.chunk_by(|a, b| a.0 == b.0) {
            let (variable, first) = of_one[0];
            let is_on_all = of_one.len() == count;
            if is_on_all && of_one.iter().all(|(_, node)| *node == first) {
                self.set(variable, first);
                continue;
            }
            let joined = graph.node(&[which]);
            if !is_on_all {
                graph.depend(self.get(variable), joined);
            }
            of_one.iter().for_each(|(_, node)| graph.depend(*node, joined));
            self.set(variable, joined);
        }
        Ok(())
    }
}
