//! How a session ends: the first thing that went wrong with its wgpu device, whoever noticed it.
//!
//! wgpu reports errors to handlers, on any thread, and carries on with objects that do nothing. So every call looks
//! here, before and after: once a session has failed, all that it does fails, and nothing that it read is believed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use samebit_device::DeviceError;

/// What became of a session.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    error: Mutex<Option<DeviceError>>,
    /// The number of the last submission that the GPU has finished.
    done: AtomicU64,
    /// The same, and when it was seen to be.
    last: Mutex<Option<(u64, Instant)>>,
}

impl Fate {
    /// Hears of everything that goes wrong with `device`.
    pub(crate) fn attach(self: &Arc<Self>, device: &wgpu::Device) {
        let fate = self.clone();
        device.on_uncaptured_error(Arc::new(move |error| fate.fail(translate(&error))));
        let fate = self.clone();
        device.set_device_lost_callback(move |reason, message| {
            let message = if message.is_empty() { format!("{reason:?}") } else { message };
            fate.fail(DeviceError::Lost(message));
        });
    }

    /// The session failed. The first error counts, except that a loss explains the errors around it.
    pub(crate) fn fail(&self, error: DeviceError) {
        let mut slot = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*slot, &error) {
            (None, _) | (Some(DeviceError::Failed(_)), DeviceError::Lost(_)) => *slot = Some(error),
            (Some(_), _) => {}
        }
    }

    /// The session's error, if it has failed.
    pub(crate) fn check(&self) -> Result<(), DeviceError> {
        match &*self.error.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// The session's error, or a failure for the reason given, which then is the session's.
    pub(crate) fn failure(&self, reason: &str) -> DeviceError {
        self.fail(DeviceError::Failed(reason.to_owned()));
        self.check().err().unwrap_or_else(|| DeviceError::Failed(reason.to_owned()))
    }

    /// The GPU has finished the submission of this number, and so all before it.
    pub(crate) fn finished(&self, submission: u64) {
        if self.done.fetch_max(submission, Ordering::AcqRel) < submission {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((submission, Instant::now()));
        }
    }

    /// The last submission that the GPU has finished, and when that was seen.
    pub(crate) fn last_finished(&self) -> Option<(u64, Instant)> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the last submission that the GPU has finished.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Acquire)
    }
}

/// An error of wgpu in this workspace's words.
pub(crate) fn translate(error: &wgpu::Error) -> DeviceError {
    match error {
        wgpu::Error::OutOfMemory { source } => DeviceError::OutOfMemory(innermost(source.as_ref())),
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            DeviceError::Failed(description.trim().to_owned())
        }
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "it panicked".to_owned()
    }
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_counts_unless_a_loss_explains_it() {
        let fate = Fate::default();
        assert_eq!(fate.check(), Ok(()));
        fate.fail(DeviceError::Failed("a".into()));
        fate.fail(DeviceError::Failed("b".into()));
        assert_eq!(fate.check(), Err(DeviceError::Failed("a".into())));
        fate.fail(DeviceError::Lost("c".into()));
        fate.fail(DeviceError::OutOfMemory("d".into()));
        assert_eq!(fate.failure("e"), DeviceError::Lost("c".into()));
    }

    #[test]
    fn running_out_of_memory_is_told_from_failing() {
        let source = || Box::new(std::io::Error::other("no room"));
        let error = wgpu::Error::OutOfMemory { source: source() };
        assert_eq!(translate(&error), DeviceError::OutOfMemory("no room".into()));
        let error = wgpu::Error::Validation { source: source(), description: " bad call\n".into() };
        assert_eq!(translate(&error), DeviceError::Failed("bad call".into()));
    }

    #[test]
    fn submissions_finish_in_order() {
        let fate = Fate::default();
        fate.finished(7);
        fate.finished(5);
        assert_eq!(fate.done(), 7);
    }
}
