//! `wit/gpu.wit`: each call takes its fuel, has its arguments checked by the device crate, and is queued.

mod device;
mod types;

use samebit_device::wgsl::{self, ParseError, Refusal};
use samebit_device::{
    BindingIndex, BufferCopy, BufferId, BufferRange, CallError, GpuError, Grid, KernelFault, ReadError, limits,
};
use samebit_spec::{Limit, Name};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType, WasmList};

use device::AbortOnDrop;
pub(crate) use device::Gpu;
pub(super) use types::BufferHandle;
use types::{GuestBinding, GuestDescriptor, GuestGpuError, GuestKernelError, GuestWorkgroups, KernelHandle};

use crate::end::Stop;
use crate::fuel::{self, charge, charge_bytes, charge_call};
use crate::state::State;
use crate::{Event, RunError};

/// What travels to a buffer goes in pieces of this many bytes, a multiple of 4, so that no device has to hold more of it.
const CHUNK_BYTES: u64 = 4 << 20;

/// What a call gives to wasmtime: an error ends the guest, an inner one is the guest's to handle.
type Answer<T> = wasmtime::Result<(Result<T, GuestGpuError>,)>;

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut gpu = linker.instance("samebit:job/gpu@0.1.0")?;
    gpu.resource("buffer", ResourceType::host::<BufferHandle>(), |mut store, rep| {
        let state = store.data_mut();
        let BufferHandle(id) = state.table.delete(Resource::new_own(rep))?;
        state.gpu.opened()?.buffer_drop(id);
        Ok(())
    })?;
    gpu.resource("kernel", ResourceType::host::<KernelHandle>(), |mut store, rep| {
        let state = store.data_mut();
        let KernelHandle(id) = state.table.delete(Resource::new_own(rep))?;
        state.gpu.opened()?.kernel_drop(id);
        Ok(())
    })?;
    gpu.func_wrap_async("[static]buffer.create", |store, (size,): (u64,)| Box::new(buffer_create(store, size)))?;
    gpu.func_wrap("[method]buffer.size", |mut store, (buffer,): (Resource<BufferHandle>,)| {
        charge_call(&mut store, 0)?;
        let id = buffer_id(&store, &buffer)?;
        Ok((store.data_mut().gpu.opened()?.buffer_size(id),))
    })?;
    gpu.func_wrap_async(
        "[method]buffer.write",
        |store, (buffer, offset, bytes): (Resource<BufferHandle>, u64, WasmList<u8>)| {
            Box::new(buffer_write(store, buffer, offset, bytes))
        },
    )?;
    gpu.func_wrap_async("[method]buffer.read", |store, (buffer, offset, size): (Resource<BufferHandle>, u64, u64)| {
        Box::new(buffer_read(store, buffer, offset, size))
    })?;
    gpu.func_wrap_async(
        "[method]buffer.fill",
        |store, (buffer, offset, size, word): (Resource<BufferHandle>, u64, u64, u32)| {
            Box::new(buffer_fill(store, buffer, offset, size, word))
        },
    )?;
    gpu.func_wrap_async(
        "[method]buffer.copy-from",
        |store, args: (Resource<BufferHandle>, u64, Resource<BufferHandle>, u64, u64)| {
            Box::new(buffer_copy(store, args))
        },
    )?;
    gpu.func_wrap_async(
        "[method]buffer.load-input",
        |store, (buffer, offset, input, input_offset, size): (Resource<BufferHandle>, u64, String, u64, u64)| {
            Box::new(buffer_load(store, buffer, offset, input, input_offset, size))
        },
    )?;
    gpu.func_wrap_async("[static]kernel.create", |store, (descriptor,): (GuestDescriptor,)| {
        Box::new(kernel_create(store, descriptor))
    })?;
    gpu.func_wrap_async(
        "dispatch",
        |store, (kernel, bindings, grid): (Resource<KernelHandle>, Vec<GuestBinding>, GuestWorkgroups)| {
            Box::new(async move { dispatch(store, kernel, bindings, Ok(Grid::Direct([grid.x, grid.y, grid.z]))).await })
        },
    )?;
    gpu.func_wrap_async(
        "dispatch-indirect",
        |store, args: (Resource<KernelHandle>, Vec<GuestBinding>, Resource<BufferHandle>, u64)| {
            let (kernel, bindings, buffer, offset) = args;
            Box::new(async move { dispatch(store, kernel, bindings, Err((buffer, offset))).await })
        },
    )?;
    Ok(())
}

