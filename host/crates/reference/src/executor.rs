//! The thread that executes what a session queues.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use samebit_device::{DeviceError, Grid, limits};

use crate::compile::panic_text;
use crate::engine::THREAD_STACK_BYTES;
use crate::launch::{Fault, Ground, Launch};
use crate::operation::{Dispatch, Operation};
use crate::pool::Pool;
use crate::queue::Queue;

/// What executes a session's operations.
pub(crate) struct Executor {
    pub(crate) queue: Arc<Queue>,
    pub(crate) ground: Arc<Ground>,
    pub(crate) pool: Arc<Pool>,
    /// How many iterations of loops an invocation may begin in a launch.
    pub(crate) loop_budget: u32,
}

impl Executor {
    /// Starts the thread. It ends when the queue does.
    pub(crate) fn start(self) -> Result<JoinHandle<()>, DeviceError> {
        let thread = std::thread::Builder::new().name("samebit-session".to_owned()).stack_size(THREAD_STACK_BYTES);
        thread
            .spawn(move || {
                let queue = self.queue.clone();
                self.run();
                // Everything is let go of by now, so that whoever waits for it finds the memory free.
                queue.exit();
            })
            .map_err(|error| DeviceError::Failed(format!("no thread could be started for a session: {error}")))
    }

    fn run(self) {
        while let Some(operation) = self.queue.next() {
            let fault = match catch_unwind(AssertUnwindSafe(|| self.execute(operation))) {
                Ok(Ok(())) => continue,
                Ok(Err(fault)) => fault,
                Err(panic) => {
                    let what = panic_text(&*panic);
                    Fault::Device(DeviceError::Failed(format!("executing a call panicked: {what}; report it")))
                }
            };
            self.queue.fail(fault);
        }
    }

    fn execute(&self, operation: Operation) -> Result<(), Fault> {
        match operation {
            Operation::Dispatch(dispatch) => return self.dispatch(*dispatch),
            Operation::Forget(key) => self.ground.forget(key),
            Operation::Change(change) => change.apply(&mut self.ground.memory.exclusive()),
        }
        Ok(())
    }

    fn dispatch(&self, dispatch: Dispatch) -> Result<(), Fault> {
        let Dispatch { kernel, bindings, grid, scratch } = dispatch;
        let grid = match grid {
            Grid::Direct(counts) => counts,
            Grid::Indirect { offset, .. } => self.ground.memory.exclusive().words(offset),
        };
        if grid.iter().any(|count| *count == 0 || *count > limits::WORKGROUPS) {
            return Ok(());
        }
        self.ground.memory.set_params(grid, self.loop_budget, &bindings);
        let launch = Arc::new(Launch::new(self.ground.clone(), kernel, scratch, grid));
        let mut help = launch.is_long().then(|| self.pool.offer(&launch));
        launch.lead(|| {
            help.get_or_insert_with(|| self.pool.offer(&launch));
        });
        drop(help);
        launch.fate()
    }
}
