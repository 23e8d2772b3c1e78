//! How far an output of a native job may be from another device's.
//!
//! In the profile `native` two honest hosts may differ in the last bits of their floats. A job's author knows how much of
//! that is harmless, so the job says it, output by output, and its id covers it. A tolerance is used only between devices
//! of different classes; how it is applied is up to `samebit-proof`. Bounds are held as the bits of a binary32, so that a
//! job has one encoding; nothing here computes with them.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest tolerance in ULP: a whole binade.
pub const ULPS_MAX: u32 = 1 << 23;

/// The bits of binary32 infinity, which all finite numbers without a sign are below.
const INFINITY: u32 = 0x7f80_0000;

/// The bits of binary32 one.
const ONE: u32 = 0x3f80_0000;

/// How an output may differ from another device's. Read and shown as `absolute:0.001`, `relative:1e-5`, `ulp:4` or
/// `compare`.
///
/// The first three are of outputs that are arrays of little-endian binary32 numbers, compared element by element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tolerance {
    /// |a − b| is at most the binary32 number of these bits: finite, and not negative.
    Absolute(u32),
    /// |a − b| is at most so many parts of the larger of |a| and |b|: the bits of a binary32 number from 0 to below 1.
    Relative(u32),
    /// At most so many steps from one binary32 number to the next lie between a and b; at most [`ULPS_MAX`].
    Ulp(u32),
    /// The module's own `compare` export says so.
    Compare,
}

/// Why a text or number is no tolerance.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ToleranceError {
    /// The text has another form.
    #[error("not a tolerance: {0:?}; write absolute:NUMBER, relative:NUMBER, ulp:COUNT or compare")]
    Text(String),
    /// The bound of an absolute tolerance.
    #[error("an absolute tolerance is a finite number, 0 or more")]
    Absolute,
    /// The bound of a relative tolerance.
    #[error("a relative tolerance is a number from 0 to below 1")]
    Relative,
    /// The bound in ULP.
    #[error("a tolerance of {0} ULP is too large: at most {ULPS_MAX} are allowed")]
    Ulp(u32),
}

impl Tolerance {
    /// Checks the bound.
    pub fn check(self) -> Result<(), ToleranceError> {
        match self {
            Self::Absolute(bits) if bits >= INFINITY => Err(ToleranceError::Absolute),
            Self::Relative(bits) if bits >= ONE => Err(ToleranceError::Relative),
            Self::Ulp(ulps) if ulps > ULPS_MAX => Err(ToleranceError::Ulp(ulps)),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(bits) => write!(f, "absolute:{:?}", f32::from_bits(*bits)),
            Self::Relative(bits) => write!(f, "relative:{:?}", f32::from_bits(*bits)),
            Self::Ulp(ulps) => write!(f, "ulp:{ulps}"),
            Self::Compare => f.write_str("compare"),
        }
    }
}

impl FromStr for Tolerance {
    type Err = ToleranceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || ToleranceError::Text(text.chars().take(80).collect());
        if text == "compare" {
            return Ok(Self::Compare);
        }
        let (kind, bound) = text.split_once(':').ok_or_else(unknown)?;
        // Rounds to the nearest binary32; a sign on zero would only be a second way to say zero.
        let bits = || bound.parse::<f32>().map(|number| (number + 0.0).to_bits()).map_err(|_| unknown());
        let tolerance = match kind {
            "absolute" => Self::Absolute(bits()?),
            "relative" => Self::Relative(bits()?),
            "ulp" => Self::Ulp(bound.parse().map_err(|_| unknown())?),
            _ => return Err(unknown()),
        };
        tolerance.check()?;
        Ok(tolerance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_read_as_they_are_shown() {
        for (text, tolerance) in [
            ("absolute:0.001", Tolerance::Absolute(0.001_f32.to_bits())),
            ("absolute:0.0", Tolerance::Absolute(0)),
            ("relative:1e-5", Tolerance::Relative(1e-5_f32.to_bits())),
            ("ulp:4", Tolerance::Ulp(4)),
            ("compare", Tolerance::Compare),
        ] {
            assert_eq!(text.parse(), Ok(tolerance), "{text}");
            assert_eq!(tolerance.to_string(), text);
        }
        assert_eq!("absolute:-0".parse(), Ok(Tolerance::Absolute(0)), "zero has one encoding");
    }

    #[test]
    fn bounds_that_bound_nothing_are_refused() {
        let refused = |text: &str| text.parse::<Tolerance>().expect_err(text);
        for text in ["absolute:inf", "absolute:nan", "absolute:-1", "absolute:1e39"] {
            assert_eq!(refused(text), ToleranceError::Absolute, "{text}");
        }
        for text in ["relative:1", "relative:nan", "relative:-1e-9"] {
            assert_eq!(refused(text), ToleranceError::Relative, "{text}");
        }
        assert_eq!(refused("ulp:8388609"), ToleranceError::Ulp(ULPS_MAX + 1));
        for text in ["", "4", "ulp", "ulp:", "ulp:-1", "ulp:1.5", "abs:1", "relative:", "compare:1", "absolute:1 "] {
            assert!(matches!(refused(text), ToleranceError::Text(_)), "{text}");
        }
    }
}
