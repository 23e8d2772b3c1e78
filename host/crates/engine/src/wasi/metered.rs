//! What calls of WASI cost.
//!
//! `wasmtime-wasi` knows no fuel: a guest that asked it for a megabyte of random numbers, or to poll a list of a million
//! timers, would keep the host busy for next to nothing. So every function that a guest without files and sockets can
//! reach is linked again here, takes its fuel, and then does what `wasmtime-wasi` does.
//!
//! What is left out needs a handle that no guest can get: files, sockets, errors of streams.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task;

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentNamedList, Linker, LinkerInstance, Lower, Resource};
use wasmtime_wasi::cli::WasiCliView;
use wasmtime_wasi::filesystem::WasiFilesystemView;
use wasmtime_wasi::p2::bindings::io::poll::{Host as Poll, HostPollable};
use wasmtime_wasi::p2::bindings::io::streams::{
    Host as Streams, HostInputStream, HostOutputStream, StreamError as GuestStreamError,
};
use wasmtime_wasi::p2::bindings::{cli, filesystem, sockets};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, StreamResult};
use wasmtime_wasi::sockets::WasiSocketsView;

use super::clock;
use crate::RunError;
use crate::end::Stop;
use crate::fuel::{POLL_PER_ENTRY, charge, charge_bytes, charge_call};
use crate::state::State;

/// The most random bytes of one call.
const RANDOM_BYTES_MAX: usize = 1 << 20;

type Store<'a> = StoreContextMut<'a, State>;
type In = Resource<DynInputStream>;
type Out = Resource<DynOutputStream>;
/// What a stream's function gives: an error ends the guest, an inner one is the guest's to handle.
type Answer<T> = wasmtime::Result<(Result<T, GuestStreamError>,)>;

/// Takes the place of `wasmtime-wasi`'s functions.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    link_getters(linker)?;
    link_random(linker)?;
    link_sockets(linker)?;
    link_poll(linker)?;
    let mut streams = linker.instance("wasi:io/streams@0.2.12")?;
    link_input(&mut streams)?;
    link_output(&mut streams)
}

/// Links a function without parameters, whose answer is small.
fn getter<R>(
    interface: &mut LinkerInstance<'_, State>,
    name: &str,
    get: fn(&mut State) -> wasmtime::Result<R>,
) -> wasmtime::Result<()>
where
    R: 'static,
    (R,): ComponentNamedList + Lower,
{
    interface.func_wrap(name, move |mut store: Store<'_>, ()| {
        charge_call(&mut store, 0)?;
        Ok((get(store.data_mut())?,))
    })
}

fn link_getters(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use cli::environment::Host as Environment;
    let mut environment = linker.instance("wasi:cli/environment@0.2.12")?;
    getter(&mut environment, "get-environment", |state| state.cli().get_environment())?;
    getter(&mut environment, "initial-cwd", |state| state.cli().initial_cwd())?;
    environment.func_wrap("get-arguments", |mut store: Store<'_>, ()| {
        let arguments = store.data_mut().cli().get_arguments()?;
        charge_call(&mut store, arguments.iter().map(|argument| argument.len() as u64 + 8).sum())?;
        Ok((arguments,))
    })?;
    getter(&mut linker.instance("wasi:cli/stdin@0.2.12")?, "get-stdin", |state| {
        cli::stdin::Host::get_stdin(&mut state.cli())
    })?;
    getter(&mut linker.instance("wasi:cli/stdout@0.2.12")?, "get-stdout", |state| {
        cli::stdout::Host::get_stdout(&mut state.cli())
    })?;
    getter(&mut linker.instance("wasi:cli/stderr@0.2.12")?, "get-stderr", |state| {
        cli::stderr::Host::get_stderr(&mut state.cli())
    })?;
    getter(&mut linker.instance("wasi:cli/terminal-stdin@0.2.12")?, "get-terminal-stdin", |state| {
        cli::terminal_stdin::Host::get_terminal_stdin(&mut state.cli())
    })?;
    getter(&mut linker.instance("wasi:cli/terminal-stdout@0.2.12")?, "get-terminal-stdout", |state| {
        cli::terminal_stdout::Host::get_terminal_stdout(&mut state.cli())
    })?;
    getter(&mut linker.instance("wasi:cli/terminal-stderr@0.2.12")?, "get-terminal-stderr", |state| {
        cli::terminal_stderr::Host::get_terminal_stderr(&mut state.cli())
    })?;
    getter(&mut linker.instance("wasi:filesystem/preopens@0.2.12")?, "get-directories", |state| {
        filesystem::preopens::Host::get_directories(&mut state.filesystem())
    })
}

