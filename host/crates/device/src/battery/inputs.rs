//! What the tests are given.
//!
//! Uniformly random bits hardly ever meet a rounding that is close, a result that is subnormal, or two numbers of like
//! size. So random operands come in several kinds, and each test has hard ones that are built backwards from a result
//! between two numbers.

use super::Test;
use crate::random::Rng;

/// Operands `x`, `y` and `z`, as bits.
pub(super) type Triple = [u32; 3];

/// How many hard cases each test has.
const HARD: u32 = 1 << 16;
/// The same, in the short form, for all tests together.
const HARD_SHORT: u32 = 1 << 9;

/// Where floats and integers change their nature.
const EDGES: [u32; 48] = [
    0,
    1,
    2,
    3,
    0x0000_1234,
    0x0040_0000,
    0x007f_fffe,
    0x007f_ffff, // subnormal
    0x0080_0000,
    0x0080_0001,
    0x0100_0000,
    0x0bff_ffff,
    0x1980_0000,
    0x1f80_0000,
    0x2000_0001, // small
    0x33ff_ffff,
    0x3400_0000,
    0x3eaa_aaab,
    0x3eff_ffff,
    0x3f00_0000,
    0x3f00_0001,
    0x3f7f_ffff, // below one
    0x3f80_0000,
    0x3f80_0001,
    0x3f80_0002,
    0x3fb5_04f3,
    0x3fc0_0000,
    0x3fff_ffff,
    0x4000_0000, // from one on
    0x4020_0000,
    0x4040_0000,
    0x4049_0fdb,
    0x4afe_ffff,
    0x4aff_ffff,
    0x4b00_0001,
    0x4b7f_ffff, // halves end
    0x4b80_0001,
    0x4eff_ffff,
    0x4f00_0000,
    0x4f7f_ffff,
    0x4f80_0000,
    0x5f00_0000,
    0x5f7f_ffff, // integers end
    0x7e80_0000,
    0x7f7f_ffff,
    0x7f80_0000,
    0x7fc0_0000,
    0x7f80_0001, // the last numbers, infinity, NaNs
];

/// Everything a test is given.
pub(super) fn of(test: Test, seed: u64, random: u32) -> Vec<Triple> {
    let mut triples = edges();
    let mut rng = Rng::new(seed ^ (test as u64) << 32);
    triples.extend((0..HARD).map(|_| hard(test, &mut rng)));
    triples.extend((0..random).map(|_| any(&mut rng)));
    triples
}

/// What all tests are given in the short form.
pub(super) fn short(seed: u64, random: u32) -> Vec<Triple> {
    let mut rng = Rng::new(seed);
    let mut triples = edges();
    // Every seventh pair: each number meets some of each kind.
    triples = triples.into_iter().step_by(7).collect();
    triples.extend((0..HARD_SHORT).map(|_| hard(*rng.clone().pick(&Test::ALL), &mut rng)));
    triples.extend((0..random).map(|_| any(&mut rng)));
    triples
}

/// Every pair of edges, with and without signs, and a third that differs from pair to pair.
fn edges() -> Vec<Triple> {
    let words: Vec<u32> = EDGES.iter().flat_map(|word| [*word, *word | 0x8000_0000]).collect();
    let mut rng = Rng::new(1);
    let pairs = words.iter().flat_map(|x| words.iter().map(move |y| (*x, *y)));
    pairs.map(|(x, y)| [x, y, *rng.pick(&words)]).collect()
}

/// A random triple of one of several kinds.
fn any(rng: &mut Rng) -> Triple {
    let middle = 64 + rng.below(128);
    let kind = rng.below(8);
    std::array::from_fn(|_| match kind {
        0 | 1 => rng.next() as u32,
        // Of like size, so that sums round and cancel.
        2..=4 => {
            let exponent = middle.saturating_sub(rng.below(30));
            float(rng, exponent, 24)
        }
        // Around the subnormal numbers.
        5 => sign(rng) | ((rng.next() as u32 & 0x01ff_ffff) >> rng.below(25)),
        // Few bits, so that results fall between two numbers.
        6 => {
            let (bits, exponent) = (1 + rng.below(13), middle + rng.below(25));
            float(rng, exponent, bits)
        }
        // Integers and halves.
        _ => ((f64::from(rng.next() as i32 >> rng.below(32)) / 2.0) as f32).to_bits(),
    })
}

/// A number of this biased exponent whose significand has so many bits.
fn float(rng: &mut Rng, exponent: u32, bits: u32) -> u32 {
    let fraction = (rng.next() as u32 & 0x007f_ffff) >> (24 - bits.clamp(1, 24)) << (24 - bits.clamp(1, 24));
    sign(rng) | (exponent.min(254) << 23) | (fraction & 0x007f_ffff)
}

