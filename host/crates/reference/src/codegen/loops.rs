//! Loops of a gang: they run as long as a lane is active, and each lane leaves when it leaves.

use super::emit::{Emitter, Exit, Mask};
use super::flow::BlockId;
use samebit_wgsl::lowered::{Label, Value};

impl Emitter<'_> {
    pub(super) fn loop_(
        &mut self,
        label: Label,
        [shell, body, continuing]: [BlockId; 3],
        break_if: Option<Value>,
        labels: u32,
        mask: &mut Mask,
    ) -> bool {
        let escapes = self.shapes.escapes(shell, labels);
        let continues = self.shapes.waits(body);
        let vanishing = self.shapes.escapes(body, labels + 1);
        let varying = break_if.is_some_and(|condition| self.is_varying(condition));
        let owns = escapes || continues || vanishing || varying || self.shapes.waits(shell);
        let mut inner = if owns { Mask::Lanes(self.own_mask(*mask)) } else { *mask };
        let left = escapes.then(|| self.zero_mask());
        let waiting = continues.then(|| self.zero_mask());
        let leave = self.f.block();
        let head = self.f.loop_();
        let counts = self.shapes.counts_lanes(self.flow, shell);
        self.iteration(inner, counts);
        if let Some(waiting) = waiting {
            self.clear_mask(waiting);
        }
        self.open_frame();
        let next = self.f.block();
        self.exits.insert(label.0, Exit { leave, next: Some(next), left, waiting });
        let all: Vec<_> = (0..self.flow.block(body).nodes.len()).collect();
        // Nobody waits for the end of the body: where no lane is left there, none is left at all.
        let none = (vanishing && waiting.is_none()).then_some(leave);
        let last_vanishes = self.some_nodes(body, &all, &mut inner, none);
        self.f.end();
        if let (true, Mask::Lanes(inner)) = (vanishing, inner) {
            if let Some(waiting) = waiting {
                self.join_mask(inner, waiting);
            }
            if waiting.is_some() || last_vanishes {
                self.br_if_none(inner, leave);
            }
        }
        self.open_frame();
        self.nodes(continuing, &mut inner);
        match (break_if, inner) {
            (Some(condition), Mask::Lanes(inner)) if varying => {
                let lanes = self.lanes(condition);
                self.f.for_parts(|f| {
                    if let Some(left) = left {
                        f.get_vector(left);
                        f.push(lanes);
                        f.get_vector(inner);
                        f.ins().v128_and().v128_or();
                        f.set_vector(left);
                    }
                    f.get_vector(inner);
                    f.push(lanes);
                    f.ins().v128_andnot();
                    f.set_vector(inner);
                });
                self.f.any_true(inner);
                self.f.br_if(head);
            }
            (Some(condition), inner) => {
                self.push_scalar(condition);
                if let (Mask::Lanes(inner), Some(left)) = (inner, left) {
                    self.f.if_();
                    self.join_mask(left, inner);
                    self.f.br(leave);
                    self.f.end();
                    self.f.br(head);
                } else {
                    self.f.ins().i32_eqz();
                    self.f.br_if(head);
                }
            }
            (None, _) => self.f.br(head),
        }
        break_if.into_iter().for_each(|condition| self.spend(condition));
        self.close_frame();
        self.close_frame();
        self.f.end();
        self.f.end();
        if let Some(left) = left {
            self.assign(mask, left);
            self.f.release_vector(left);
        }
        waiting.into_iter().for_each(|waiting| self.f.release_vector(waiting));
        if let (true, Mask::Lanes(inner)) = (owns, inner) {
            self.f.release_vector(inner);
        }
        escapes
    }
}
