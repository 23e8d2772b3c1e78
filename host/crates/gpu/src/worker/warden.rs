//! The thread that looks after a worker's process: it gives it up when it hangs or nobody needs it, and waits for its end.

use std::process::Child;
use std::sync::PoisonError;
use std::time::Instant;

use samebit_device::DeviceError;
use tokio::sync::oneshot;

use super::link::Shared;
use super::process::{self, Words};

/// Returns when the process is gone, and everybody who waited for it knows why. `reaping` is dropped then.
pub(super) fn watch(shared: &Shared, mut child: Child, reaping: oneshot::Sender<()>) {
    let words = child.stderr.take().and_then(|stderr| Words::listen(stderr).ok());
    let ends_by_itself = wait(shared);
    let how = process::end(&mut child, ends_by_itself);
    let last = words.filter(|_| ends_by_itself).map_or_else(String::new, |words| words.last());
    let mut state = shared.lock();
    let why = format!("the process that runs its driver ended ({how}{last})");
    state.error.get_or_insert(DeviceError::Lost(why));
    state.release();
    drop(state);
    drop(reaping);
}

/// Waits until the process is to go; true if it goes by itself.
fn wait(shared: &Shared) -> bool {
    let mut state = shared.lock();
    loop {
        if state.error.is_some() || state.is_dropped {
            return false;
        }
        if state.has_ended {
            return true;
        }
        let now = Instant::now();
        state = match state.deadline() {
            Some(deadline) if deadline <= now => {
                state.error = Some(state.stuck());
                return false;
            }
            Some(deadline) => {
                let waited = shared.changed.wait_timeout(state, deadline - now);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
    }
}