/// Random numbers are this crate's own altogether: see [`random`](super::random).
fn link_random(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut secure = linker.instance("wasi:random/random@0.2.12")?;
    getter(&mut secure, "get-random-u64", |state| Ok(state.random.secure.number()))?;
    secure.func_wrap("get-random-bytes", |mut store: Store<'_>, (size,): (u64,)| {
        let size = charge_random(&mut store, size)?;
        Ok((store.data_mut().random.secure.bytes(size),))
    })?;
    let mut insecure = linker.instance("wasi:random/insecure@0.2.12")?;
    getter(&mut insecure, "get-insecure-random-u64", |state| Ok(state.random.insecure.number()))?;
    insecure.func_wrap("get-insecure-random-bytes", |mut store: Store<'_>, (size,): (u64,)| {
        let size = charge_random(&mut store, size)?;
        Ok((store.data_mut().random.insecure.bytes(size),))
    })?;
    let mut seed = linker.instance("wasi:random/insecure-seed@0.2.12")?;
    getter(&mut seed, "insecure-seed", |state| Ok(state.random.seed))
}

/// A random byte costs as much as an instruction. A guest that asks for more than are given at once is ended.
fn charge_random(store: &mut Store<'_>, size: u64) -> wasmtime::Result<usize> {
    charge_call(store, 0)?;
    let granted = usize::try_from(size).ok().filter(|size| *size <= RANDOM_BYTES_MAX);
    let granted = granted.ok_or_else(|| wasmtime::format_err!("{size} random bytes were asked for at once"))?;
    charge(store, size)?;
    Ok(granted)
}

fn link_sockets(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use sockets::{instance_network, ip_name_lookup, network, tcp_create_socket, udp_create_socket};
    let mut interface = linker.instance("wasi:sockets/instance-network@0.2.12")?;
    getter(&mut interface, "instance-network", |state| instance_network::Host::instance_network(&mut state.sockets()))?;
    let mut interface = linker.instance("wasi:sockets/tcp-create-socket@0.2.12")?;
    interface.func_wrap("create-tcp-socket", |mut store: Store<'_>, (family,): (network::IpAddressFamily,)| {
        charge_call(&mut store, 0)?;
        let mut sockets = store.data_mut().sockets();
        let created = tcp_create_socket::Host::create_tcp_socket(&mut sockets, family);
        Ok((created.map(Ok).or_else(|error| network::Host::convert_error_code(&mut sockets, error).map(Err))?,))
    })?;
    let mut interface = linker.instance("wasi:sockets/udp-create-socket@0.2.12")?;
    interface.func_wrap_async(
        "create-udp-socket",
        |mut store: Store<'_>, (family,): (network::IpAddressFamily,)| {
            Box::new(async move {
                charge_call(&mut store, 0)?;
                let mut sockets = store.data_mut().sockets();
                let created = udp_create_socket::Host::create_udp_socket(&mut sockets, family).await;
                Ok((created
                    .map(Ok)
                    .or_else(|error| network::Host::convert_error_code(&mut sockets, error).map(Err))?,))
            })
        },
    )?;
    let mut interface = linker.instance("wasi:sockets/ip-name-lookup@0.2.12")?;
    interface.func_wrap(
        "resolve-addresses",
        |mut store: Store<'_>, (network, name): (Resource<wasmtime_wasi::p2::Network>, String)| {
            charge_call(&mut store, name.len() as u64)?;
            let mut sockets = store.data_mut().sockets();
            let found = ip_name_lookup::Host::resolve_addresses(&mut sockets, network, name);
            Ok((found.map(Ok).or_else(|error| network::Host::convert_error_code(&mut sockets, error).map(Err))?,))
        },
    )
}

