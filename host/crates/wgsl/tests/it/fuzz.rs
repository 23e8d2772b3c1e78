//! Texts that were good or bad once, mutated: none may panic through, and each gives the same answer twice.

use crate::{bad, good, parse};

/// Mutants of one run. `SAMEBIT_SEED` replays one.
const MUTANTS: usize = 1_500;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }
}

/// Splits where words end, so that a mutant still looks like WGSL.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in text.chars() {
        let word = c.is_alphanumeric() || c == '_';
        match pieces.last_mut().filter(|_| word && in_word) {
            Some(last) => last.push(c),
            None => pieces.push(c.to_string()),
        }
        in_word = word;
    }
    pieces
}

fn mutate(random: &mut Random, corpus: &[Vec<String>]) -> String {
    let mut text = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(text.len());
        match random.below(4) {
            0 if text.len() > 1 => drop(text.remove(at)),
            1 => text.insert(at, text[at].clone()),
            2 => {
                let other = random.below(text.len());
                text.swap(at, other);
            }
            _ => {
                let donor = &corpus[random.below(corpus.len())];
                text[at] = donor[random.below(donor.len())].clone();
            }
        }
    }
    text.concat()
}

#[test]
fn mutants_are_answered_and_twice_the_same() {
    let seed = std::env::var("SAMEBIT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed_0002);
    println!("SAMEBIT_SEED={seed}");
    let good = good::BODIES.iter().map(|body| good::text(body)).chain(good::TEXTS.map(|(text, _)| text.to_owned()));
    let bad = bad::INVALID.iter().chain(&bad::UNSUPPORTED).map(|(_, text)| text.replace('$', bad::MAIN));
    let corpus: Vec<_> = good.chain(bad).map(|text| pieces(&text)).collect();
    let mut random = Random(seed);
    let mut accepted = 0;
    for _ in 0..MUTANTS {
        let text = mutate(&mut random, &corpus);
        let first = parse(&text, &[]).map(|kernel| kernel.interface().clone());
        let second = parse(&text, &[]).map(|kernel| kernel.interface().clone());
        assert_eq!(first, second, "{text}");
        accepted += usize::from(first.is_ok());
    }
    assert!(accepted > MUTANTS / 50 && accepted < MUTANTS, "{accepted} of {MUTANTS} mutants were accepted");
}
