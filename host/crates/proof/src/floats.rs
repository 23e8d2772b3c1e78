//! Arrays of binary32 numbers, compared within a tolerance, chunk by chunk.
//!
//! Of claims made on another class of device, this much may be forgiven where the job says so. Numbers are compared
//! without floating point (see `deviation.rs`), so every verifier forgives the same.

use core::fmt;

use samebit_spec::Tolerance;
use serde::Serialize;

use crate::deviation::{INFINITY, absolute, relative, ulps};
use crate::difference::Grouped;

/// How far two numbers are apart, in the measure of a tolerance. Rounded up to binary32, where it is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "measure", content = "value", rename_all = "kebab-case")]
pub enum Deviation {
    /// |a − b|: the bits of a binary32 number.
    Absolute(u32),
    /// |a − b| ÷ max(|a|, |b|): the bits of a binary32 number.
    Relative(u32),
    /// Steps from one number to the next; `u64::MAX` between numbers that no count of steps joins.
    Ulp(u64),
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(bits) => write!(f, "{:?} absolute", f32::from_bits(*bits)),
            Self::Relative(bits) => write!(f, "{:?} relative", f32::from_bits(*bits)),
            Self::Ulp(u64::MAX) => f.write_str("inf ULP"),
            Self::Ulp(steps) => write!(f, "{} ULP", Grouped(*steps)),
        }
    }
}

/// The first element of an array that is out of its tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FloatDifference {
    /// Its index.
    pub element: u64,
    /// The bits of the claimed number.
    pub claimed: u32,
    /// The bits of the replayed number.
    pub replayed: u32,
    /// How far they are apart.
    pub deviation: Deviation,
}

impl fmt::Display for FloatDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [claimed, replayed] = [self.claimed, self.replayed].map(f32::from_bits);
        let (element, deviation) = (Grouped(self.element), self.deviation);
        write!(f, "element {element} differs by {deviation}: claimed {claimed:?}, replayed {replayed:?}")
    }
}

/// What was found of two arrays that are equal within a tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Within {
    /// The tolerance.
    pub tolerance: Tolerance,
    /// The largest deviation.
    pub largest: Deviation,
    /// How many elements have other bits.
    pub differing: u64,
    /// How many elements there are.
    pub elements: u64,
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tolerance, largest, differing, elements } = self;
        write!(f, "within {tolerance}: {} of {} elements differ, ", Grouped(*differing), Grouped(*elements))?;
        write!(f, "by {largest} at most")
    }
}

/// Compares two arrays that arrive in chunks, and keeps none of them.
///
/// ```
/// use samebit_proof::{Deviation, FloatComparer};
/// use samebit_spec::Tolerance;
///
/// let mut comparer = FloatComparer::new(Tolerance::Ulp(2)).expect("a tolerance of floats");
/// comparer.chunk(&1.0_f32.to_le_bytes(), &1.0_f32.next_up().to_le_bytes()).expect("one step");
/// assert_eq!(comparer.within().largest, Deviation::Ulp(1));
/// comparer.chunk(&1.0_f32.to_le_bytes(), &2.0_f32.to_le_bytes()).expect_err("a binade");
/// ```
#[derive(Debug, Clone)]
pub struct FloatComparer(Within);

impl FloatComparer {
    /// A comparison within this tolerance; `None` for one that is not of floats.
    pub fn new(tolerance: Tolerance) -> Option<Self> {
        let largest = match tolerance {
            Tolerance::Absolute(_) => Deviation::Absolute(0),
            Tolerance::Relative(_) => Deviation::Relative(0),
            Tolerance::Ulp(_) => Deviation::Ulp(0),
            Tolerance::Compare => return None,
        };
        Some(Self(Within { tolerance, largest, differing: 0, elements: 0 }))
    }

    /// Compares the next elements: chunks of the same length, a multiple of four bytes. The first element that is out of
    /// the tolerance ends the comparison.
    pub fn chunk(&mut self, claimed: &[u8], replayed: &[u8]) -> Result<(), FloatDifference> {
        debug_assert!(claimed.len() == replayed.len() && claimed.len().is_multiple_of(4));
        let (claimed, replayed) = (claimed.as_chunks().0, replayed.as_chunks().0);
        // Equal elements are most of them, and compare at memory speed.
        if claimed != replayed {
            let start = self.0.elements;
            for (element, (claimed, replayed)) in (start..).zip(claimed.iter().zip(replayed)) {
                if claimed != replayed {
                    self.element(element, u32::from_le_bytes(*claimed), u32::from_le_bytes(*replayed))?;
                }
            }
        }
        self.0.elements += claimed.len() as u64;
        Ok(())
    }

