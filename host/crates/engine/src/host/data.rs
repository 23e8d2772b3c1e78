//! `wit/data.wit`.

use samebit_device::hash::PIECE_BYTES;
use samebit_device::{BufferRange, Checked, ReadError};
use samebit_spec::{Limit, Name};
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Linker, Lower, Resource, WasmList};

use super::gpu::BufferHandle;
use crate::end::Stop;
use crate::fuel::{charge_bytes, charge_call};
use crate::spool::Outputs;
use crate::state::State;
use crate::{Input, RunError};

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
enum DataError {
    #[component(name = "unknown-input")]
    UnknownInput,
    #[component(name = "out-of-range")]
    OutOfRange,
    #[component(name = "invalid-name")]
    InvalidName,
    #[component(name = "too-many-outputs")]
    TooManyOutputs,
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut data = linker.instance("samebit:job/data@0.1.0")?;
    data.func_wrap("inputs", |mut store, ()| {
        let names: Vec<String> = store.data().inputs.keys().map(Name::to_string).collect();
        charge_call(&mut store, names.iter().map(|name| name.len() as u64).sum())?;
        Ok((names,))
    })?;
    data.func_wrap("input-size", |mut store, (name,): (String,)| {
        charge_call(&mut store, name.len() as u64)?;
        Ok((find(&store, &name).map(|(_, input)| input.size_bytes()),))
    })?;
    data.func_wrap("input-read", |mut store, (name, offset, size): (String, u64, u64)| {
        charge_call(&mut store, name.len() as u64)?;
        let (name, input) = match find(&store, &name) {
            Ok((_, input)) if !input.contains(offset, size) => return Ok((Err(DataError::OutOfRange),)),
            Ok((name, input)) => (name.clone(), input.clone()),
            Err(error) => return Ok((Err(error),)),
        };
        charge_bytes(&mut store, size)?;
        Ok((Ok(read_input(&store, name, &input, offset, size)?),))
    })?;
    data.func_wrap("output-append", |mut store, (name, bytes): (String, WasmList<u8>)| {
        charge_call(&mut store, (name.len() + bytes.len()) as u64)?;
        let name = match output_name(&store, &name) {
            Ok(name) => name,
            Err(error) => return Ok((Err(error),)),
        };
        store.data().outputs.append(&name, bytes.as_le_slice(&store))?;
        Ok((Ok(()),))
    })?;
    data.func_wrap_async(
        "output-append-buffer",
        |store, (name, buffer, offset, size): (String, Resource<BufferHandle>, u64, u64)| {
            Box::new(async move { Ok((append_buffer(store, &name, buffer, offset, size).await?,)) })
        },
    )?;
    Ok(())
}

fn find<'a>(store: &'a StoreContextMut<'_, State>, name: &str) -> Result<(&'a Name, &'a Input), DataError> {
    let name = Name::new(name).map_err(|_| DataError::InvalidName)?;
    store.data().inputs.get_key_value(&name).ok_or(DataError::UnknownInput)
}

fn output_name(store: &StoreContextMut<'_, State>, name: &str) -> Result<Name, DataError> {
    let name = Name::new(name).map_err(|_| DataError::InvalidName)?;
    if store.data().outputs.has_room_for(&name) { Ok(name) } else { Err(DataError::TooManyOutputs) }
}

/// Reads a range that was checked to lie within the input. What a guest reads it must have room for, so the limit on
/// its memory bounds what is allocated here for the way there.
fn read_input(
    store: &StoreContextMut<'_, State>,
    name: Name,
    input: &Input,
    offset: u64,
    size: u64,
) -> Result<Vec<u8>, Stop> {
    if size > store.data().job.limits.memory_bytes {
        return Err(Stop::Exceeded(Limit::Memory));
    }
    let size = usize::try_from(size).map_err(|_| Stop::Exceeded(Limit::Memory))?;
    let mut bytes = vec![0; size];
    input.read_at(offset, &mut bytes).map_err(|error| RunError::Input { name, error })?;
    Ok(bytes)
}

async fn append_buffer(
    mut store: StoreContextMut<'_, State>,
    name: &str,
    buffer: Resource<BufferHandle>,
    offset: u64,
    size: u64,
) -> wasmtime::Result<Result<(), DataError>> {
    charge_call(&mut store, name.len() as u64)?;
    let name = match output_name(&store, name) {
        Ok(name) => name,
        Err(error) => return Ok(Err(error)),
    };
    let state = store.data_mut();
    let range = BufferRange { buffer: state.table.get(&buffer)?.0, offset, size };
    let outputs = state.outputs.clone();
    if state.gpu.opened()?.check_range(range).is_err() {
        return Ok(Err(DataError::OutOfRange));
    }
    charge_bytes(&mut store, size)?;
    let gpu = store.data_mut().gpu.opened()?;
    outputs.reserve(size)?;
    outputs.append_reserved(&name, &[]).map_err(|error| Stop::Host(RunError::Output(error)))?;
    match append(gpu, range, &outputs, &name).await {
        Ok(()) => Ok(Ok(())),
        Err(ReadError::Refused(_)) => Ok(Err(DataError::OutOfRange)),
        Err(ReadError::BudgetSpent) => Err(Stop::Exceeded(Limit::LoopIterations).into()),
        Err(ReadError::Device(error)) => Err(Stop::Host(error.into()).into()),
        Err(ReadError::Sink(error)) => Err(Stop::Host(RunError::Output(error)).into()),
    }
}

/// Appends a range to an output, hashed where it lies if that is the faster way.
async fn append(gpu: &mut Checked, range: BufferRange, outputs: &Outputs, name: &Name) -> Result<(), ReadError> {
    let whole = BufferRange { size: range.size - range.size % PIECE_BYTES, ..range };
    let pieces = match outputs.pieces(name) {
        Some(first) => gpu.buffer_hash(whole, first).await?,
        None => None,
    };
    let Some(pieces) = pieces else {
        return gpu.buffer_read(range, &mut |bytes| outputs.append_reserved(name, bytes)).await;
    };
    let (mut read, mut rest) = (0, Vec::new());
    let mut take = |bytes: &[u8]| {
        let before = (whole.size.saturating_sub(read) as usize).min(bytes.len());
        rest.extend_from_slice(&bytes[before..]);
        read += bytes.len() as u64;
        outputs.append_reserved(name, bytes)
    };
    gpu.buffer_read(range, &mut take).await?;
    outputs.hashed(name, &pieces, rest);
    Ok(())
}
