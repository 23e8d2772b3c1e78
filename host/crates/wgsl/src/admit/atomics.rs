//! Whether the order of atomic operations can show.
//!
//! Invocations run in any order, so an atomic operation has one answer only if what it leaves behind is the same in each
//! order, and nothing reads what is there in between:
//! - what a changing operation gives back is not used, and so `atomicExchange` and `atomicCompareExchangeWeak` are out;
//! - operations that may change the same word at the same time are of one kind, where `atomicAdd` and `atomicSub` are one;
//! - `atomicLoad` does not read what may be changed at the same time.
//!
//! In workgroup memory, at the same time means without a barrier in between ([`regions`](super::regions)). In buffers it
//! means in the same kernel, since workgroups never wait for each other. `atomicStore` alone is let through: whether all
//! store the same is for `samebit check` to find out, as with every other store.

use std::collections::BTreeMap;

use super::cells::{Bounds, Cells};
use super::regions::Regions;
use super::{Work, operands, place, refusal};
use crate::lowered::{At, AtomicOp, Lowered, Memory, Stmt, Value};
use crate::{Refusal, RefusalReason};

/// Refuses atomics whose order can show.
pub(super) fn check(kernel: &Lowered, text: &str) -> Result<(), Refusal> {
    let mut has_atomics = false;
    operands::visit(&kernel.body, &mut |stmt| has_atomics |= matches!(stmt, Stmt::Atomic { .. }));
    if !has_atomics {
        return Ok(());
    }
    let accesses = accesses(kernel, text)?;
    let mut work = Work::default();
    let mut in_buffers: BTreeMap<Memory, Vec<&Access>> = BTreeMap::new();
    let mut in_workgroup = Vec::new();
    for access in &accesses {
        match access.memory {
            Memory::Workgroup => in_workgroup.push(access),
            memory => in_buffers.entry(memory).or_default().push(access),
        }
    }
    for (memory, accesses) in in_buffers {
        if let Some((one, other)) = conflict(&accesses, &mut work)? {
            return Err(refuse(text, memory, one, other));
        }
    }
    if conflict(&in_workgroup, &mut work)?.is_none() {
        return Ok(());
    }
    Regions::new(&kernel.body, &mut work)?.try_for_each(&mut work, |region, work| {
        let accesses: Vec<&Access> = region.iter().map(|index| in_workgroup[*index]).collect();
        match conflict(&accesses, work)? {
            Some((one, other)) => Err(refuse(text, Memory::Workgroup, one, other)),
            None => Ok(()),
        }
    })
}

/// What an operation does, as far as others of the same kind do not get in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Load,
    Store,
    Add,
    Min,
    Max,
    And,
    Or,
    Xor,
}

/// One atomic operation of the kernel.
#[derive(Debug)]
struct Access {
    memory: Memory,
    kind: Kind,
    name: &'static str,
    cells: Cells,
    at: At,
}

/// The atomic operations in the order of the text, or a refusal of one that shows the order by itself.
fn accesses(kernel: &Lowered, text: &str) -> Result<Vec<Access>, Refusal> {
    let mut is_used = vec![false; kernel.values.len()];
    operands::visit(&kernel.body, &mut |stmt| {
        operands::of_stmt(stmt, |value: Value| is_used[value.0 as usize] = true);
    });
    let bounds = Bounds::new(kernel);
    let mut accesses = Vec::new();
    let mut refused = None;
    operands::visit(&kernel.body, &mut |stmt| {
        let Stmt::Atomic { result, op, place, .. } = stmt else { return };
        let (kind, name) = kind(*op);
        let is_used = result.is_some_and(|result| is_used[result.0 as usize]);
        match kind {
            Some(kind) if kind == Kind::Load || !is_used => {
                accesses.push(Access { memory: place.memory, kind, name, cells: bounds.cells(place), at: place.at });
            }
            kind if refused.is_none() => refused = Some(refuse_result(text, place.at, name, kind.is_some())),
            _ => {}
        }
    });
    refused.map_or(Ok(accesses), Err)
}

/// The kind and name of an operation. It has no kind if it cannot be without its order.
fn kind(op: AtomicOp) -> (Option<Kind>, &'static str) {
    match op {
        AtomicOp::Load => (Some(Kind::Load), "atomicLoad"),
        AtomicOp::Store => (Some(Kind::Store), "atomicStore"),
        AtomicOp::Add => (Some(Kind::Add), "atomicAdd"),
        AtomicOp::Subtract => (Some(Kind::Add), "atomicSub"),
        AtomicOp::MinSigned | AtomicOp::MinUnsigned => (Some(Kind::Min), "atomicMin"),
        AtomicOp::MaxSigned | AtomicOp::MaxUnsigned => (Some(Kind::Max), "atomicMax"),
        AtomicOp::And => (Some(Kind::And), "atomicAnd"),
        AtomicOp::Or => (Some(Kind::Or), "atomicOr"),
        AtomicOp::Xor => (Some(Kind::Xor), "atomicXor"),
        AtomicOp::Exchange => (None, "atomicExchange"),
        AtomicOp::CompareExchange(_) => (None, "atomicCompareExchangeWeak"),
    }
}

fn refuse_result(text: &str, at: At, name: &str, can_be_without: bool) -> Refusal {
    let (what, todo) = if can_be_without {
        (
            format!("what `{name}` gives back depends on the order in which invocations run"),
            "do not use it: count in one dispatch, turn counts into places by a prefix sum, and write in another; or run \
             the job in the profile `native`",
        )
    } else {
        (
            format!("what `{name}` does depends on the order in which invocations run"),
            "use `atomicAdd`, `atomicMin`, `atomicMax`, `atomicAnd`, `atomicOr` or `atomicXor`, or run the job in the \
             profile `native`",
        )
    };
    refusal(RefusalReason::Unsupported, text, at, &what, todo)
}

fn refuse(text: &str, memory: Memory, one: &Access, other: &Access) -> Refusal {
    // The place of the load is the more telling one.
    let (one, other) = if other.kind == Kind::Load { (other, one) } else { (one, other) };
    let (here, there) = (one.name, other.name);
    let other_at = place(text, other.at);
    let what = match one.kind {
        Kind::Load => format!("`{here}` reads what `{there}`{other_at} may be changing, so the order would show"),
        _ => format!("`{here}` and `{there}`{other_at} may change the same word in either order, which shows"),
    };
    let todo = match memory {
        Memory::Workgroup => "put a `workgroupBarrier()` between them, or use words of their own",
        _ => "do them in different dispatches, since workgroups do not wait for each other, or use words of their own",
    };
    refusal(RefusalReason::Unsupported, text, one.at, &what, todo)
}

/// Two of these operations that are of different kinds and may be on the same word.
fn conflict<'a>(accesses: &[&'a Access], work: &mut Work) -> Result<Option<(&'a Access, &'a Access)>, Refusal> {
    // Each kind of operation on the same words once, by its first in the text.
    let mut distinct: BTreeMap<(Kind, Cells), &'a Access> = BTreeMap::new();
    work.take(accesses.len())?;
    for access in accesses {
        distinct.entry((access.kind, access.cells)).or_insert(access);
    }
    let distinct: Vec<&Access> = distinct.into_values().collect();
    let mut rest = &distinct[..];
    for same in distinct.chunk_by(|a, b| a.kind == b.kind) {
        rest = &rest[same.len()..];
        for one in same {
            work.take(rest.len())?;
            if let Some(other) = rest.iter().find(|other| !one.cells.is_apart(&other.cells)) {
                return Ok(Some((one, other)));
            }
        }
    }
    Ok(None)
}
