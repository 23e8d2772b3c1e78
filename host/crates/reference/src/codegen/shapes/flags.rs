//! Where lanes part, and where they wait for each other.

use super::{Shape, Shapes};
use crate::codegen::flow::{BlockId, Flow, Jump, LabelKind, Node, ROOT};
use samebit_wgsl::lowered::Value;

impl Shapes {
    /// Finds the blocks that not all lanes enter or leave together. Returns whether there are more than before.
    pub(super) fn pass_flags(&mut self, flow: &Flow<'_>) -> bool {
        let mut changed = self.find_collective(flow);
        let varying =
            |shapes: &Self, value: Value| !matches!(shapes.values[value.0 as usize], None | Some(Shape::Uniform));
        for block in &flow.blocks {
            let collective = |id: &BlockId| flow.block(*id).has_barrier;
            for node in &block.nodes {
                match node {
                    Node::If { condition, accept, reject }
                        if varying(self, *condition) && ![accept, reject].into_iter().any(collective) =>
                    {
                        changed |= set(&mut self.by_condition, *accept) | set(&mut self.by_condition, *reject);
                    }
                    Node::Switch { selector, cases, default, .. }
                        if varying(self, *selector)
                            && !cases.iter().map(|(_, id)| id).chain([default]).any(collective) =>
                    {
                        for id in cases.iter().map(|(_, id)| id).chain([default]) {
                            changed |= set(&mut self.by_condition, *id);
                        }
                    }
                    Node::Loop { shell, break_if: Some(condition), .. }
                        if varying(self, *condition) && !flow.block(*shell).has_barrier =>
                    {
                        changed |= set(&mut self.by_leave, *shell);
                    }
                    _ => {}
                }
            }
        }
        for jump in &flow.jumps {
            if !self.is_direct(flow, jump) {
                changed |= set(&mut self.masked_jump, jump.block);
                changed |= self.mark_waiting(flow, jump);
            }
        }
        changed
    }

    /// Whether all active lanes can go to where a jump leads with one branch: nobody waits on the way.
    fn is_direct(&self, flow: &Flow<'_>, jump: &Jump) -> bool {
        if self.masked_jump[jump.block.0] {
            return false;
        }
        let label = flow.label(jump.label);
        for block in flow.path(jump.block) {
            let end = match label.inside {
                LabelKind::Plain => flow.block(block).parent == Some(label.outside),
                LabelKind::Loop { shell, body } => block == if jump.is_continue { body } else { shell },
            };
            if end {
                // Those who wait at the end itself wait for these.
                return !self.by_condition[block.0] && self.same_level(jump.block, block);
            }
            if self.is_divergent(block) || !self.same_level(jump.block, block) {
                return false;
            }
        }
        true
    }

    /// A branch cannot lead out of the loop over gangs.
    fn same_level(&self, from: BlockId, to: BlockId) -> bool {
        self.is_collective(from) == self.is_collective(to)
    }

    /// Notes that lanes wait where a masked jump leads.
    fn mark_waiting(&mut self, flow: &Flow<'_>, jump: &Jump) -> bool {
        let label = *flow.label(jump.label);
        match label.inside {
            LabelKind::Loop { shell, body } => set(&mut self.by_leave, if jump.is_continue { body } else { shell }),
            LabelKind::Plain => {
                let inner = flow.path(jump.block).find(|id| flow.block(*id).parent == Some(label.outside));
                // All blocks of a switch wait at its end.
                let siblings = flow.block(label.outside).nodes.iter().find_map(|node| match node {
                    Node::Switch { label, cases, default, .. } if *label == jump.label => {
                        Some(cases.iter().map(|(_, id)| *id).chain([*default]).collect::<Vec<_>>())
                    }
                    _ => None,
                });
                let blocks = siblings.unwrap_or_else(|| inner.into_iter().collect());
                blocks.into_iter().fold(false, |changed, id| set(&mut self.by_leave, id) | changed)
            }
        }
    }

    /// Blocks with barriers in them are run by the whole workgroup, and so are those that only leave such a block, if the
    /// whole workgroup agrees.
    pub(super) fn find_collective(&mut self, flow: &Flow<'_>) -> bool {
        let mut collective: Vec<_> = flow.blocks.iter().map(|block| block.has_barrier).collect();
        if !collective[ROOT.0] {
            return false;
        }
        let leaves = self.blocks_that_leave(flow, &collective);
        for (index, block) in flow.blocks.iter().enumerate() {
            if let (Some(parent), super::Role::Repeated) = (block.parent, block.role) {
                collective[index] |= collective[parent.0];
            }
            if !collective[index] {
                continue;
            }
            for node in &block.nodes {
                match node {
                    Node::If { condition, accept, reject } => {
                        let any = [accept, reject].iter().any(|id| leaves[id.0]) && self.agrees(*condition);
                        let any = any || collective[accept.0] || collective[reject.0];
                        collective[accept.0] |= any;
                        collective[reject.0] |= any;
                    }
                    Node::Switch { cases, default, .. } => {
                        let ids: Vec<_> = cases.iter().map(|(_, id)| *id).chain([*default]).collect();
                        let any = ids.iter().any(|id| collective[id.0]);
                        ids.iter().for_each(|id| collective[id.0] |= any);
                    }
                    _ => {}
                }
            }
        }
        let changed = collective != self.collective;
        self.collective = collective;
        changed
    }

    fn agrees(&self, value: Value) -> bool {
        self.values[value.0 as usize].is_none() || self.is_shared(value)
    }

    /// Blocks with a jump in them to a label that the whole workgroup shares.
    fn blocks_that_leave(&self, flow: &Flow<'_>, collective: &[bool]) -> Vec<bool> {
        let mut leaves = vec![false; flow.blocks.len()];
        for jump in &flow.jumps {
            let label = flow.label(jump.label);
            let inner = flow.path(jump.block).find(|id| flow.block(*id).parent == Some(label.outside));
            if inner.is_some_and(|inner| collective[inner.0]) {
                for id in flow.path(jump.block) {
                    leaves[id.0] = true;
                }
            }
        }
        leaves
    }

    /// How far out the masked jumps of each block lead.
    pub(super) fn find_escapes(&mut self, flow: &Flow<'_>) {
        for jump in flow.jumps.iter().filter(|jump| self.masked_jump[jump.block.0]) {
            let depth = flow.label(jump.label).depth;
            for id in flow.path(jump.block) {
                self.escapes[id.0] = self.escapes[id.0].min(depth);
            }
        }
    }
}

fn set(flags: &mut [bool], id: BlockId) -> bool {
    !std::mem::replace(&mut flags[id.0], true)
}
