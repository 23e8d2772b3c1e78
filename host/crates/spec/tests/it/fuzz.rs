//! Random and mutated bytes never panic, and what they decode to encodes to the same bytes.

use samebit_spec::{JobSpec, Outcome, RECEIPT_MAGIC, Receipt};

use crate::samples::{job, large_job, outcomes, receipt};

/// xorshift64*: enough to wander, and the same everywhere.
struct Random(u64);

impl Random {
    /// Starts from `SAMEBIT_SEED`, or a fixed seed.
    fn seeded() -> Self {
        let seed = std::env::var("SAMEBIT_SEED").ok().and_then(|text| text.parse().ok());
        Self(seed.unwrap_or(0x5a3e_b172_0260_0001).max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Whatever is accepted must be canonical; returns whether anything was.
fn accepted(bytes: &[u8]) -> bool {
    let mut any = false;
    if let Ok(job) = JobSpec::decode(bytes) {
        assert_eq!(job.encode(), bytes);
        any = true;
    }
    if let Ok(outcome) = Outcome::decode(bytes) {
        assert_eq!(outcome.encode(), bytes);
        any = true;
    }
    assert!(Receipt::decode(&[RECEIPT_MAGIC.as_slice(), bytes].concat()).is_err(), "a forged receipt: {bytes:02x?}");
    any
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random::seeded();
    println!("SAMEBIT_SEED={}", random.0);
    for _ in 0..20_000 {
        let len = random.below(300);
        let mut bytes: Vec<u8> = (0..len).map(|_| random.next() as u8 >> random.below(8)).collect();
        if let Some(version) = bytes.first_mut() {
            *version = 0;
        }
        accepted(&bytes);
    }
}

#[test]
fn mutated_bytes_never_panic() {
    let mut random = Random::seeded();
    println!("SAMEBIT_SEED={}", random.0);
    let mut seeds: Vec<Vec<u8>> = outcomes().into_iter().map(|(_, outcome)| outcome.encode()).collect();
    seeds.extend([job().encode(), large_job().encode(), receipt().encode()[RECEIPT_MAGIC.len()..].to_vec()]);
    let mut survivors = 0;
    for _ in 0..20_000 {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = random.next() as u8,
                1 => bytes[at] ^= 1 << random.below(8),
                2 => bytes.insert(at, random.next() as u8),
                _ => drop(bytes.remove(at)),
            }
        }
        if !seeds.contains(&bytes) {
            survivors += usize::from(accepted(&bytes));
        }
    }
    assert!(survivors > 100, "mutations should often stay decodable, or nothing behind the first check is reached");
}
