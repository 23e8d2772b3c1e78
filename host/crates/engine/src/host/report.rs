//! `wit/report.wit`.

use wasmtime::component::{ComponentType, Lift, Linker};

use crate::fuel::charge_call;
use crate::state::State;
use crate::{Event, Level};

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "constructed by lifting")]
enum GuestLevel {
    #[component(name = "error")]
    Error,
    #[component(name = "warn")]
    Warn,
    #[component(name = "info")]
    Info,
    #[component(name = "debug")]
    Debug,
    #[component(name = "trace")]
    Trace,
}

impl From<GuestLevel> for Level {
    fn from(level: GuestLevel) -> Self {
        match level {
            GuestLevel::Error => Self::Error,
            GuestLevel::Warn => Self::Warn,
            GuestLevel::Info => Self::Info,
            GuestLevel::Debug => Self::Debug,
            GuestLevel::Trace => Self::Trace,
        }
    }
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut report = linker.instance("samebit:job/report@0.1.0")?;
    report.func_wrap("log", |mut store, (level, message): (GuestLevel, String)| {
        charge_call(&mut store, message.len() as u64)?;
        store.data().log.append(level.into(), &message)?;
        Ok(())
    })?;
    report.func_wrap("progress", |mut store, (done, total): (u64, u64)| {
        charge_call(&mut store, 0)?;
        store.data().observer.event(Event::Progress { done, total });
        Ok(())
    })?;
    Ok(())
}