fn buffer_id(store: &StoreContextMut<'_, State>, buffer: &Resource<BufferHandle>) -> wasmtime::Result<BufferId> {
    Ok(store.data().table.get(buffer)?.0)
}

/// Parts what the guest is told from what ends it.
fn answer<T>(result: Result<T, CallError>) -> Answer<T> {
    match result {
        Ok(value) => Ok((Ok(value),)),
        Err(CallError::Refused(error)) => Ok((Err(error.into()),)),
        Err(CallError::Device(error)) => Err(Stop::Host(error.into()).into()),
    }
}

async fn buffer_create(mut store: StoreContextMut<'_, State>, size: u64) -> Answer<Resource<BufferHandle>> {
    charge_call(&mut store, 0)?;
    if size <= limits::BUFFER_BYTES {
        charge(&mut store, (size >> 12) * fuel::BUFFER_CREATE_PER_PAGE)?;
    }
    let state = store.data_mut();
    state.gpu.open(&state.observer).await?.settle().await.map_err(stopped)?;
    match state.gpu.opened()?.buffer_create(size) {
        Ok(id) => Ok((Ok(state.table.push(BufferHandle(id))?),)),
        Err(error) => answer(Err(error)),
    }
}

async fn buffer_write(
    mut store: StoreContextMut<'_, State>,
    buffer: Resource<BufferHandle>,
    offset: u64,
    bytes: WasmList<u8>,
) -> Answer<()> {
    charge_call(&mut store, bytes.len() as u64)?;
    let id = buffer_id(&store, &buffer)?;
    let size = bytes.len() as u64;
    if let Err(error) = store.data_mut().gpu.opened()?.check_write(id, offset, size) {
        return Ok((Err(error.into()),));
    }
    let mut done = 0;
    while done < size {
        store.data_mut().gpu.opened()?.settle().await.map_err(stopped)?;
        // Taken out for the moment, so that guest memory can be borrowed from the store beside it.
        let mut gpu = store.data_mut().gpu.take()?;
        let all = bytes.as_le_slice(&store);
        let piece = &all[done as usize..size.min(done + CHUNK_BYTES) as usize];
        let written = gpu.checked.buffer_write(id, offset + done, piece);
        store.data_mut().gpu.put_back(gpu);
        if let Err(error) = written {
            return answer(Err(error));
        }
        done += CHUNK_BYTES;
    }
    Ok((Ok(()),))
}

async fn buffer_read(
    mut store: StoreContextMut<'_, State>,
    buffer: Resource<BufferHandle>,
    offset: u64,
    size: u64,
) -> Answer<Vec<u8>> {
    charge_call(&mut store, 0)?;
    let range = BufferRange { buffer: buffer_id(&store, &buffer)?, offset, size };
    if let Err(error) = store.data_mut().gpu.opened()?.check_range(range) {
        return Ok((Err(error.into()),));
    }
    charge_bytes(&mut store, size)?;
    // What a guest reads it must have room for, so the limit on its memory bounds what is held here on the way.
    if size > store.data().job.limits.memory_bytes {
        return Err(Stop::Exceeded(Limit::Memory).into());
    }
    let gpu = store.data_mut().gpu.opened()?;
    let mut bytes = Vec::with_capacity(size as usize);
    let mut take = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    match gpu.buffer_read(range, &mut take).await {
        Ok(()) => Ok((Ok(bytes),)),
        Err(ReadError::Refused(error)) => Ok((Err(error.into()),)),
        Err(ReadError::BudgetSpent) => Err(Stop::Exceeded(Limit::LoopIterations).into()),
        Err(ReadError::Device(error)) => Err(Stop::Host(error.into()).into()),
        Err(ReadError::Sink(error)) => Err(Stop::Host(RunError::Output(error)).into()),
    }
}