fn sign(rng: &mut Rng) -> u32 {
    (rng.next() as u32) & 0x8000_0000
}

/// A triple at which a test's result is close to the middle between two numbers, or to where something begins or ends.
fn hard(test: Test, rng: &mut Rng) -> Triple {
    let [a, b, c] = [1.0_f64; 3].map(|_| significand(rng));
    let tiny = 2.0_f64.powi(-(rng.below(120) as i32));
    match test {
        Test::Add | Test::Subtract | Test::Reassociate => {
            // A half of the last place of the first, or a hair more or less.
            let half = 2.0_f64.powi(-24) * (1.0 + tiny * f64::from(rng.below(3) as i32 - 1));
            words([a, half * [1.0, 3.0, a][rng.below(3) as usize], c * 2.0_f64.powi(-24)], scale(rng, 100), rng)
        }
        Test::Multiply | Test::Contract => {
            // Products of 12 and 13 bits end in the middle; scaled, they are subnormal.
            let [a, b] = [a, b].map(|number| (number * 4096.0).round() / 4096.0 + 1.0 / 8192.0);
            let down = if rng.one_in(2) { scale(rng, 126) - 126 } else { 0 };
            let scaled = [a, b * 2.0_f64.powi(down.max(-140)), a * b * if rng.one_in(2) { -1.0 } else { tiny }];
            words(scaled, 0, rng)
        }
        Test::Fma => {
            // The product's own rounding error, what makes or breaks a tie, and sums that cancel.
            let product = f64::from((a * b) as f32);
            let third = [-product, product * 2.0_f64.powi(-24), tiny * c, product * 2.0_f64.powi(24), -a * b * 0.5];
            words([a, b, third[rng.below(5) as usize]], 0, rng)
        }
        Test::Divide => {
            // The quotient is the middle between two numbers, as nearly as a dividend can have it.
            let quotient = a + 2.0_f64.powi(-24);
            let down = if rng.one_in(3) { -(rng.below(149) as i32) } else { 0 };
            let x = nudge((quotient * b) as f32, rng);
            words([f64::from(x) * 2.0_f64.powi(down), b, c], 0, rng)
        }
        Test::Sqrt => {
            let root = a + 2.0_f64.powi(-24);
            let even = 2.0_f64.powi(2 * (rng.below(120) as i32 - 60));
            let [x, y] = [1.0, 2.0].map(|by| f64::from(nudge((root * root * by) as f32, rng)) * even);
            [(x as f32).to_bits(), (y as f32).to_bits(), 0]
        }
        Test::Floor | Test::Ceil | Test::Trunc | Test::Round | Test::ToSigned | Test::ToUnsigned => {
            // Integers and halves, and their neighbors, up to where integers end.
            let integer = f64::from(rng.next() as u32 >> rng.below(32)) + if rng.one_in(2) { 0.5 } else { 0.0 };
            let x = nudge(integer as f32, rng).to_bits() ^ sign(rng);
            [x, x ^ 0x8000_0000, x.wrapping_add(1)]
        }
        Test::FromSigned | Test::FromUnsigned => {
            // 25 bits and what decides a tie, anywhere in the word.
            let shift = rng.below(8);
            let word = ((rng.next() as u32 & 0x01ff_ffff) | 1) << shift;
            let word = word.wrapping_add(rng.below(3)).wrapping_sub(1);
            [if rng.one_in(2) { word } else { word.wrapping_neg() }, word, !word]
        }
        Test::Min | Test::Max | Test::Compare | Test::Fold => {
            let x = any(rng)[0];
            let near = [x, x ^ 0x8000_0000, x.wrapping_add(1), x.wrapping_sub(1), 0, 0x8000_0000, 0x7fc0_0001];
            [x, *rng.pick(&near), *rng.pick(&near)]
        }
    }
}

/// From 1 to below 2, with 24 bits.
fn significand(rng: &mut Rng) -> f64 {
    f64::from(f32::from_bits(0x3f80_0000 | (rng.next() as u32 & 0x007f_ffff)))
}

/// An exponent of two within so many of zero.
fn scale(rng: &mut Rng, within: u32) -> i32 {
    rng.below(2 * within + 1) as i32 - within as i32
}

/// A number, or one of its neighbors.
fn nudge(number: f32, rng: &mut Rng) -> f32 {
    [number, number.next_up(), number.next_down()][rng.below(3) as usize]
}

/// Three numbers times a power of two, rounded, with random signs.
fn words(numbers: [f64; 3], exponent: i32, rng: &mut Rng) -> Triple {
    let scaled = numbers.map(|number| ((number * 2.0_f64.powi(exponent)) as f32).to_bits());
    scaled.map(|bits| if rng.one_in(8) { bits ^ 0x8000_0000 } else { bits })
}
