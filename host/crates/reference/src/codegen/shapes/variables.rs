//! The shapes of variables: whether lanes that read one were active when it was written.

use super::{Shape, Shapes};
use crate::codegen::flow::{Access, BlockId, Flow, Role};
use samebit_wgsl::lowered::Lowered;

/// What does not change while the analysis repeats: where each variable lives.
pub(super) struct Variables {
    homes: Vec<Option<Home>>,
    /// Accesses by variable.
    accesses: Vec<Vec<Access>>,
}

/// The block that a variable lives in: nobody reads outside what was written inside, nor inside what was written in an
/// earlier run of the block.
#[derive(Clone, Copy)]
struct Home {
    block: BlockId,
    /// Whether it may be read before it is written.
    starts_zero: bool,
}

impl Variables {
    pub(super) fn new(kernel: &Lowered, flow: &Flow<'_>) -> Self {
        let mut accesses = vec![Vec::new(); kernel.variables.len()];
        for access in &flow.accesses {
            accesses[access.variable.0 as usize].push(*access);
        }
        let homes = accesses.iter().map(|accesses| home(flow, accesses)).collect();
        Self { homes, accesses }
    }
}

fn home(flow: &Flow<'_>, accesses: &[Access]) -> Option<Home> {
    let first = accesses.first()?;
    let mut block = first.block;
    for access in accesses {
        // Up, until the access is inside.
        let inside = |block: BlockId| flow.path(access.block).any(|id| id == block);
        while !inside(block) {
            block = flow.block(block).parent?;
        }
    }
    if first.written.is_some() && first.block == block {
        return Some(Home { block, starts_zero: false });
    }
    let outermost = flow.path(block).filter(|id| flow.block(*id).role == Role::Shell).last();
    let block = outermost.and_then(|shell| flow.block(shell).parent).unwrap_or(block);
    Some(Home { block, starts_zero: true })
}

impl Shapes {
    /// Variables that may be read before they are written are zero then.
    pub(super) fn start_variables(&mut self, variables: &Variables) {
        for (index, home) in variables.homes.iter().enumerate() {
            if home.is_some_and(|home| home.starts_zero) {
                self.variables[index] = Some(Shape::Uniform);
            }
        }
    }

    /// Takes back shapes of variables that lanes read which were inactive when it was written.
    pub(super) fn pass_variables(&mut self, flow: &Flow<'_>, variables: &Variables) -> bool {
        let mut changed = false;
        for (index, home) in variables.homes.iter().enumerate() {
            let Some(home) = home else { continue };
            let accesses = &variables.accesses[index];
            for access in accesses.iter().filter(|access| access.written.is_some()) {
                if !self.reaches_all(flow, *home, access, accesses) {
                    changed |= self.blended.insert((index as u32, access.block));
                    changed |= self.variables[index] != Some(Shape::Varying);
                    self.variables[index] = Some(Shape::Varying);
                }
            }
            let shared = accesses.iter().all(|access| {
                self.is_collective(access.block) && access.written.is_none_or(|value| self.agrees_on(value))
            }) && !matches!(self.variables[index], Some(Shape::Varying));
            if self.shared_variables[index] && !shared {
                self.shared_variables[index] = false;
                changed = true;
            }
        }
        changed
    }

    fn agrees_on(&self, value: samebit_wgsl::lowered::Value) -> bool {
        self.values[value.0 as usize].is_none() || self.is_shared(value)
    }

    /// Whether every lane that may read what is written here is active here.
    fn reaches_all(&self, flow: &Flow<'_>, home: Home, write: &Access, accesses: &[Access]) -> bool {
        let inside = || flow.path(write.block).take_while(|id| *id != home.block);
        let mut divergent = inside().filter(|id| self.is_divergent(*id));
        let Some(block) = divergent.next() else { return true };
        if divergent.next().is_some() || flow.block(block).role != Role::Shell {
            return false;
        }
        // A loop that lanes leave one by one: those inside only ever become fewer. It is right if nobody reads
        // afterwards.
        let outer_loop =
            flow.path(block).skip(1).take_while(|id| *id != home.block).any(|id| flow.block(id).role == Role::Shell);
        let end = flow.block(block).end;
        !outer_loop && accesses.iter().all(|access| access.written.is_some() || access.position < end)
    }
}
