//! Runs a dispatch again in other orders, and compares the bytes.

use samebit_wgsl::BindingKind;
use samebit_wgsl::lowered::{At, Lowered};

use super::found::buffer_region;
use super::report::{Detail, Difference};
use super::{Checker, Options, Progress, Watcher};
use crate::interp::{self, Ended, InterpError, Observer, Order};

/// Workgroups between two reports of progress.
const PROGRESS_WORKGROUPS: u64 = 1 << 12;

/// What the buffers held before a dispatch. Of buffers that it cannot write, nothing: they still hold it after.
pub(super) struct Before(Vec<Option<Vec<u8>>>);

impl Before {
    pub(super) fn new(kernel: &Lowered, buffers: &[Vec<u8>], options: &Options) -> Self {
        let bindings = kernel.interface.bindings.iter().zip(buffers);
        let copies = bindings.map(|(binding, bytes)| {
            let is_writable = matches!(binding.kind, BindingKind::Storage { writable: true });
            (is_writable && options.orders > 0).then(|| bytes.clone())
        });
        Self(copies.collect())
    }
}

/// The orders besides the first.
fn orders(options: &Options) -> Vec<Order> {
    if options.orders == 0 {
        return Vec::new();
    }
    let shuffled = (0..options.orders).map(|seed| Order::Shuffled(u64::from(seed)));
    [Order::Reversed].into_iter().chain(shuffled).chain([Order::Interleaved(0)]).collect()
}

/// How people call an order.
fn name(order: Order) -> String {
    match order {
        Order::InOrder => "in order".to_owned(),
        Order::Reversed => "the last workgroup and invocation first".to_owned(),
        Order::Shuffled(seed) => format!("random order {}", seed + 1),
        Order::Interleaved(_) => "invocations of several workgroups taking turns at every access".to_owned(),
    }
}

/// How a run begins.
pub(super) fn progress(run: u32, workgroups: [u32; 3], options: &Options) -> Progress {
    let workgroups = workgroups.iter().fold(1_u64, |product, count| product.saturating_mul(u64::from(*count)));
    let runs = 1 + u32::try_from(orders(options).len()).unwrap_or(u32::MAX - 1);
    Progress { run, runs, workgroups_begun: 0, workgroups }
}

/// What the interpreter is told.
pub(super) fn run_options(options: &Options) -> interp::Options {
    interp::Options { loop_iterations: options.loop_iterations, ..interp::Options::default() }
}

/// Runs the dispatch in all other orders, and compares with what the first has left in `after`.
pub(super) fn compare(
    checker: &mut Checker,
    before: &Before,
    after: &[Vec<u8>],
    workgroups: [u32; 3],
    options: &Options,
    watcher: Watcher<'_>,
) -> Result<Ended, InterpError> {
    let mut hashes: Vec<Option<blake3::Hash>> = vec![None; after.len()];
    for (order, run) in orders(options).into_iter().zip(1..) {
        // What the kernel cannot write is read, never copied twice.
        let bytes = before.0.iter().zip(after);
        let mut buffers: Vec<Vec<u8>> = bytes.map(|(before, after)| before.as_ref().unwrap_or(after).clone()).collect();
        let run_options = interp::Options { order, ..run_options(options) };
        let mut watch = Patience { watcher, progress: progress(run, workgroups, options) };
        let ended = interp::run_observed(&checker.plain, &mut buffers, workgroups, &run_options, &mut watch);
        checker.found.compared();
        match ended {
            Ok(Ended::Done) => {}
            Ok(Ended::Stopped) => return Ok(Ended::Stopped),
            Ok(Ended::BudgetSpent(..)) | Err(InterpError::Divergence { .. }) => {
                checker.found.note([At::UNKNOWN; 2], 0, Detail::EndDependent { order: name(order) });
                continue;
            }
            Err(error) => return Err(error),
        }
        for (index, (in_order, in_other)) in after.iter().zip(&buffers).enumerate() {
            if before.0.get(index).is_none_or(Option::is_none) {
                continue;
            }
            let hash_in_order = *hashes[index].get_or_insert_with(|| blake3::hash(in_order));
            let hash_in_other = blake3::hash(in_other);
            if hash_in_order == hash_in_other {
                continue;
            }
            let words = in_order.as_chunks().0.iter().zip(in_other.as_chunks().0);
            let Some((word, (first, second))) = words.enumerate().find(|(_, (a, b))| a != b) else { continue };
            let byte = u32::try_from(word * 4).unwrap_or(u32::MAX);
            let difference = Difference {
                region: buffer_region(&checker.kernel, index, byte),
                in_order: u32::from_le_bytes(*first),
                in_other: u32::from_le_bytes(*second),
                order: name(order),
                hash_in_order: hash_in_order.to_string(),
                hash_in_other: hash_in_other.to_string(),
            };
            let memory = u32::try_from(index).unwrap_or(u32::MAX);
            checker.found.note([At::UNKNOWN; 2], memory, Detail::OrderDependent(difference));
        }
    }
    Ok(Ended::Done)
}

/// Sees only how far a run has come.
struct Patience<'a> {
    watcher: Watcher<'a>,
    progress: Progress,
}

impl Observer for Patience<'_> {
    fn workgroup(&mut self, _: u64) -> bool {
        self.progress.workgroups_begun += 1;
        !self.progress.workgroups_begun.is_multiple_of(PROGRESS_WORKGROUPS) || (self.watcher)(self.progress)
    }

    fn is_stopped(&mut self) -> bool {
        !(self.watcher)(self.progress)
    }
}