async fn buffer_fill(
    mut store: StoreContextMut<'_, State>,
    buffer: Resource<BufferHandle>,
    offset: u64,
    size: u64,
    word: u32,
) -> Answer<()> {
    charge_call(&mut store, 0)?;
    let range = BufferRange { buffer: buffer_id(&store, &buffer)?, offset, size };
    charge_within(&mut store, range)?;
    let gpu = store.data_mut().gpu.opened()?;
    gpu.settle().await.map_err(stopped)?;
    answer(gpu.buffer_fill(range, word))
}

async fn buffer_copy(
    mut store: StoreContextMut<'_, State>,
    (buffer, offset, source, source_offset, size): (Resource<BufferHandle>, u64, Resource<BufferHandle>, u64, u64),
) -> Answer<()> {
    charge_call(&mut store, 0)?;
    let target = BufferRange { buffer: buffer_id(&store, &buffer)?, offset, size };
    let copy = BufferCopy { source: buffer_id(&store, &source)?, source_offset, target };
    charge_within(&mut store, target)?;
    let gpu = store.data_mut().gpu.opened()?;
    gpu.settle().await.map_err(stopped)?;
    answer(gpu.buffer_copy(copy))
}

/// Takes fuel for what a device does to a range, a quarter of what moving it through the host costs. A range that will
/// be refused costs nothing more.
fn charge_within(store: &mut StoreContextMut<'_, State>, range: BufferRange) -> wasmtime::Result<()> {
    match store.data_mut().gpu.opened()?.check_range(range) {
        Ok(()) => charge_bytes(store, range.size / 4),
        Err(_) => Ok(()),
    }
}

async fn buffer_load(
    mut store: StoreContextMut<'_, State>,
    buffer: Resource<BufferHandle>,
    offset: u64,
    input: String,
    input_offset: u64,
    size: u64,
) -> Answer<()> {
    charge_call(&mut store, input.len() as u64)?;
    let id = buffer_id(&store, &buffer)?;
    let state = store.data_mut();
    let found = Name::new(input).ok().and_then(|name| state.inputs.get_key_value(&name));
    let Some((name, input)) = found.map(|(name, input)| (name.clone(), input.clone())) else {
        return Ok((Err(GpuError::UnknownInput.into()),));
    };
    let gpu = state.gpu.opened()?;
    if !input.contains(input_offset, size) {
        return Ok((Err(GpuError::OutOfRange.into()),));
    }
    if let Err(error) = gpu.check_write(id, offset, size) {
        return Ok((Err(error.into()),));
    }
    charge_bytes(&mut store, size)?;
    let gpu = store.data_mut().gpu.opened()?;
    let mut chunk = vec![0; size.min(CHUNK_BYTES) as usize];
    let mut done = 0;
    while done < size {
        let piece = &mut chunk[..(size - done).min(CHUNK_BYTES) as usize];
        input.read_at(input_offset + done, piece).map_err(|error| RunError::Input { name: name.clone(), error })?;
        gpu.settle().await.map_err(stopped)?;
        if let Err(error) = gpu.buffer_write(id, offset + done, piece) {
            return answer(Err(error));
        }
        done += piece.len() as u64;
    }
    Ok((Ok(()),))
}

