//! One launch while it runs: its workgroups, handed out in pieces to whoever works on it.
//!
//! Pieces are consecutive workgroups. They are large at first and smaller towards the end, so that all threads finish at
//! about the same time, but never so small that handing them out counts, nor so large that a thread could not turn to
//! something else for long. How long a workgroup takes is measured as they run.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use samebit_device::DeviceError;

use crate::codegen::Status;
use crate::compile::Compiled;
use crate::memory::{Memory, Runner, Workgroups};

/// How long a piece of work takes at least, if there is enough of it.
const PIECE_MIN: Duration = Duration::from_micros(15);
/// And at most, if workgroups are short enough.
const PIECE_MAX: Duration = Duration::from_millis(2);
/// How long a launch takes before it is worth asking for help.
const ALONE: Duration = Duration::from_micros(40);
/// Kernels that are kept ready for one thread. Making one ready takes a few microseconds.
const RUNNERS_MAX: usize = 16;

/// A kernel of a session.
pub(crate) struct Kernel {
    /// Names it within the session.
    pub(crate) key: u64,
    /// Its code.
    pub(crate) compiled: Compiled,
    /// How long a workgroup takes in nanoseconds, about; 0 if none has run.
    cost_ns: AtomicU32,
}

impl Kernel {
    /// A kernel that has not run.
    pub(crate) fn new(key: u64, compiled: Compiled) -> Self {
        Self { key, compiled, cost_ns: AtomicU32::new(0) }
    }

    fn measured(&self, taken: Duration, count: u32) {
        let new = (taken.as_nanos() as u64 / u64::from(count)).clamp(1, u64::from(u32::MAX / 4)) as u32;
        let old = self.cost_ns.load(Ordering::Relaxed);
        let cost = if old == 0 { new } else { ((3 * u64::from(old) + u64::from(new)) / 4) as u32 };
        self.cost_ns.store(cost.max(1), Ordering::Relaxed);
    }
}

/// What threads need to run a session's kernels.
pub(crate) struct Ground {
    /// The session's memory.
    pub(crate) memory: Memory,
    seats: Vec<Mutex<Seat>>,
}

/// What one thread at a time needs.
#[derive(Default)]
struct Seat {
    /// The kernels that ran here last, the last one first.
    runners: Vec<(u64, Runner)>,
}

impl Ground {
    /// Ground for so many threads.
    pub(crate) fn new(memory: Memory, threads: usize) -> Self {
        Self { memory, seats: (0..threads).map(|_| Mutex::default()).collect() }
    }

    /// Lets go of a kernel.
    pub(crate) fn forget(&self, key: u64) {
        for seat in &self.seats {
            seat.lock().unwrap_or_else(PoisonError::into_inner).runners.retain(|(other, _)| *other != key);
        }
    }
}

impl Seat {
    fn runner(&mut self, memory: &Memory, kernel: &Kernel) -> Result<&mut Runner, DeviceError> {
        match self.runners.iter().position(|(key, _)| *key == kernel.key) {
            Some(at) => self.runners[..=at].rotate_right(1),
            None => {
                let runner = memory.runner(&kernel.compiled.module)?;
                self.runners.truncate(RUNNERS_MAX - 1);
                self.runners.insert(0, (kernel.key, runner));
            }
        }
        Ok(&mut self.runners[0].1)
    }
}

/// Scratch memory: a part for each seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scratch {
    /// Where the first part is.
    pub(crate) address: u64,
    /// How large each is.
    pub(crate) stride: u64,
    /// How many there are.
    pub(crate) seats: usize,
}

/// A launch that runs.
pub(crate) struct Launch {
    ground: Arc<Ground>,
    kernel: Arc<Kernel>,
    scratch: Scratch,
    grid: [u32; 3],
    total: u64,
    /// The first workgroup that nobody has taken.
    next: AtomicU64,
    stopped: AtomicBool,
    fate: Mutex<Result<(), Fault>>,
}

/// How a launch failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An invocation spent its budget of loop iterations.
    BudgetSpent,
    /// This machine's fault.
    Device(DeviceError),
}

impl Launch {
    /// A launch over a grid, of which nothing has run. The parameter block is set already.
    pub(crate) fn new(ground: Arc<Ground>, kernel: Arc<Kernel>, scratch: Scratch, grid: [u32; 3]) -> Self {
        let total = grid.into_iter().map(u64::from).product();
        let stopped = AtomicBool::new(false);
        Self { ground, kernel, scratch, grid, total, next: AtomicU64::new(0), stopped, fate: Mutex::new(Ok(())) }
    }

