//! What the jobs that have not ended come to: by owner, all together, and of the disk.
//!
//! Kept as jobs come and go, so that taking one on costs the same however many wait. A blob that several jobs need counts
//! once for the disk, and once for each of them against caps. Pure.

use std::collections::{BTreeMap, BTreeSet};

use samebit_net::Peer;
use samebit_runner::spec::{BlobRef, JobSpec};

use crate::daemon::disk::{Needs, Place};
use crate::daemon::policy::{Going, input_bytes};

/// The sums.
#[derive(Debug, Default)]
pub(super) struct Sums {
    all: Sum,
    /// None without jobs.
    peers: BTreeMap<Peer, Sum>,
    /// None that no job needs.
    blobs: BTreeMap<BlobRef, Needed>,
    here_bytes: u128,
    coming_bytes: u128,
}

/// In more bits than jobs can fill: what is taken off must be what was added.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    jobs: u64,
    input_bytes: u128,
    fuel: u128,
}

#[derive(Debug, Clone, Copy)]
struct Needed {
    by_jobs: u64,
    place: Place,
}

/// Everything a job needs, each once.
pub(super) fn blobs(job: &JobSpec) -> BTreeSet<BlobRef> {
    job.blobs().copied().collect()
}

impl Sums {
    /// Adds a job, and where each of its blobs is.
    pub(super) fn add(&mut self, owner: Peer, job: &JobSpec, places: &BTreeMap<BlobRef, Place>) {
        for sum in [&mut self.all, self.peers.entry(owner).or_default()] {
            sum.jobs += 1;
            sum.input_bytes += u128::from(input_bytes(job));
            sum.fuel += u128::from(job.limits.fuel);
        }
        for (blob, place) in places {
            let needed = self.blobs.entry(*blob).or_insert(Needed { by_jobs: 0, place: *place });
            needed.by_jobs += 1;
            if needed.by_jobs == 1 {
                self.move_to(blob, None, Some(*place));
            }
        }
    }

    /// Takes a job off that was added.
    pub(super) fn remove(&mut self, owner: Peer, job: &JobSpec) {
        let of_owner = self.peers.entry(owner).or_default();
        for sum in [&mut self.all, &mut *of_owner] {
            sum.jobs -= 1;
            sum.input_bytes -= u128::from(input_bytes(job));
            sum.fuel -= u128::from(job.limits.fuel);
        }
        if of_owner.jobs == 0 {
            self.peers.remove(&owner);
        }
        for blob in blobs(job) {
            let Some(needed) = self.blobs.get_mut(&blob) else { continue };
            needed.by_jobs -= 1;
            if needed.by_jobs == 0 {
                let place = needed.place;
                self.blobs.remove(&blob);
                self.move_to(&blob, Some(place), None);
            }
        }
    }

    /// Notes that all that a job needs is here.
    pub(super) fn arrived(&mut self, job: &JobSpec) {
        for blob in blobs(job) {
            let Some(needed) = self.blobs.get_mut(&blob).filter(|needed| needed.place == Place::Coming) else {
                continue;
            };
            needed.place = Place::Here;
            self.move_to(&blob, Some(Place::Coming), Some(Place::Here));
        }
    }

    /// What a peer, and what everybody together, has going.
    pub(super) fn going(&self, peer: Peer) -> (Going, Going) {
        (self.peers.get(&peer).copied().unwrap_or_default().going(), self.all.going())
    }

    /// What the disk has to hold for one more job, with the blobs of all these. What these may write is left out: limits are
    /// far above what jobs write, and room for that is made when it is known.
    pub(super) fn needs(&self, job: &JobSpec, places: &BTreeMap<BlobRef, Place>) -> Needs {
        let new = places.iter().filter(|(blob, _)| !self.blobs.contains_key(*blob));
        let of = |wanted| new.clone().filter(move |(_, place)| **place == wanted).map(|(blob, _)| blob.size_bytes);
        Needs {
            here_bytes: of(Place::Here).fold(clamped(self.here_bytes), u64::saturating_add),
            coming_bytes: of(Place::Coming).fold(clamped(self.coming_bytes), u64::saturating_add),
            output_bytes: job.limits.output_bytes,
        }
    }