async fn kernel_create(
    mut store: StoreContextMut<'_, State>,
    descriptor: GuestDescriptor,
) -> wasmtime::Result<(Result<Resource<KernelHandle>, GuestKernelError>,)> {
    charge_kernel(&mut store, &descriptor)?;
    // Parsing and the driver's compiler take their time and their stack: neither is the guest's.
    let parsed = blocking(move || {
        let GuestDescriptor { wgsl: text, entry_point, constants } = descriptor;
        let kernel = wgsl::parse(&wgsl::Source { text: &text, entry_point: &entry_point, constants: &constants });
        kernel.map(|kernel| (kernel, text))
    });
    let (kernel, text) = match parsed.await? {
        Ok(parsed) => parsed,
        Err(ParseError::Refused(refusal)) => return Ok((Err(refused(&store, &refusal)),)),
        Err(error) => return Err(Stop::Host(RunError::Host(error.to_string())).into()),
    };
    let state = store.data_mut();
    state.gpu.open(&state.observer).await?;
    let mut gpu = state.gpu.take()?;
    // It waits behind all that was queued, which may take longer than this run may.
    let unfinished = AbortOnDrop::new(&gpu.checked);
    let (gpu, created) = blocking(move || {
        let created = gpu.checked.kernel_create(kernel, &text);
        (gpu, created)
    })
    .await?;
    unfinished.finish();
    store.data_mut().gpu.put_back(gpu);
    match created {
        Ok(id) => Ok((Ok(store.data_mut().table.push(KernelHandle(id))?),)),
        Err(KernelFault::Refused(refusal)) => Ok((Err(refused(&store, &refusal)),)),
        Err(KernelFault::Device(error)) => Err(Stop::Host(error.into()).into()),
    }
}

/// Takes fuel for a kernel by what there is to parse. A text over the limit is not parsed, but carried.
fn charge_kernel(store: &mut StoreContextMut<'_, State>, descriptor: &GuestDescriptor) -> wasmtime::Result<()> {
    let GuestDescriptor { wgsl: text, entry_point, constants } = descriptor;
    let names: usize = constants.iter().map(|(name, _)| name.len()).sum();
    charge_call(store, (text.len() + entry_point.len() + names) as u64)?;
    let parsed = if text.len() <= wgsl::limits::TEXT_BYTES { text.len() as u64 } else { 0 };
    let constants = constants.len() as u64 * fuel::KERNEL_CREATE_PER_CONSTANT;
    charge(store, fuel::KERNEL_CREATE + parsed * fuel::KERNEL_CREATE_PER_BYTE + constants)
}

/// The guest learns what kind of refusal it is and where; the words go to whoever is watching, since they are a
/// library's and may change while outcomes may not.
fn refused(store: &StoreContextMut<'_, State>, refusal: &Refusal) -> GuestKernelError {
    store.data().observer.event(Event::KernelRefused(&refusal.message));
    refusal.into()
}

async fn dispatch(
    mut store: StoreContextMut<'_, State>,
    kernel: Resource<KernelHandle>,
    bindings: Vec<GuestBinding>,
    grid: Result<Grid, (Resource<BufferHandle>, u64)>,
) -> Answer<()> {
    charge(&mut store, fuel::DISPATCH + fuel::DISPATCH_PER_BINDING * bindings.len() as u64)?;
    let grid = match grid {
        Ok(grid) => grid,
        Err((buffer, offset)) => Grid::Indirect { buffer: buffer_id(&store, &buffer)?, offset },
    };
    let kernel = store.data().table.get(&kernel)?.0;
    let mut bound = Vec::with_capacity(bindings.len());
    for binding in &bindings {
        let index = BindingIndex { group: binding.group, binding: binding.binding };
        bound.push((index, buffer_id(&store, &binding.buffer)?, binding.offset, binding.size));
    }
    let state = store.data_mut();
    let limit = state.job.limits.dispatches;
    let gpu = state.gpu.opened()?;
    if gpu.usage().dispatches >= limit {
        return Err(Stop::Exceeded(Limit::Dispatches).into());
    }
    gpu.settle().await.map_err(stopped)?;
    answer(gpu.dispatch(kernel, &bound, grid))
}

fn stopped(error: samebit_device::DeviceError) -> Stop {
    Stop::Host(error.into())
}

/// Runs something long on a thread that may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stop> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Stop::Host(RunError::Host(format!("a host call did not end well: {error}"))))
}
