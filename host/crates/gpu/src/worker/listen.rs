//! What a worker says, from the host's side. A driver that went wrong may have written any of it, so nothing is believed:
//! an answer that nobody waits for, more bytes than were asked for and counts that cannot be end the session.

use std::io::{BufReader, Read};

use samebit_device::wgsl::Refusal;
use samebit_device::{Battery, DeviceError, DeviceInfo, FinishError, KernelFault};

use super::frame::{self, FrameError};
use super::link::{Shared, broken};
use super::message::Reply;
use super::process::clean;
use crate::adapters::SelectError;

/// Longest text about an error that is passed on.
const ERROR_LENGTH: usize = 4 << 10;
/// Longest name that is passed on, of a device or of something it has.
const NAME_LENGTH: usize = 256;
/// Most devices of a machine, and most limits and features of a device.
const ENTRIES: usize = 256;

/// Reads until the worker ends, or says what it should not.
pub(super) fn listen(shared: &Shared, from: impl Read) {
    let mut from = BufReader::with_capacity(64 << 10, from);
    loop {
        let heard = frame::read(&mut from).and_then(|reply| match reply {
            None => Ok(None),
            Some(reply) => hear(shared, reply, &mut from).map(Some),
        });
        match heard {
            Ok(Some(Ok(()))) => {}
            Ok(Some(Err(error))) => return shared.fail(error),
            // How it ended is for the warden to find out.
            Ok(None) | Err(FrameError::Io(_)) => break,
            Err(error) => return shared.fail(broken(&error.to_string())),
        }
    }
    shared.lock().has_ended = true;
    shared.changed.notify_all();
}

/// Takes one message. The outer error is the stream's, the inner one the session's.
fn hear(shared: &Shared, reply: Reply, from: &mut impl Read) -> Result<Result<(), DeviceError>, FrameError> {
    let mut state = shared.lock();
    state.hear();
    match reply {
        Reply::Alive => {}
        Reply::Taken(taken) if state.take(taken) => {}
        Reply::Taken(_) => return Ok(Err(broken("it took what it was not given"))),
        Reply::Failed(error) => return Ok(Err(cleaned(error))),
        Reply::Piece(size) => {
            drop(state);
            let bytes = frame::read_bulk(from, size)?;
            return Ok(deliver(shared, bytes));
        }
        answer => {
            let waiter = answer.kind().and_then(|kind| state.answered(kind));
            let Some(waiter) = waiter else { return Ok(Err(broken("it answered what it was not asked"))) };
            let is_short = waiter.pieces.is_some_and(|pieces| pieces.left > 0);
            if is_short && matches!(answer, Reply::Read(Ok(()))) {
                return Ok(Err(broken("it read out less than it was asked for")));
            }
            match checked(answer) {
                // Whoever asked may have given up.
                Some(answer) => drop(waiter.answer.send(answer)),
                None => return Ok(Err(broken("it described a device that cannot be"))),
            }
        }
    }
    Ok(Ok(()))
}

/// Hands a piece on, and waits until there is room for it.
fn deliver(shared: &Shared, bytes: Vec<u8>) -> Result<(), DeviceError> {
    let sender = {
        let mut state = shared.lock();
        let Some(pieces) = state.reading() else {
            return Err(broken("it read out what it was not asked for"));
        };
        let Some(left) = pieces.left.checked_sub(bytes.len() as u64) else {
            return Err(broken("it read out more than it was asked for"));
        };
        pieces.left = left;
        let sender = pieces.sender.clone();
        state.is_delivering = true;
        sender
    };
    // Whoever reads may have had enough; the rest of the read is passed over.
    let _ = sender.blocking_send(bytes);
    let mut state = shared.lock();
    state.is_delivering = false;
    state.hear();
    drop(state);
    shared.changed.notify_all();
    Ok(())
}