fn link_poll(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut poll = linker.instance("wasi:io/poll@0.2.12")?;
    poll.func_wrap_async("poll", |mut store: Store<'_>, (list,): (Vec<Resource<DynPollable>>,)| {
        Box::new(async move {
            charge(&mut store, list.len() as u64 * POLL_PER_ENTRY)?;
            Ok((wait(&mut store, &list).await?,))
        })
    })?;
    poll.func_wrap_async("[method]pollable.ready", |mut store: Store<'_>, (pollable,): (Resource<DynPollable>,)| {
        Box::new(async move {
            clock::now(&mut store)?;
            Ok((HostPollable::ready(&mut store.data_mut().table, pollable).await?,))
        })
    })?;
    poll.func_wrap_async("[method]pollable.block", |mut store: Store<'_>, (pollable,): (Resource<DynPollable>,)| {
        Box::new(async move {
            wait(&mut store, &[pollable]).await?;
            Ok(())
        })
    })
}

/// Which of a list are ready. If none is, the clock moves on until one is.
async fn wait(store: &mut Store<'_>, list: &[Resource<DynPollable>]) -> wasmtime::Result<Vec<u32>> {
    clock::now(store)?;
    let state = store.data_mut();
    state.clock.begin_wait();
    for _ in 0..2 {
        let list = list.iter().map(|pollable| Resource::new_borrow(pollable.rep())).collect();
        let mut ready = pin!(Poll::poll(&mut state.table, list));
        let ready = poll_fn(|context| task::Poll::Ready(ready.as_mut().poll(context)));
        if let task::Poll::Ready(ready) = ready.await {
            return ready;
        }
        state.clock.skip();
    }
    // Streams are always ready, and of the timers one has just come.
    Err(Stop::Host(RunError::Host("a guest waits for something that never comes".to_owned())).into())
}

/// Parts what the guest is told from what ends it.
fn answer<T>(store: &mut Store<'_>, result: StreamResult<T>) -> Answer<T> {
    match result {
        Ok(value) => Ok((Ok(value),)),
        Err(error) => Ok((Err(Streams::convert_stream_error(&mut store.data_mut().table, error)?),)),
    }
}

/// The same for bytes that were moved, which are charged for when their number is known; it is bounded.
fn moved<T>(store: &mut Store<'_>, result: StreamResult<T>, bytes: fn(&T) -> u64) -> Answer<T> {
    charge_bytes(store, result.as_ref().map_or(0, bytes))?;
    answer(store, result)
}

fn link_input(streams: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    streams.func_wrap("[method]input-stream.read", |mut store: Store<'_>, (stream, size): (In, u64)| {
        charge_call(&mut store, 0)?;
        let read = HostInputStream::read(&mut store.data_mut().table, stream, size);
        moved(&mut store, read, |bytes| bytes.len() as u64)
    })?;
    streams.func_wrap_async(
        "[method]input-stream.blocking-read",
        |mut store: Store<'_>, (stream, size): (In, u64)| {
            Box::new(async move {
                charge_call(&mut store, 0)?;
                let read = HostInputStream::blocking_read(&mut store.data_mut().table, stream, size).await;
                moved(&mut store, read, |bytes| bytes.len() as u64)
            })
        },
    )?;
    streams.func_wrap("[method]input-stream.skip", |mut store: Store<'_>, (stream, size): (In, u64)| {
        charge_call(&mut store, 0)?;
        let skipped = HostInputStream::skip(&mut store.data_mut().table, stream, size);
        moved(&mut store, skipped, |bytes| *bytes)
    })?;
    streams.func_wrap_async(
        "[method]input-stream.blocking-skip",
        |mut store: Store<'_>, (stream, size): (In, u64)| {
            Box::new(async move {
                charge_call(&mut store, 0)?;
                let skipped = HostInputStream::blocking_skip(&mut store.data_mut().table, stream, size).await;
                moved(&mut store, skipped, |bytes| *bytes)
            })
        },
    )?;
    streams.func_wrap("[method]input-stream.subscribe", |mut store: Store<'_>, (stream,): (In,)| {
        charge_call(&mut store, 0)?;
        Ok((HostInputStream::subscribe(&mut store.data_mut().table, stream)?,))
    })
}