    fn move_to(&mut self, blob: &BlobRef, from: Option<Place>, to: Option<Place>) {
        let bytes = u128::from(blob.size_bytes);
        for (place, sum) in [(Place::Here, &mut self.here_bytes), (Place::Coming, &mut self.coming_bytes)] {
            *sum += if to == Some(place) { bytes } else { 0 };
            *sum -= if from == Some(place) { bytes } else { 0 };
        }
    }
}

impl Sum {
    fn going(self) -> Going {
        Going { jobs: self.jobs, input_bytes: clamped(self.input_bytes), fuel: clamped(self.fuel) }
    }
}

fn clamped(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use samebit_runner::spec::{HostKey, Limits, Profile};

    use super::*;

    fn blob(text: &str, size_bytes: u64) -> BlobRef {
        BlobRef { size_bytes, ..BlobRef::of(text.as_bytes()) }
    }

    fn job(inputs: &[BlobRef], fuel: u64) -> JobSpec {
        let named = |(number, blob): (usize, &BlobRef)| (format!("input-{number}").parse().expect("a name"), *blob);
        JobSpec {
            module: blob("module", 100),
            args: Vec::new(),
            inputs: inputs.iter().enumerate().map(named).collect(),
            limits: Limits { fuel, ..Limits::default() },
            profile: Profile::Exact,
            tolerances: BTreeMap::new(),
        }
    }

    fn at(job: &JobSpec, place: Place) -> BTreeMap<BlobRef, Place> {
        blobs(job).into_iter().map(|blob| (blob, place)).collect()
    }

    #[test]
    fn what_was_added_is_taken_off_again_whatever_it_was() {
        let (first, second) = (Peer::Local, Peer::Remote(HostKey::from_bytes([1; 32])));
        let (huge, small) = (job(&[blob("a", u64::MAX)], u64::MAX), job(&[blob("a", u64::MAX), blob("b", 7)], 5));
        let mut sums = Sums::default();
        sums.add(first, &huge, &at(&huge, Place::Coming));
        sums.add(second, &small, &at(&small, Place::Here));
        assert_eq!(sums.going(first).1, Going { jobs: 2, input_bytes: u64::MAX, fuel: u64::MAX });
        sums.remove(first, &huge);
        assert_eq!(sums.going(first).0, Going::default());
        assert_eq!(sums.going(second).0, Going { jobs: 1, input_bytes: u64::MAX, fuel: 5 });
        sums.remove(second, &small);
        assert_eq!((sums.peers.len(), sums.blobs.len(), sums.here_bytes, sums.coming_bytes), (0, 0, 0, 0));
    }

    #[test]
    fn the_disk_holds_a_blob_once_for_all_who_need_it() {
        let (a, b) = (job(&[blob("a", 10), blob("a", 10)], 1), job(&[blob("a", 10), blob("b", 7)], 1));
        let output_bytes = a.limits.output_bytes;
        let needs = |here_bytes, coming_bytes| Needs { here_bytes, coming_bytes, output_bytes };
        let mut sums = Sums::default();
        assert_eq!(sums.needs(&a, &at(&a, Place::Coming)), needs(0, 110));
        sums.add(Peer::Local, &a, &at(&a, Place::Coming));
        assert_eq!(sums.needs(&b, &at(&b, Place::Here)), needs(7, 110), "what is known to come is not here");
        sums.add(Peer::Local, &b, &at(&b, Place::Coming));
        sums.arrived(&a);
        assert_eq!(sums.needs(&a, &at(&a, Place::Stays)), needs(110, 7));
        sums.remove(Peer::Local, &a);
        assert_eq!(sums.needs(&a, &BTreeMap::new()), needs(110, 7), "the other one needs it still");
    }
}
