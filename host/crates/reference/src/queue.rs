//! What a session has queued, between the calls of a guest and the thread that executes them.
//!
//! The session puts operations in, its executor takes them out one by one, in order. While nothing is queued and nothing
//! runs, the executor sleeps and the session may use memory itself. The first error stays: what is queued after it is
//! taken out and not executed.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use samebit_device::DeviceError;

use crate::launch::Fault;
use crate::operation::Operation;

/// Memory held by writes on their way above which the caller should wait.
const HELD_BYTES: usize = 16 << 20;
/// Operations queued above which the caller should wait.
const OPERATIONS: usize = 1024;

/// The queue.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Wakes the executor.
    wake: Condvar,
}

#[derive(Default)]
struct State {
    operations: VecDeque<Operation>,
    /// How many bytes of [`Self::operations`] and of what runs are held.
    held_bytes: usize,
    /// What the running operation holds of them, while one runs.
    running: Option<usize>,
    asleep: bool,
    fate: Option<Fault>,
    /// The session is gone.
    ended: bool,
    /// The executor is gone.
    exited: bool,
    /// Who waits, and for what.
    waiter: Option<(Waker, Until)>,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Nothing is queued, and nothing runs.
    Idle,
    /// There is room for more.
    Room,
    /// The executor is gone.
    Exited,
}

impl State {
    fn is(&self, until: Until) -> bool {
        match until {
            Until::Idle => self.operations.is_empty() && self.running.is_none(),
            Until::Room => self.held_bytes <= HELD_BYTES / 2 && self.operations.len() <= OPERATIONS / 2,
            Until::Exited => self.exited,
        }
    }

    /// Who is to be woken now.
    fn woken(&mut self) -> Option<Waker> {
        let until = self.waiter.as_ref().map(|(_, until)| *until)?;
        if self.is(until) { self.waiter.take().map(|(waker, _)| waker) } else { None }
    }
}

/// Wakes who waited, if anybody did.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session's error, if it has failed. A spent budget is none.
    pub(crate) fn check(&self) -> Result<(), DeviceError> {
        match &self.lock().fate {
            Some(Fault::Device(error)) => Err(error.clone()),
            Some(Fault::BudgetSpent) | None => Ok(()),
        }
    }

    /// How everything that was queued ended.
    pub(crate) fn fate(&self) -> Result<(), Fault> {
        self.lock().fate.clone().map_or(Ok(()), Err)
    }

    /// Notes how something ended. An error stays, and outweighs a spent budget.
    pub(crate) fn fail(&self, fault: Fault) {
        let mut state = self.lock();
        if !matches!(state.fate, Some(Fault::Device(_))) {
            state.fate = Some(fault);
        }
    }

    /// Whether nothing is queued and nothing runs, so that the session may use memory until it queues something.
    pub(crate) fn is_idle(&self) -> bool {
        self.lock().is(Until::Idle)
    }

    /// Whether the session should wait before it queues more.
    pub(crate) fn is_congested(&self) -> bool {
        let state = self.lock();
        state.held_bytes > HELD_BYTES || state.operations.len() > OPERATIONS
    }

    /// Queues an operation.
    pub(crate) fn push(&self, operation: Operation) {
        let mut state = self.lock();
        state.held_bytes += operation.held_bytes();
        state.operations.push_back(operation);
        let asleep = state.asleep;
        drop(state);
        if asleep {
            self.wake.notify_one();
        }
    }

    /// The session is gone: nothing more is executed.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        let operations = std::mem::take(&mut state.operations);
        drop(state);
        self.wake.notify_one();
        drop(operations);
    }

    /// Waits for something.
    pub(crate) async fn wait(&self, until: Until) {
        poll_fn(|context| self.poll(context, until)).await;
    }

    fn poll(&self, context: &Context<'_>, until: Until) -> Poll<()> {
        let mut state = self.lock();
        if state.is(until) {
            state.waiter = None;
            return Poll::Ready(());
        }
        match &mut state.waiter {
            Some((waker, waited)) if waker.will_wake(context.waker()) => *waited = until,
            waiter => *waiter = Some((context.waker().clone(), until)),
        }
        Poll::Pending
    }

    /// For the executor: the last operation is done, and here is the next one, once there is one. `None` when the session
    /// is gone. Operations after a failure are dropped.
    pub(crate) fn next(&self) -> Option<Operation> {
        let mut state = self.lock();
        let mut dropped = VecDeque::new();
        if let Some(held) = state.running.take() {
            state.held_bytes -= held;
        }
        loop {
            if state.ended {
                return None;
            }
            if state.fate.is_some() {
                dropped = std::mem::take(&mut state.operations);
                state.held_bytes = 0;
            }
            let next = state.operations.pop_front();
            state.running = next.as_ref().map(Operation::held_bytes);
            let woken = state.woken();
            if woken.is_some() {
                drop(state);
                wake(woken);
                state = self.lock();
            }
            if next.is_some() {
                return next;
            }
            if !dropped.is_empty() {
                drop(state);
                dropped.clear();
                state = self.lock();
            }
            if state.operations.is_empty() && !state.ended {
                state.asleep = true;
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.asleep = false;
            }
        }
    }

    /// For the executor: it has let go of everything.
    pub(crate) fn exit(&self) {
        let mut state = self.lock();
        state.exited = true;
        let woken = state.woken();
        drop(state);
        wake(woken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Change;

    fn write(bytes: usize) -> Operation {
        Operation::Change(Change::Write { address: 256, bytes: vec![0; bytes] })
    }

    #[test]
    fn it_is_idle_only_when_the_last_operation_is_done() {
        let queue = Queue::default();
        assert!(queue.is_idle());
        queue.push(write(4));
        queue.push(write(4));
        assert!(queue.next().is_some());
        assert!(queue.next().is_some());
        assert!(!queue.is_idle());
        queue.end();
        assert!(queue.next().is_none());
        assert!(queue.is_idle());
    }

    #[test]
    fn bytes_on_their_way_are_counted_until_they_are_written() {
        let queue = Queue::default();
        queue.push(write(HELD_BYTES + 1));
        assert!(queue.is_congested());
        assert!(queue.next().is_some());
        assert!(queue.is_congested());
        queue.push(write(4));
        assert!(queue.next().is_some());
        assert!(!queue.is_congested());
    }

    #[test]
    fn many_operations_are_too_many() {
        let queue = Queue::default();
        for _ in 0..=OPERATIONS {
            assert!(!queue.is_congested());
            queue.push(Operation::Forget(1));
        }
        assert!(queue.is_congested());
    }

    #[test]
    fn an_error_stays_and_outweighs_a_spent_budget() {
        let queue = Queue::default();
        queue.fail(Fault::BudgetSpent);
        assert_eq!((queue.check(), queue.fate()), (Ok(()), Err(Fault::BudgetSpent)));
        let error = DeviceError::Failed("first".into());
        queue.fail(Fault::Device(error.clone()));
        queue.fail(Fault::Device(DeviceError::Failed("second".into())));
        queue.fail(Fault::BudgetSpent);
        assert_eq!((queue.check(), queue.fate()), (Err(error.clone()), Err(Fault::Device(error))));
    }
}
