//! What was found out about a function.

use super::functions::ulps;
use std::fmt;

/// What was found out about a function.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    inputs: u64,
    worst: f64,
    at: [u32; 2],
    not_nearest: u64,
    undecided: u64,
    wrong_kind: u64,
    wrong_at: [u32; 2],
}

impl Tally {
    /// Takes a result, by its bits, and what it should be.
    #[inline(always)]
    pub(super) fn take(&mut self, input: [u32; 2], result: u32, truth: f64) {
        self.inputs += 1;
        let got = f32::from_bits(result);
        if got.is_nan() || truth.is_nan() {
            self.kind(input, got.is_nan() == truth.is_nan());
            return;
        }
        let nearest = truth as f32;
        if got.to_bits() == nearest.to_bits() {
            // Still, the error may be the worst of all.
            if got.is_infinite() {
                return;
            }
        } else if nearest == 0.0 && got == 0.0 {
            return self.kind(input, false);
        }
        let error = ulps(got, truth);
        if error > self.worst {
            self.worst = error;
            self.at = input;
        }
        // Neither can the sign of a zero be wrong, nor infinity be taken for a number, by an error of a few ULP.
        let least = truth * (1.0 - 2f64.powi(-49));
        let greatest = truth * (1.0 + 2f64.powi(-49));
        if least as f32 != greatest as f32 {
            self.undecided += 1;
        } else if got != nearest {
            self.not_nearest += 1;
        }
    }

    fn kind(&mut self, input: [u32; 2], right: bool) {
        if !right {
            self.wrong_kind += 1;
            self.wrong_at = input;
        }
    }

    /// Adds what another thread found out.
    pub(super) fn add(&mut self, other: &Self) {
        self.inputs += other.inputs;
        self.not_nearest += other.not_nearest;
        self.undecided += other.undecided;
        self.wrong_kind += other.wrong_kind;
        if other.wrong_kind > 0 {
            self.wrong_at = other.wrong_at;
        }
        if other.worst > self.worst {
            self.worst = other.worst;
            self.at = other.at;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.at;
        write!(f, "{} | {:.4} | `{a:08x}`", self.inputs, self.worst)?;
        if b != 0 {
            write!(f, " `{b:08x}`")?;
        }
        write!(f, " | {} | {} | {}", self.not_nearest, self.undecided, self.wrong_kind)?;
        if self.wrong_kind > 0 {
            write!(f, " (`{:08x}` `{:08x}`)", self.wrong_at[0], self.wrong_at[1])?;
        }
        write!(f, " |")
    }
}
