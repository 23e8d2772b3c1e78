//! How a guest's run ended: sorts what wasmtime returns into outcomes and failures of this host.
//!
//! The line between the two is the heart of verification. What every host would see is a [`Status`]; what only this
//! host saw is a [`RunError`], and no receipt may follow it.

use std::fmt;

use samebit_spec::{Limit, Status, Trap};
use wasmtime_wasi::I32Exit;

use crate::RunError;

/// Why a host function ended the guest.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The guest spent one of its limits: an outcome.
    Exceeded(Limit),
    /// This host could not go on: no outcome.
    Host(RunError),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exceeded(limit) => write!(f, "limit exceeded: {limit}"),
            Self::Host(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Stop {}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Self {
        Self::Host(error)
    }
}

/// Sorts an error out of a guest's call. `refused` is the limit that refused a growth before, if one did.
pub(crate) fn status_of_error(error: wasmtime::Error, refused: Option<Limit>) -> Result<Status, RunError> {
    let error = match error.downcast::<Stop>() {
        Ok(Stop::Exceeded(limit)) => return Ok(Status::Exceeded(limit)),
        Ok(Stop::Host(error)) => return Err(error),
        Err(error) => error,
    };
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        return Ok(match u8::try_from(*code) {
            Ok(0) => Status::Ok,
            Ok(code) => Status::Exited(code),
            // Codes are bytes in WASI 0.2; what an adapter makes of a larger one is "failed".
            Err(_) => Status::Exited(1),
        });
    }
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::OutOfFuel) => Ok(Status::Exceeded(Limit::Fuel)),
        Some(wasmtime::Trap::StackOverflow) => Ok(Status::Trapped(Trap::StackOverflow)),
        // A guest that was refused memory and then trapped, trapped because of it: allocators abort.
        Some(_) if refused.is_some() => Ok(refused.map_or(Status::Ok, Status::Exceeded)),
        Some(trap) => trap_kind(*trap).map(Status::Trapped),
        None if error.is::<wasmtime::PoolConcurrencyLimitError>() => Err(RunError::Memory(error.to_string())),
        None if error.is::<wasmtime::error::OutOfMemory>() => Err(RunError::Memory(error.to_string())),
        // What is left is wasmtime's and WASI's refusal of a call that breaks their rules: a forged handle, a bad
        // string, too many handles. None of it depends on the host.
        None => Ok(Status::Trapped(Trap::BrokenContract)),
    }
}

/// Sorts an error out of instantiating a component, where besides a guest's own code the limits and the pool can fail.
pub(crate) fn status_of_instantiation(error: wasmtime::Error, refused: Option<Limit>) -> Result<Status, RunError> {
    if error.is::<Stop>() || error.is::<wasmtime::Trap>() || error.is::<I32Exit>() {
        return status_of_error(error, refused);
    }
    if let Some(limit) = refused {
        return Ok(Status::Exceeded(limit));
    }
    let text = format!("{error:#}");
    // wasmtime gives this no type of its own; a test holds it to the wording.
    if text.contains("instance count too high") {
        return Ok(Status::Exceeded(Limit::Instances));
    }
    if error.is::<wasmtime::PoolConcurrencyLimitError>() || error.is::<wasmtime::error::OutOfMemory>() {
        return Err(RunError::Memory(text));
    }
    Err(RunError::Host(format!("the module could not be instantiated: {text}")))
}

fn trap_kind(trap: wasmtime::Trap) -> Result<Trap, RunError> {
    use wasmtime::Trap as W;
    Ok(match trap {
        W::UnreachableCodeReached => Trap::Unreachable,
        W::MemoryOutOfBounds | W::HeapMisaligned => Trap::MemoryOutOfBounds,
        W::TableOutOfBounds => Trap::TableOutOfBounds,
        W::IndirectCallToNull | W::NullReference => Trap::IndirectCallToNull,
        W::BadSignature => Trap::BadSignature,
        W::IntegerOverflow => Trap::IntegerOverflow,
        W::IntegerDivisionByZero => Trap::IntegerDivisionByZero,
        W::BadConversionToInteger => Trap::BadConversionToInteger,
        W::StackOverflow => Trap::StackOverflow,
        W::Interrupt => return Err(RunError::Host("the guest was interrupted".to_owned())),
        _ => Trap::BrokenContract,
    })
}
