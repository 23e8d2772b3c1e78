//! What depends on what: a graph in which "may differ between invocations" spreads from its sources.

use crate::lowered::At;

/// Something that is the same in the whole workgroup or not: a value, a variable at some point, or whether a point of
/// the kernel is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node(pub(super) u32);

/// Why something may differ between the invocations of a workgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It says which invocation of the workgroup this is.
    Id,
    /// What is read from memory that may be written.
    Read(At),
    /// What an atomic operation gives back.
    Atomic(At),
}

/// The graph.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: u32,
    /// From what differs to what then differs too.
    edges: Vec<(Node, Node)>,
    sources: Vec<(Node, Cause)>,
}

impl Graph {
    /// A graph whose first nodes are given: the values of a kernel.
    pub(super) fn new(nodes: usize) -> Self {
        Self { nodes: u32::try_from(nodes).unwrap_or(u32::MAX), ..Self::default() }
    }

    /// A node that depends on others.
    pub(super) fn node(&mut self, on: &[Node]) -> Node {
        let node = Node(self.nodes);
        self.nodes = self.nodes.saturating_add(1);
        on.iter().for_each(|from| self.depend(*from, node));
        node
    }

    /// Lets `to` depend on `from`.
    pub(super) fn depend(&mut self, from: Node, to: Node) {
        self.edges.push((from, to));
    }

    /// Lets `node` differ by itself.
    pub(super) fn source(&mut self, node: Node, cause: Cause) {
        self.sources.push((node, cause));
    }

    /// How many steps [`Self::solve`] takes.
    pub(super) fn size(&self) -> usize {
        self.edges.len() + usize::try_from(self.nodes).unwrap_or(usize::MAX)
    }

    /// For each node, why it may differ, if it may. Of several causes, one of the nearest.
    pub(super) fn solve(&self) -> Vec<Option<Cause>> {
        let count = self.nodes as usize;
        // Edges sorted by where they start: those of node n are `targets[starts[n]..starts[n + 1]]`.
        let mut starts = vec![0_usize; count + 1];
        for (from, _) in &self.edges {
            starts[from.0 as usize + 1] += 1;
        }
        for i in 0..count {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut targets = vec![Node(0); self.edges.len()];
        for (from, to) in &self.edges {
            let slot = &mut next[from.0 as usize];
            targets[*slot] = *to;
            *slot += 1;
        }
        let mut causes = vec![None; count];
        let mut queue = std::collections::VecDeque::new();
        for (node, cause) in &self.sources {
            if causes[node.0 as usize].is_none() {
                causes[node.0 as usize] = Some(*cause);
                queue.push_back(*node);
            }
        }
        while let Some(node) = queue.pop_front() {
            let at = node.0 as usize;
            for to in &targets[starts[at]..starts[at + 1]] {
                if causes[to.0 as usize].is_none() {
                    causes[to.0 as usize] = causes[at];
                    queue.push_back(*to);
                }
            }
        }
        causes
    }
}
