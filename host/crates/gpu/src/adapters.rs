//! What this machine could compute on, and how one of it is chosen.

use std::fmt::Write;

use samebit_device::{DeviceInfo, DeviceKind};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::describe::describe;
use crate::watcher::ready;

/// Which adapter to use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// The first suitable one: discrete before integrated, virtual, software and other ones.
    #[default]
    Default,
    /// The one at this place in [`Adapters::list`], from 0.
    Index(usize),
    /// The only one whose name contains this text, in upper or lower case.
    Name(String),
}

/// Why no adapter could be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SelectError {
    /// There is no adapter at all.
    #[error(
        "no GPU was found: no Vulkan, Metal or Direct3D 12 driver offers one; install your GPU's driver, or the \
         software driver (Debian, Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1)"
    )]
    NoAdapter,
    /// There are adapters, but none that the choice names.
    #[error("no device is {choice}: this machine has\n{available}choose one of them by index or name")]
    NotFound {
        /// What was looked for.
        choice: String,
        /// What there is, one a line.
        available: String,
    },
    /// A name fits several adapters.
    #[error("more than one device is {choice}: this machine has\n{available}choose by index, or by a longer name")]
    Ambiguous {
        /// What was looked for.
        choice: String,
        /// What there is, one a line.
        available: String,
    },
    /// The adapter misses something that every device must have.
    #[error("{name} cannot run jobs: {reason}; choose another device, or install a newer driver")]
    Unsuitable {
        /// The adapter's name.
        name: String,
        /// What it misses.
        reason: String,
    },
}

/// The adapters of this machine, best first, always in the same order.
pub struct Adapters {
    entries: Vec<Entry>,
}

/// An adapter and what it says of itself.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) adapter: wgpu::Adapter,
    pub(crate) info: DeviceInfo,
    /// Where it is plugged in, which tells two of a kind apart.
    pub(crate) place: String,
}

impl Adapters {
    /// Asks all drivers for their adapters.
    pub fn enumerate() -> Self {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: backends(),
            // Checking indirect counts is part of our contract, not a debugging aid. Everything else that these flags
            // switch on is; environment variables do not get a say in what a job may do.
            flags: wgpu::InstanceFlags::VALIDATION_INDIRECT_CALL,
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let adapters = ready(instance.enumerate_adapters(backends())).unwrap_or_default();
        let mut entries: Vec<Entry> = adapters
            .into_iter()
            .map(|adapter| {
                let place = adapter.get_info().device_pci_bus_id;
                Entry { info: describe(&adapter), adapter, place }
            })
            .collect();
        entries.sort_by_cached_key(|entry| order(&entry.info, &entry.place));
        Self { entries }
    }

    /// What they say of themselves.
    pub fn list(&self) -> Vec<DeviceInfo> {
        self.entries.iter().map(|entry| entry.info.clone()).collect()
    }

    /// The adapter that a choice means.
    pub(crate) fn choose(&self, choice: &Choice) -> Result<Entry, SelectError> {
        let infos = self.list();
        let index = choose(&infos, choice)?;
        Ok(self.entries[index].clone())
    }

    /// The adapter that was this one when it was enumerated last.
    pub(crate) fn same_as(&self, old: &Entry) -> Option<Entry> {
        let same = |entry: &&Entry| {
            entry.info.name == old.info.name && entry.info.backend == old.info.backend && entry.place == old.place
        };
        self.entries.iter().find(same).cloned()
    }
}

/// Those that this workspace is built with. GL is not among them: it lacks several fixed limits.
fn backends() -> wgpu::Backends {
    wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12
}

fn order(info: &DeviceInfo, place: &str) -> (u8, String, String, String) {
    let rank = match info.kind {
        DeviceKind::Discrete => 0,
        DeviceKind::Integrated => 1,
        DeviceKind::Virtual => 2,
        DeviceKind::Software => 3,
        DeviceKind::Other => 4,
    };
    (rank, info.name.clone(), info.backend.clone(), place.to_owned())
}

