//! Small pieces of memory that commands of a batch copy from: what a guest writes between two dispatches.
//!
//! wgpu's own way of writing takes effect before the whole batch, so it would need a submit for each write between two
//! uses of a buffer. A copy from here takes its place in the order by itself.

use samebit_device::DeviceError;

use crate::fate::Fate;

/// Memory of one batch for small writes. Guests mostly change a few parameters between dispatches.
const SIZE_BYTES: u64 = 256 << 10;

/// What mapped ranges must be aligned to.
const ALIGNMENT: u64 = wgpu::MAP_ALIGNMENT;

/// Memory that the CPU writes and commands of one batch copy from.
pub(crate) struct Upload {
    pub(crate) buffer: wgpu::Buffer,
    used: u64,
}

impl Upload {
    /// Whether an upload can take so many bytes at all.
    pub(crate) fn is_small(size: usize) -> bool {
        size as u64 <= SIZE_BYTES / 8
    }

    pub(crate) fn new(device: &wgpu::Device) -> Self {
        Self { buffer: mapped(device, SIZE_BYTES), used: 0 }
    }

    /// A buffer filled with a word, as long as that many bytes, a multiple of 4.
    pub(crate) fn pattern(
        device: &wgpu::Device,
        fate: &Fate,
        word: u32,
        size: u64,
    ) -> Result<wgpu::Buffer, DeviceError> {
        let buffer = mapped(device, size);
        let bytes = word.to_le_bytes().repeat((size / 4) as usize);
        fill(&buffer, fate, 0, &bytes)?;
        buffer.unmap();
        Ok(buffer)
    }

    /// Whether so many bytes more fit.
    pub(crate) fn has_room(&self, size: usize) -> bool {
        self.used + size as u64 <= SIZE_BYTES
    }

    /// Takes bytes that fit and returns where they are.
    pub(crate) fn push(&mut self, fate: &Fate, bytes: &[u8]) -> Result<u64, DeviceError> {
        let offset = self.used;
        fill(&self.buffer, fate, offset, bytes)?;
        self.used = (offset + bytes.len() as u64).next_multiple_of(ALIGNMENT);
        Ok(offset)
    }
}

fn mapped(device: &wgpu::Device, size: u64) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size,
        usage: wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::MAP_WRITE,
        mapped_at_creation: true,
    })
}

fn fill(buffer: &wgpu::Buffer, fate: &Fate, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
    let mapped = buffer.get_mapped_range_mut(offset..offset + bytes.len() as u64);
    let mut view = mapped.map_err(|error| fate.failure(&format!("memory could not be mapped: {error}")))?;
    view.copy_from_slice(bytes);
    Ok(())
}
