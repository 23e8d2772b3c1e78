//! The threads that help a session run its launches: one for each core but the one that the session itself runs on.
//!
//! All sessions of a device share them. A launch that wants help is put up; threads without work join the one that has
//! the fewest helpers, and look around after each piece of work while more than one is up. A session always works on its
//! own launch too, so none of them waits for another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;

use crate::compile::panic_text;
use crate::engine::THREAD_STACK_BYTES;
use crate::launch::Launch;

/// Threads, started when they are first needed. They end when this is dropped.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    /// How many threads there are at most.
    size: usize,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    /// How many launches are up, to be looked at without the lock.
    up: AtomicUsize,
}

#[derive(Default)]
struct State {
    offers: Vec<Offer>,
    started: usize,
    idle: usize,
    ended: bool,
}

/// A launch that wants help.
struct Offer {
    launch: Arc<Launch>,
    helpers: Arc<Helpers>,
}

/// Who helps with a launch.
struct Helpers {
    count: AtomicUsize,
    owner: Thread,
}

/// A launch that is up. Dropping it takes it down, and waits until nobody helps any more.
pub(crate) struct Help<'a> {
    shared: &'a Shared,
    helpers: Arc<Helpers>,
}

impl Pool {
    /// A pool of at most so many threads.
    pub(crate) fn new(size: usize) -> Self {
        let shared = Shared { state: Mutex::default(), wake: Condvar::new(), up: AtomicUsize::new(0) };
        Self { shared: Arc::new(shared), size }
    }

    /// How many threads may work on one launch, the caller's included.
    pub(crate) fn threads(&self) -> usize {
        self.size + 1
    }

    /// Asks for help with a launch.
    pub(crate) fn offer(&self, launch: &Arc<Launch>) -> Help<'_> {
        let helpers = Arc::new(Helpers { count: AtomicUsize::new(0), owner: std::thread::current() });
        let mut state = self.shared.lock();
        state.offers.push(Offer { launch: launch.clone(), helpers: helpers.clone() });
        self.shared.up.store(state.offers.len(), Ordering::Relaxed);
        let missing = launch.helpers_max().saturating_sub(state.idle);
        for _ in 0..missing.min(self.size - state.started) {
            self.start(&mut state);
        }
        let idle = state.idle > 0;
        drop(state);
        if idle {
            self.shared.wake.notify_one();
        }
        Help { shared: &self.shared, helpers }
    }

    /// Starts a thread. Without it there is less help, and no harm.
    fn start(&self, state: &mut State) {
        let shared = self.shared.clone();
        let thread = std::thread::Builder::new().name("samebit-worker".to_owned()).stack_size(THREAD_STACK_BYTES);
        // It looks for work before it waits, and is counted as idle only then.
        state.started += usize::from(thread.spawn(move || shared.work()).is_ok());
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread of the pool does.
    fn work(&self) {
        while let Some(Offer { launch, helpers }) = self.join() {
            let help = || launch.help(|| self.up.load(Ordering::Relaxed) > 1);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(help)) {
                launch.fail_by_panic(&panic_text(&*panic));
            }
            // The session frees its memory once nobody helps, so let go of it first.
            drop(launch);
            helpers.leave();
        }
    }

    /// Waits for a launch that wants help, until the pool ends.
    fn join(&self) -> Option<Offer> {
        let mut state = self.lock();
        loop {
            if state.ended {
                return None;
            }
            let open = state.offers.iter().filter(|offer| offer.is_open());
            if let Some(offer) = open.min_by_key(|offer| offer.helpers.count()) {
                offer.helpers.count.fetch_add(1, Ordering::Relaxed);
                let taken = Offer { launch: offer.launch.clone(), helpers: offer.helpers.clone() };
                let more = state.idle > 0 && state.offers.iter().any(Offer::is_open);
                drop(state);
                // Each that wakes wakes the next, so that the session need not.
                if more {
                    self.wake.notify_one();
                }
                return Some(taken);
            }
            state.idle += 1;
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

impl Offer {
    fn is_open(&self) -> bool {
        self.helpers.count() < self.launch.helpers_max() && self.launch.has_work()
    }
}

impl Helpers {
    fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    fn leave(&self) {
        // The owner may be gone as soon as the count is 0, but its handle is held by `self`.
        if self.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.owner.unpark();
        }
    }
}

impl Drop for Help<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.offers.retain(|offer| !Arc::ptr_eq(&offer.helpers, &self.helpers));
        self.shared.up.store(state.offers.len(), Ordering::Relaxed);
        drop(state);
        let mut spins = 0;
        while self.helpers.count() > 0 {
            if spins < 200 {
                spins += 1;
                std::hint::spin_loop();
            } else {
                std::thread::park();
            }
        }
    }
}