/// The index of what a choice means.
fn choose(infos: &[DeviceInfo], choice: &Choice) -> Result<usize, SelectError> {
    if infos.is_empty() {
        return Err(SelectError::NoAdapter);
    }
    let index = match choice {
        Choice::Default => infos.iter().position(|info| info.unsuitable.is_none()).unwrap_or(0),
        Choice::Index(index) if *index < infos.len() => *index,
        Choice::Index(index) => return Err(not_found(infos, format!("number {index}"))),
        Choice::Name(name) => {
            let wanted = name.to_lowercase();
            let fits = |info: &DeviceInfo| info.name.to_lowercase().contains(&wanted);
            let mut found = infos.iter().enumerate().filter(|(_, info)| fits(info)).map(|(index, _)| index);
            match (found.next(), found.next()) {
                (Some(index), None) => index,
                (Some(_), Some(_)) => {
                    return Err(SelectError::Ambiguous { choice: format!("called `{name}`"), available: table(infos) });
                }
                (None, _) => return Err(not_found(infos, format!("called `{name}`"))),
            }
        }
    };
    match &infos[index].unsuitable {
        Some(reason) => Err(SelectError::Unsuitable { name: infos[index].name.clone(), reason: reason.clone() }),
        None => Ok(index),
    }
}

fn not_found(infos: &[DeviceInfo], choice: String) -> SelectError {
    SelectError::NotFound { choice, available: table(infos) }
}

fn table(infos: &[DeviceInfo]) -> String {
    infos.iter().enumerate().fold(String::new(), |mut table, (index, info)| {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "  {index}: {} ({}, {})", info.name, info.kind, info.backend);
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, kind: DeviceKind) -> DeviceInfo {
        DeviceInfo {
            name: name.into(),
            driver: "d 1".into(),
            backend: "vulkan".into(),
            kind,
            limits: Default::default(),
            features: Vec::new(),
            unsuitable: None,
            battery: None,
        }
    }

    fn three() -> Vec<DeviceInfo> {
        let old = DeviceInfo { unsuitable: Some("it is old".into()), ..info("Old Card", DeviceKind::Discrete) };
        vec![old, info("Fast Card", DeviceKind::Discrete), info("llvmpipe", DeviceKind::Software)]
    }

    #[test]
    fn the_default_is_the_first_that_can_run_jobs() {
        assert_eq!(choose(&three(), &Choice::Default), Ok(1));
    }

    #[test]
    fn a_name_is_any_part_of_it_in_any_case() {
        assert_eq!(choose(&three(), &Choice::Name("LLVM".into())), Ok(2));
        assert!(matches!(choose(&three(), &Choice::Name("card".into())), Err(SelectError::Ambiguous { .. })));
    }

    #[test]
    fn what_is_missing_is_answered_with_what_is_there() {
        let error = choose(&three(), &Choice::Name("radeon".into())).expect_err("there is none").to_string();
        assert!(
            error.starts_with("no device is called `radeon`: this machine has\n  0: Old Card (discrete, vulkan)\n")
        );
        let error = choose(&three(), &Choice::Index(3)).expect_err("there is none").to_string();
        assert!(error.contains("no device is number 3") && error.contains("2: llvmpipe (software, vulkan)"));
        let error = choose(&[], &Choice::Default).expect_err("there is none").to_string();
        assert!(error.contains("apt-get install mesa-vulkan-drivers libvulkan1"));
    }

    #[test]
    fn an_unsuitable_one_is_refused_with_its_reason() {
        let error = choose(&three(), &Choice::Index(0)).expect_err("it is old").to_string();
        assert!(error.starts_with("Old Card cannot run jobs: it is old;"));
    }

    #[test]
    fn discrete_ones_come_first() {
        use DeviceKind::{Discrete, Integrated, Other, Software, Virtual};
        let mut kinds = [Other, Software, Virtual, Integrated, Discrete];
        kinds.sort_by_key(|kind| order(&info("x", *kind), ""));
        assert_eq!(kinds, [Discrete, Integrated, Virtual, Software, Other]);
    }
}