/// An answer whose texts can be shown; `None` if it cannot be.
fn checked(answer: Reply) -> Option<Reply> {
    Some(match answer {
        Reply::Listed(infos) if infos.len() <= ENTRIES => {
            Reply::Listed(infos.into_iter().map(described).collect::<Option<_>>()?)
        }
        Reply::Listed(_) => return None,
        Reply::Selected(Ok(info)) => Reply::Selected(Ok(described(info)?)),
        Reply::Selected(Err(error)) => Reply::Selected(Err(unselected(error))),
        Reply::Opened(Ok(Some(battery))) => Reply::Opened(Ok(Some(tested(battery)?))),
        Reply::Opened(result) => Reply::Opened(result.map_err(cleaned)),
        Reply::Kernel(Err(KernelFault::Device(error))) => Reply::Kernel(Err(cleaned(error).into())),
        Reply::Kernel(Err(KernelFault::Refused(refusal))) => {
            let lines = refusal.message.lines().map(|line| clean(line, ERROR_LENGTH)).collect::<Vec<_>>();
            Reply::Kernel(Err(Refusal { message: lines.join("\n"), ..refusal }.into()))
        }
        Reply::Read(Err(FinishError::Device(error))) => Reply::Read(Err(cleaned(error).into())),
        Reply::Rates(Err(FinishError::Device(error))) => Reply::Rates(Err(cleaned(error).into())),
        Reply::Hashed(Err(FinishError::Device(error))) => Reply::Hashed(Err(cleaned(error).into())),
        Reply::Finished(Err(FinishError::Device(error))) => Reply::Finished(Err(cleaned(error).into())),
        other => other,
    })
}

fn described(info: DeviceInfo) -> Option<DeviceInfo> {
    if info.limits.len() > ENTRIES || info.features.len() > ENTRIES {
        return None;
    }
    let name = |text: &str| clean(text, NAME_LENGTH);
    Some(DeviceInfo {
        name: name(&info.name),
        driver: name(&info.driver),
        backend: name(&info.backend),
        kind: info.kind,
        limits: info.limits.iter().map(|(key, value)| (name(key), *value)).collect(),
        features: info.features.iter().map(|feature| name(feature)).collect(),
        unsuitable: info.unsuitable.as_deref().map(name),
        battery: match info.battery {
            Some(battery) => Some(tested(battery)?),
            None => None,
        },
    })
}

fn tested(battery: Battery) -> Option<Battery> {
    if battery.operations.len() > ENTRIES {
        return None;
    }
    let name = |text: &str| clean(text, NAME_LENGTH);
    let operations = battery.operations.iter().map(|(operation, method)| (name(operation), name(method))).collect();
    Some(Battery { operations, ..battery })
}

fn unselected(error: SelectError) -> SelectError {
    let table = |text: &str| text.lines().take(ENTRIES).map(|line| clean_line(line) + "\n").collect();
    let name = |text: &str| clean(text, NAME_LENGTH);
    match error {
        SelectError::NotFound { choice, available } => {
            SelectError::NotFound { choice: name(&choice), available: table(&available) }
        }
        SelectError::Ambiguous { choice, available } => {
            SelectError::Ambiguous { choice: name(&choice), available: table(&available) }
        }
        SelectError::Unsuitable { name: of, reason } => {
            SelectError::Unsuitable { name: name(&of), reason: name(&reason) }
        }
        SelectError::NoAdapter => SelectError::NoAdapter,
    }
}

/// A line of a table, which is indented.
fn clean_line(line: &str) -> String {
    format!("  {}", clean(line, NAME_LENGTH))
}

fn cleaned(error: DeviceError) -> DeviceError {
    let text = |text: &str| clean(text, ERROR_LENGTH);
    match error {
        DeviceError::Unavailable(why) => DeviceError::Unavailable(text(&why)),
        DeviceError::Lost(why) => DeviceError::Lost(text(&why)),
        DeviceError::OutOfMemory(why) => DeviceError::OutOfMemory(text(&why)),
        DeviceError::Failed(why) => DeviceError::Failed(text(&why)),
        error => error,
    }
}
