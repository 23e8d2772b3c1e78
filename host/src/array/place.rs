//! Which hosts an array goes to: who is able, and who is better. Pure; what hosts say of themselves is their word.

use std::cmp::Reverse;

use samebit_net::message::{HostInfo, Load};
use samebit_runner::spec::{JobSpec, Profile};

/// The most jobs that a host has of one array at once. A connection bears 64 questions, and each of these is one.
const ROOM_MAX: u32 = 48;
/// Jobs that wait at a host, so that it need not wait for the next one.
const AHEAD: u32 = 2;
/// The interface of a device that is no GPU.
const CPU: &str = "cpu";

/// A host that answered.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// What it says of itself.
    pub(crate) info: HostInfo,
    /// How many bytes of what all jobs of the array need it has proven to have.
    pub(crate) held_bytes: u64,
}

/// Why a host cannot do such jobs, if it cannot.
pub(crate) fn unable(info: &HostInfo, job: &JobSpec) -> Option<String> {
    let suits = |exact: bool, native: bool| match job.profile {
        Profile::Exact => exact,
        Profile::Native => native,
    };
    if !info.devices.iter().any(|device| suits(device.exact, device.native)) {
        return Some(format!("it has no device for the profile {}", job.profile));
    }
    job.limits.check_within(&info.caps).err().map(|error| format!("it does not allow the job's limits: {error}"))
}

/// Puts the better hosts first: those with a GPU, among them those with a free slot, among them those that have more of
/// what all jobs need, then those with more free slots.
pub(crate) fn rank(places: &mut [Place]) {
    places.sort_by_cached_key(|place| {
        let has_gpu = place.info.devices.iter().any(|device| device.backend.as_str() != CPU);
        let free = free(&place.info.load);
        let load = &place.info.load;
        (!has_gpu, free == 0, Reverse(place.held_bytes), Reverse(free), load.queued, place.info.host)
    });
}

/// How many jobs a host is given at once.
pub(crate) fn room(load: &Load) -> usize {
    // Few enough for any size of integer.
    load.slots.max(1).saturating_add(AHEAD).min(ROOM_MAX) as usize
}

fn free(load: &Load) -> u32 {
    load.slots.saturating_sub(load.running).saturating_sub(load.queued)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use samebit_net::message::{DeviceOffer, Text};
    use samebit_runner::spec::{BlobRef, HostKey, Limits};

    use super::*;

    fn place(number: u8, backend: &str, running: u32, held_bytes: u64) -> Place {
        let device = DeviceOffer {
            name: Text::fit("device"),
            driver: Text::fit("1"),
            backend: Text::fit(backend),
            exact: true,
            native: false,
        };
        let host = HostKey::from_bytes([number; 32]);
        let info = HostInfo {
            host,
            program: Text::fit("test"),
            devices: vec![device],
            caps: Limits::default(),
            load: Load { running, slots: 4, queued: 0, queue_max: 100 },
            price: None,
            labels: Vec::new(),
            receipts: 0,
        };
        Place { info, held_bytes }
    }

    fn job(profile: Profile) -> JobSpec {
        let (inputs, tolerances) = (BTreeMap::new(), BTreeMap::new());
        let (args, limits) = (Vec::new(), Limits::default());
        JobSpec { module: BlobRef::of(b"m"), args, inputs, limits, profile, tolerances }
    }

    #[test]
    fn the_unable_are_told_why() {
        let place = place(1, "cpu", 0, 0);
        assert_eq!(unable(&place.info, &job(Profile::Exact)), None);
        assert!(unable(&place.info, &job(Profile::Native)).expect("a reason").contains("native"));
        let mut greedy = job(Profile::Exact);
        greedy.limits.fuel = Limits::default().fuel + 1;
        assert!(unable(&place.info, &greedy).expect("a reason").contains("fuel"));
        let none = HostInfo { devices: Vec::new(), ..place.info };
        assert!(unable(&none, &job(Profile::Exact)).is_some());
    }

    #[test]
    fn capability_comes_before_load_and_load_before_what_is_there() {
        let mut places = [
            place(1, "cpu", 0, 0),
            place(2, "vulkan", 4, 99),
            place(3, "vulkan", 3, 0),
            place(4, "vulkan", 3, 7),
            place(5, "vulkan", 0, 0),
        ];
        rank(&mut places);
        let order = places.iter().map(|place| place.info.host.as_bytes()[0]).collect::<Vec<_>>();
        assert_eq!(order, [4, 5, 3, 2, 1]);
    }

    #[test]
    fn no_host_talks_us_into_more_than_a_connection_bears() {
        let load = |slots| Load { slots, ..Load::default() };
        assert_eq!([0, 1, 4, u32::MAX].map(|slots| room(&load(slots))), [3, 3, 6, 48]);
    }
}
