//! Jumps of a gang: branches where all active lanes go, masks where only some do.

use super::emit::{Emitter, Mask};
use super::flow::{BlockId, Node};
use super::function::{Target, Vector};
use samebit_wgsl::lowered::{Label, Value};

impl Emitter<'_> {
    /// Pops a condition and branches by it, if one of two arms does nothing and the other only jumps. Returns whether.
    ///
    /// A block around the jump would do, but it would be outside of the loop that it leaves: see
    /// [`return_if`](Self::return_if).
    pub(super) fn branch(&mut self, [accept, reject]: [BlockId; 2]) -> bool {
        let is_empty = |id: BlockId| self.flow.block(id).nodes.is_empty();
        let (target, negated) = match (self.plain_jump(accept), self.plain_jump(reject)) {
            (Some(target), _) if is_empty(reject) => (target, false),
            (_, Some(target)) if is_empty(accept) => (target, true),
            _ => return false,
        };
        if negated {
            self.f.ins().i32_eqz();
        }
        self.f.br_if(target);
        true
    }

    /// Takes lanes out of the mask without a branch, if one of two arms does nothing and the other only jumps. Returns
    /// whether.
    pub(super) fn vanish(&mut self, condition: Value, [accept, reject]: [BlockId; 2], mask: &mut Mask) -> bool {
        let is_empty = |id: BlockId| self.flow.block(id).nodes.is_empty();
        let (collect, stays) = match (self.masked_jump(accept), self.masked_jump(reject)) {
            (Some(collect), _) if is_empty(reject) => (collect, false),
            (_, Some(collect)) if is_empty(accept) => (collect, true),
            _ => return false,
        };
        let own = match *mask {
            Mask::Lanes(own) => own,
            Mask::All => self.own_mask(Mask::All),
        };
        *mask = Mask::Lanes(own);
        let lanes = self.lanes(condition);
        self.f.for_parts(|f| {
            // Who goes, then who stays.
            for (into, is_met) in collect.into_iter().map(|collect| (collect, !stays)).chain([(own, stays)]) {
                if into != own {
                    f.get_vector(into);
                }
                f.get_vector(own);
                f.push(lanes);
                let mut ins = f.ins();
                if is_met {
                    ins.v128_and()
                } else {
                    ins.v128_andnot()
                };
                if into != own {
                    f.ins().v128_or();
                }
                f.set_vector(into);
            }
        });
        self.spend(condition);
        true
    }

    /// If a block only jumps, and its lanes vanish by that: what collects them, if anything does.
    fn masked_jump(&self, id: BlockId) -> Option<Option<Vector>> {
        let [node] = &*self.flow.block(id).nodes else { return None };
        let (label, is_continue) = match node {
            Node::Leave(label) => (label, false),
            Node::Continue(label) => (label, true),
            _ => return None,
        };
        let exit =
            self.exits.get(&label.0).filter(|_| self.shapes.is_masked_jump(id) && !self.shapes.is_collective(id))?;
        Some(if is_continue { exit.waiting } else { exit.left })
    }

    /// Where a block jumps that does nothing else.
    fn plain_jump(&self, id: BlockId) -> Option<Target> {
        let [node] = &*self.flow.block(id).nodes else { return None };
        let (label, is_continue) = match node {
            Node::Leave(label) => (label, false),
            Node::Continue(label) => (label, true),
            _ => return None,
        };
        let exit = self.exits.get(&label.0).filter(|_| !self.shapes.is_masked_jump(id))?;
        let collect = if is_continue { exit.waiting } else { exit.left };
        let is_tracked = self.shapes.is_collective(id) && self.plan.is_some_and(|plan| plan.mask.is_some());
        if collect.is_some() || is_tracked {
            return None;
        }
        Some(if is_continue { exit.next.unwrap_or(exit.leave) } else { exit.leave })
    }

    pub(super) fn jump(&mut self, id: BlockId, label: Label, is_continue: bool, mask: &mut Mask) {
        let Some(exit) = self.exits.get(&label.0).copied() else { return };
        let collect = if is_continue { exit.waiting } else { exit.left };
        if let Some(collect) = collect {
            match *mask {
                Mask::Lanes(mask) => self.join_mask(collect, mask),
                Mask::All => self.f.for_parts(|f| {
                    f.splat_const(u32::MAX);
                    f.set_vector(collect);
                }),
            }
        }
        let masked = self.shapes.is_masked_jump(id);
        // Those who come by a branch have been collected: what is left of the mask is joined with them.
        if let (true, Mask::Lanes(mask)) = (masked || collect.is_some(), *mask) {
            self.clear_mask(mask);
        }
        if !masked {
            self.f.br(if is_continue { exit.next.unwrap_or(exit.leave) } else { exit.leave });
        }
    }
}
