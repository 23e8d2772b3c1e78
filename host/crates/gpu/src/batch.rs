//! Operations that have been queued and not yet submitted, in order.
//!
//! Dispatches that follow each other share a compute pass; anything else ends it. What the batch keeps alive, in bytes,
//! is counted, so that the session can bound it.

use std::collections::BTreeSet;

use samebit_device::{BufferId, DeviceError};

use crate::fate::Fate;
use crate::upload::Upload;

/// Queued operations.
#[derive(Default)]
pub(crate) struct Batch {
    /// Ends before its encoder does, also when a batch is dropped: fields are dropped in this order.
    pass: Option<wgpu::ComputePass<'static>>,
    encoder: Option<wgpu::CommandEncoder>,
    uploads: Vec<Upload>,
    used: BTreeSet<BufferId>,
    /// Operations recorded.
    pub(crate) commands: u32,
    /// Memory that is freed only when the batch is done, beyond the buffers that the guest holds.
    pub(crate) held_bytes: u64,
}

impl Batch {
    /// Whether there is anything to submit. What is held and nothing else counts too: it is freed by a submit.
    pub(crate) fn is_empty(&self) -> bool {
        self.commands == 0 && self.held_bytes == 0
    }

    /// Whether a recorded operation uses a buffer.
    pub(crate) fn uses(&self, id: BufferId) -> bool {
        self.used.contains(&id)
    }

    /// The pass that dispatches go to, opened if need be.
    pub(crate) fn pass(&mut self, device: &wgpu::Device) -> &mut wgpu::ComputePass<'static> {
        self.commands += 1;
        let encoder = self.encoder.get_or_insert_with(|| encoder(device));
        self.pass.get_or_insert_with(|| {
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()).forget_lifetime()
        })
    }

    /// The encoder that copies go to, outside of any pass.
    pub(crate) fn encoder(&mut self, device: &wgpu::Device) -> &mut wgpu::CommandEncoder {
        self.commands += 1;
        // Dropping a pass is what ends it.
        self.pass = None;
        self.encoder.get_or_insert_with(|| encoder(device))
    }

    /// Notes that an operation recorded here uses a buffer.
    pub(crate) fn mark(&mut self, id: BufferId) {
        self.used.insert(id);
    }

    /// Queues a small write behind everything recorded so far.
    pub(crate) fn write(
        &mut self,
        device: &wgpu::Device,
        fate: &Fate,
        target: (&wgpu::Buffer, u64),
        bytes: &[u8],
    ) -> Result<(), DeviceError> {
        if !self.uploads.last().is_some_and(|upload| upload.has_room(bytes.len())) {
            let upload = Upload::new(device);
            self.held_bytes += upload.buffer.size();
            self.uploads.push(upload);
        }
        let Some(upload) = self.uploads.last_mut() else { return Ok(()) };
        let offset = upload.push(fate, bytes)?;
        let source = upload.buffer.clone();
        self.encoder(device).copy_buffer_to_buffer(&source, offset, target.0, target.1, bytes.len() as u64);
        Ok(())
    }

    /// What to submit.
    pub(crate) fn finish(self) -> Option<wgpu::CommandBuffer> {
        let Self { encoder, pass, uploads, .. } = self;
        drop(pass);
        for upload in uploads {
            upload.buffer.unmap();
        }
        encoder.map(wgpu::CommandEncoder::finish)
    }
}

fn encoder(device: &wgpu::Device) -> wgpu::CommandEncoder {
    device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None })
}