    /// How many threads may help.
    pub(crate) fn helpers_max(&self) -> usize {
        let pieces = self.total.min(self.scratch.seats as u64) as usize;
        pieces.saturating_sub(1)
    }

    /// Whether there are workgroups that nobody has taken.
    pub(crate) fn has_work(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed) && self.next.load(Ordering::Relaxed) < self.total
    }

    /// Whether it takes so long, going by earlier launches of the kernel, that it is worth asking for help at once.
    pub(crate) fn is_long(&self) -> bool {
        let cost_ns = u64::from(self.kernel.cost_ns.load(Ordering::Relaxed));
        self.helpers_max() > 0 && (cost_ns == 0 || cost_ns.saturating_mul(self.total) > ALONE.as_nanos() as u64)
    }

    /// Works until all is taken, as the session itself. `ask` is called once, if it takes so long that help is wanted.
    pub(crate) fn lead(&self, mut ask: impl FnMut()) {
        let begin = Instant::now();
        let mut asked = false;
        let worked = self.work(|| {
            if !asked && self.helpers_max() > 0 && begin.elapsed() > ALONE && self.has_work() {
                asked = true;
                ask();
            }
            false
        });
        if !worked {
            self.fail(DeviceError::Failed("too many threads work for one session; report it".to_owned()));
        }
    }

    /// Works until all is taken, or until `turn` says after a piece to turn to something else.
    pub(crate) fn help(&self, turn: impl FnMut() -> bool) {
        self.work(turn);
    }

    /// How it ended, once nobody works on it.
    pub(crate) fn fate(&self) -> Result<(), Fault> {
        self.lock_fate().clone()
    }

    /// Somebody who worked on it panicked.
    pub(crate) fn fail_by_panic(&self, what: &str) {
        self.fail(DeviceError::Failed(format!("running a kernel panicked: {what}; report the kernel")));
    }

    /// Works until all is taken or `turn` says so. False if there is no seat for one more thread.
    fn work(&self, mut turn: impl FnMut() -> bool) -> bool {
        let seats = self.ground.seats.iter().take(self.scratch.seats).enumerate();
        let Some((number, mut seat)) = seats.filter_map(|(at, seat)| Some((at, seat.try_lock().ok()?))).next() else {
            return false;
        };
        let scratch = (self.scratch.address + number as u64 * self.scratch.stride) as u32;
        let runner = match seat.runner(&self.ground.memory, &self.kernel) {
            Ok(runner) => runner,
            Err(error) => {
                self.fail(error);
                return true;
            }
        };
        let running = self.ground.memory.running();
        while let Some(groups) = self.take() {
            let begin = Instant::now();
            match running.run(runner, scratch, groups) {
                Ok(status) if status == Status::Done as u32 => self.kernel.measured(begin.elapsed(), groups.count),
                Ok(status) if status == Status::BudgetSpent as u32 => self.spend(),
                Ok(_) => self.stop(),
                Err(error) => self.fail(error),
            }
            if turn() {
                break;
            }
        }
        true
    }

    /// Takes the next piece.
    fn take(&self) -> Option<Workgroups> {
        let cost_ns = u128::from(self.kernel.cost_ns.load(Ordering::Relaxed));
        let within = |time: Duration| time.as_nanos().checked_div(cost_ns).unwrap_or(1).max(1) as u64;
        let (least, most) = (within(PIECE_MIN), within(PIECE_MAX));
        let mut first = self.next.load(Ordering::Relaxed);
        loop {
            let left = self.total.checked_sub(first).filter(|left| *left > 0)?;
            if self.stopped.load(Ordering::Relaxed) {
                return None;
            }
            let share = left / (4 * self.scratch.seats as u64);
            let count = share.clamp(least, most).min(left);
            match self.next.compare_exchange_weak(first, first + count, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(Workgroups { first: self.position(first), count: count as u32 }),
                Err(now) => first = now,
            }
        }
    }

    /// The id of a workgroup by its number, x moving fastest.
    fn position(&self, number: u64) -> [u32; 3] {
        let [x, y, _] = self.grid.map(u64::from);
        [number % x, number / x % y, number / x / y].map(|id| id as u32)
    }

    /// All that this session runs means nothing from here on, so others need not go on with it either.
    fn spend(&self) {
        self.ground.memory.cancel();
        self.stop();
        let mut fate = self.lock_fate();
        if fate.is_ok() {
            *fate = Err(Fault::BudgetSpent);
        }
    }

    fn fail(&self, error: DeviceError) {
        self.stop();
        let mut fate = self.lock_fate();
        if !matches!(&*fate, Err(Fault::Device(_))) {
            *fate = Err(Fault::Device(error));
        }
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn lock_fate(&self) -> MutexGuard<'_, Result<(), Fault>> {
        self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
