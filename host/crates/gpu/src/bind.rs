//! The bind groups of a launch.

use std::num::NonZeroU64;

use samebit_device::{Binding, Dispatch};

use crate::kernel::{Layout, Pipeline};

/// The groups by their numbers, from what each binding's buffer is. Exact programs have their control buffer in theirs.
pub(crate) fn bind_groups(
    device: &wgpu::Device,
    kernel: &Pipeline,
    dispatch: &Dispatch,
    buffers: &[wgpu::Buffer],
    control: Option<&wgpu::Buffer>,
) -> Vec<(u32, wgpu::BindGroup)> {
    let bound = || dispatch.bindings.iter().zip(buffers);
    let create = |layout, entries: &[wgpu::BindGroupEntry<'_>]| {
        device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries })
    };
    match &kernel.layout {
        Layout::Groups(groups) => (0..)
            .zip(groups)
            .filter_map(|(number, layout)| {
                let inside = bound().filter(|(binding, _)| binding.group == number);
                let entries: Vec<_> = inside.map(|(binding, buffer)| entry(binding.binding, binding, buffer)).collect();
                Some((number, create(layout.as_ref()?, &entries)))
            })
            .collect(),
        Layout::Exact { group, .. } => {
            let guests = (0..).zip(bound()).map(|(index, (binding, buffer))| entry(index, binding, buffer));
            let control = control.map(|buffer| wgpu::BindGroupEntry {
                binding: buffers.len() as u32,
                resource: buffer.as_entire_binding(),
            });
            let entries: Vec<_> = guests.chain(control).collect();
            vec![(0, create(group, &entries))]
        }
    }
}

fn entry<'a>(number: u32, binding: &Binding, buffer: &'a wgpu::Buffer) -> wgpu::BindGroupEntry<'a> {
    wgpu::BindGroupEntry {
        binding: number,
        resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer,
            offset: binding.range.offset,
            size: NonZeroU64::new(binding.range.size),
        }),
    }
}