fn link_output(streams: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    streams.func_wrap("[method]output-stream.check-write", |mut store: Store<'_>, (stream,): (Out,)| {
        charge_call(&mut store, 0)?;
        let permitted = HostOutputStream::check_write(&mut store.data_mut().table, stream);
        answer(&mut store, permitted)
    })?;
    streams.func_wrap("[method]output-stream.write", |mut store: Store<'_>, (stream, bytes): (Out, Vec<u8>)| {
        charge_call(&mut store, bytes.len() as u64)?;
        let written = HostOutputStream::write(&mut store.data_mut().table, stream, bytes);
        answer(&mut store, written)
    })?;
    let name = "[method]output-stream.blocking-write-and-flush";
    streams.func_wrap_async(name, |mut store: Store<'_>, (stream, bytes): (Out, Vec<u8>)| {
        Box::new(async move {
            charge_call(&mut store, bytes.len() as u64)?;
            let table = &mut store.data_mut().table;
            let written = HostOutputStream::blocking_write_and_flush(table, stream, bytes).await;
            answer(&mut store, written)
        })
    })?;
    streams.func_wrap("[method]output-stream.flush", |mut store: Store<'_>, (stream,): (Out,)| {
        charge_call(&mut store, 0)?;
        let flushed = HostOutputStream::flush(&mut store.data_mut().table, stream);
        answer(&mut store, flushed)
    })?;
    streams.func_wrap_async("[method]output-stream.blocking-flush", |mut store: Store<'_>, (stream,): (Out,)| {
        Box::new(async move {
            charge_call(&mut store, 0)?;
            let flushed = HostOutputStream::blocking_flush(&mut store.data_mut().table, stream).await;
            answer(&mut store, flushed)
        })
    })?;
    streams.func_wrap("[method]output-stream.subscribe", |mut store: Store<'_>, (stream,): (Out,)| {
        charge_call(&mut store, 0)?;
        Ok((HostOutputStream::subscribe(&mut store.data_mut().table, stream)?,))
    })?;
    link_zeros(streams)?;
    link_splice(streams)
}

/// More zeros than a stream takes at once are refused, not paid for.
fn charge_zeros(store: &mut Store<'_>, size: u64) -> wasmtime::Result<()> {
    charge_call(store, if size <= super::CHUNK_BYTES as u64 { size } else { 0 })
}

fn link_zeros(streams: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    streams.func_wrap("[method]output-stream.write-zeroes", |mut store: Store<'_>, (stream, size): (Out, u64)| {
        charge_zeros(&mut store, size)?;
        let written = HostOutputStream::write_zeroes(&mut store.data_mut().table, stream, size);
        answer(&mut store, written)
    })?;
    let name = "[method]output-stream.blocking-write-zeroes-and-flush";
    streams.func_wrap_async(name, |mut store: Store<'_>, (stream, size): (Out, u64)| {
        Box::new(async move {
            charge_zeros(&mut store, size)?;
            let table = &mut store.data_mut().table;
            let written = HostOutputStream::blocking_write_zeroes_and_flush(table, stream, size).await;
            answer(&mut store, written)
        })
    })
}

fn link_splice(streams: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    streams.func_wrap("[method]output-stream.splice", |mut store: Store<'_>, (to, from, size): (Out, In, u64)| {
        charge_call(&mut store, 0)?;
        let spliced = HostOutputStream::splice(&mut store.data_mut().table, to, from, size);
        moved(&mut store, spliced, |bytes| *bytes)
    })?;
    let name = "[method]output-stream.blocking-splice";
    streams.func_wrap_async(name, |mut store: Store<'_>, (to, from, size): (Out, In, u64)| {
        Box::new(async move {
            charge_call(&mut store, 0)?;
            let spliced = HostOutputStream::blocking_splice(&mut store.data_mut().table, to, from, size).await;
            moved(&mut store, spliced, |bytes| *bytes)
        })
    })
}
