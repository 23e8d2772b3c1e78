//! The two promises, in small and at random.

use samebit_runner::spec::{BlobRef, HostKey, JobSpec, Limits, Profile};

use super::*;

fn peer(byte: u8) -> Peer {
    Peer::Remote(HostKey::from_bytes([byte; 32]))
}

fn job(number: u32) -> JobId {
    let args = vec![number.to_string()];
    let (inputs, limits) = (BTreeMap::new(), Limits::default());
    JobSpec { module: BlobRef::of(b""), args, inputs, limits, profile: Profile::Exact, tolerances: BTreeMap::new() }
        .id()
}

/// Starts what may start.
fn start_all(queue: &mut Queue) -> Vec<JobId> {
    std::iter::from_fn(|| queue.start()).collect()
}

#[test]
fn peers_take_turns() {
    let mut queue = Queue::new(1, 1, 100);
    for number in 0..4 {
        queue.push(peer(1), job(number), 1);
    }
    queue.push(peer(2), job(10), 1);
    assert_eq!((0..4).map(|number| queue.position(&job(number))).collect::<Vec<_>>(), [0, 2, 3, 4].map(Some));
    assert_eq!(queue.position(&job(10)), Some(1), "the newcomer is next but one");
    assert_eq!(queue.first(3), [0, 10, 1].map(job));
    let mut order = Vec::new();
    while let Some(next) = queue.start() {
        order.push(next);
        assert!(queue.remove(&next));
    }
    assert_eq!(order, [0, 10, 1, 2, 3].map(job));
}

#[test]
fn memory_slots_and_shares_are_kept() {
    let mut queue = Queue::new(3, 2, 100);
    for number in 0..4 {
        queue.push(peer(1), job(number), 10);
    }
    assert_eq!(start_all(&mut queue), [0, 1].map(job), "two of one peer");
    queue.push(peer(2), job(10), 90);
    assert_eq!(start_all(&mut queue), [], "the first peer has its share, and 10 + 10 + 90 is too much");
    queue.push(peer(3), job(20), 1);
    assert_eq!(start_all(&mut queue), [], "what is large is not overtaken");
    queue.remove(&job(0));
    assert_eq!(start_all(&mut queue), [job(2)], "it was the first peer's turn, and is the second's now");
    queue.remove(&job(1));
    queue.remove(&job(2));
    assert_eq!(start_all(&mut queue), [10, 20].map(job), "90 + 1, and 10 more is too much");
    queue.push(peer(4), job(30), 1_000);
    queue.remove(&job(10));
    assert_eq!(start_all(&mut queue), [job(3)], "what is larger than everything waits until it is alone");
    queue.remove(&job(3));
    queue.remove(&job(20));
    assert_eq!(start_all(&mut queue), [job(30)]);
}

#[test]
fn a_job_that_is_taken_out_leaves_no_trace() {
    let mut queue = Queue::new(1, 1, 10);
    queue.push(peer(1), job(1), 1);
    queue.push(peer(2), job(2), 1);
    assert!(queue.remove(&job(1)) && !queue.remove(&job(1)));
    assert_eq!((queue.position(&job(1)), queue.position(&job(2))), (None, Some(0)));
    assert_eq!((start_all(&mut queue), queue.waiting(), queue.running()), (vec![job(2)], 0, 1));
    assert!(queue.remove(&job(2)));
    assert_eq!(queue.running(), 0);
}

#[test]
fn at_random_nothing_is_lost_and_nothing_exceeded() {
    let seed = std::env::var("SAMEBIT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0x5a3e_b172_0260_0005);
    println!("SAMEBIT_SEED={seed}");
    let mut state: u64 = seed;
    let mut below = move |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    let mut queue = Queue::new(4, 2, 100);
    let (mut waiting, mut running) = (BTreeMap::new(), BTreeMap::new());
    for number in 0..3_000 {
        match below(3) {
            0 => {
                let (owner, memory) = (peer(below(5) as u8), 1 + below(60));
                queue.push(owner, job(number), memory);
                waiting.insert(job(number), (owner, memory));
            }
            1 => {
                let first = waiting.keys().copied().find(|job| queue.position(job) == Some(0));
                if let Some(started) = queue.start() {
                    let at_share = running.values().any(|(owner, _): &(Peer, u64)| {
                        running.values().filter(|(other, _)| other == owner).count() == 2
                    });
                    assert!(at_share || first == Some(started), "the first starts first");
                    running.insert(started, waiting.remove(&started).expect("it waited"));
                }
            }
            _ => {
                let victim = if below(4) == 0 { waiting.keys().next() } else { running.keys().next() };
                if let Some(job) = victim.copied() {
                    assert!(queue.remove(&job));
                    waiting.remove(&job).or(running.remove(&job)).expect("it was there");
                }
            }
        }
        assert_eq!((queue.waiting(), queue.running()), (waiting.len(), running.len()));
        assert!(running.len() <= 4 && running.values().map(|(_, memory)| memory).sum::<u64>() <= 100);
        for owner in 0..5 {
            assert!(running.values().filter(|(other, _)| *other == peer(owner)).count() <= 2);
        }
    }
    // Whatever waits is started in the end.
    while queue.waiting() > 0 {
        let started = start_all(&mut queue);
        running.extend(started.into_iter().map(|job| (job, waiting.remove(&job).expect("it waited"))));
        let done = running.pop_first().expect("something runs").0;
        assert!(queue.remove(&done));
    }
    assert!(waiting.is_empty());
}