    fn element(&mut self, element: u64, claimed: u32, replayed: u32) -> Result<(), FloatDifference> {
        let (deviation, is_within) = match self.0.tolerance {
            Tolerance::Absolute(bound) => {
                let bits = absolute(claimed, replayed);
                (Deviation::Absolute(bits), bits <= bound && bits != INFINITY)
            }
            Tolerance::Relative(bound) => {
                let bits = relative(claimed, replayed);
                (Deviation::Relative(bits), bits <= bound && bits != INFINITY)
            }
            Tolerance::Ulp(bound) => {
                let steps = ulps(claimed, replayed);
                (Deviation::Ulp(steps), steps <= u64::from(bound))
            }
            Tolerance::Compare => return Ok(()),
        };
        if !is_within {
            return Err(FloatDifference { element, claimed, replayed, deviation });
        }
        self.0.differing += 1;
        self.0.largest = self.0.largest.max(deviation);
        Ok(())
    }

    /// What was found so far.
    pub fn within(&self) -> Within {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    fn compare(tolerance: &str, claimed: &[f32], replayed: &[f32]) -> Result<Within, FloatDifference> {
        let mut comparer = FloatComparer::new(tolerance.parse().expect(tolerance)).expect("of floats");
        for (claimed, replayed) in claimed.chunks(2).zip(replayed.chunks(2)) {
            comparer.chunk(&bytes(claimed), &bytes(replayed))?;
        }
        Ok(comparer.within())
    }

    #[test]
    fn what_is_within_is_told_with_its_largest_deviation() {
        let claimed = [1.0, -0.0, f32::NAN, 100.0, 5.0];
        let replayed = [1.0, 0.0, -f32::NAN, 100.0_f32.next_up(), 5.0_f32.next_down()];
        let within = compare("ulp:1", &claimed, &replayed).expect("within");
        assert_eq!((within.largest, within.differing, within.elements), (Deviation::Ulp(1), 4, 5));
        assert_eq!(within.to_string(), "within ulp:1: 4 of 5 elements differ, by 1 ULP at most");
        let within = compare("absolute:1e-5", &claimed, &replayed).expect("within");
        assert_eq!(within.largest, Deviation::Absolute((100.0_f32.next_up() - 100.0).to_bits()));
        let within = compare("relative:1e-6", &claimed, &replayed).expect("within");
        assert_eq!(within.largest.to_string(), "9.536743e-8 relative");
    }

    #[test]
    fn the_first_element_beyond_is_told() {
        let (claimed, replayed) = ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.5, 9.0]);
        let difference = compare("absolute:0.25", &claimed, &replayed).expect_err("beyond");
        assert_eq!((difference.element, difference.deviation), (2, Deviation::Absolute(0.5_f32.to_bits())));
        let text = "element 2 differs by 0.5 absolute: claimed 3.0, replayed 3.5";
        assert_eq!(difference.to_string(), text);
        assert_eq!(compare("absolute:0.5", &claimed, &replayed).expect_err("beyond").element, 3);
        let difference = compare("ulp:8388608", &[f32::MAX], &[f32::INFINITY]).expect_err("infinity is no neighbor");
        assert_eq!(difference.deviation.to_string(), "inf ULP");
        compare("absolute:3e38", &[f32::MAX], &[-f32::MAX]).expect_err("more than any number");
    }

    #[test]
    fn a_bound_is_met_exactly() {
        // 1/3 of 3 is not a binary32 number: the deviation is rounded up, and so just beyond the bound below it.
        let third = (1.0_f32 / 3.0).to_bits();
        let within = |bits: u32| {
            let mut comparer = FloatComparer::new(Tolerance::Relative(bits)).expect("of floats");
            comparer.chunk(&bytes(&[3.0]), &bytes(&[2.0])).is_ok()
        };
        assert!(f64::from(f32::from_bits(third)) > 1.0 / 3.0, "rounded up already");
        assert!(within(third) && !within(third - 1));
    }
}
