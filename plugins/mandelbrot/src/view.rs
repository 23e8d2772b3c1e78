//! What part of the plane is drawn, how large, and how carefully: the job's arguments.

use samebit_guest::prelude::*;

/// Longest side of a picture.
const SIDE: u32 = 16_384;
/// Most iterations. More would only show what `f32` cannot tell apart.
const ITERATIONS: u32 = 100_000;

/// A picture of the plane.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The point in the middle: real and imaginary part.
    pub center: [f64; 2],
    /// Width of the picture in the plane.
    pub scale: f64,
    /// Points that stay small for so many steps are drawn as members of the set.
    pub iterations: u32,
}

impl Default for View {
    /// The whole set.
    fn default() -> Self {
        Self { width: 1024, height: 768, center: [-0.72, 0.0], scale: 3.2, iterations: 500 }
    }
}

impl View {
    /// Reads `[WIDTH HEIGHT [CENTER-X CENTER-Y SCALE [ITERATIONS]]]`; what is left out is as in [`View::default`].
    ///
    /// # Errors
    /// An argument is not a number, or outside its range.
    pub fn parse(args: &[String]) -> Result<Self, Error> {
        let default = Self::default();
        if matches!(args.len(), 1 | 3 | 4) || args.len() > 6 {
            bail!("{} arguments: write [WIDTH HEIGHT [CENTER-X CENTER-Y SCALE [ITERATIONS]]]", args.len());
        }
        let integer = |index: usize, name, limit, otherwise| match args.get(index) {
            None => Ok(otherwise),
            Some(text) => match text.parse() {
                Ok(value) if (1..=limit).contains(&value) => Ok(value),
                _ => Err(Error::from(format!("{name} `{text}`: write a number from 1 to {limit}"))),
            },
        };
        let real = |index: usize, name, range: std::ops::RangeInclusive<f64>, otherwise| match args.get(index) {
            None => Ok(otherwise),
            Some(text) => match text.parse() {
                Ok(value) if range.contains(&value) => Ok(value),
                _ => Err(Error::from(format!(
                    "{name} `{text}`: write a number from {} to {}",
                    range.start(),
                    range.end()
                ))),
            },
        };
        Ok(Self {
            width: integer(0, "width", SIDE, default.width)?,
            height: integer(1, "height", SIDE, default.height)?,
            center: [
                real(2, "center-x", -4.0..=4.0, default.center[0])?,
                real(3, "center-y", -4.0..=4.0, default.center[1])?,
            ],
            scale: real(4, "scale", 1e-30..=100.0, default.scale)?,
            iterations: integer(5, "iterations", ITERATIONS, default.iterations)?,
        })
    }

    /// Whether `f32` can tell neighboring samples apart everywhere in the picture.
    pub fn is_resolved(&self) -> bool {
        let samples = 2.0 * f64::from(self.width);
        let farthest = self.center.map(f64::abs).into_iter().fold(0.0, f64::max) + self.scale / 2.0;
        self.scale / samples > farthest * f64::from(f32::EPSILON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> Result<View, String> {
        let args: Vec<_> = args.split_whitespace().map(str::to_owned).collect();
        View::parse(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_arguments() {
        assert_eq!(parse(""), Ok(View::default()));
        assert_eq!(parse("8 6"), Ok(View { width: 8, height: 6, ..View::default() }));
        let deep = View { width: 8, height: 6, center: [-0.75, 0.1], scale: 1e-3, iterations: 9 };
        assert_eq!(parse("8 6 -0.75 0.1 0.001 9"), Ok(deep));
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(parse("0 6"), Err("width `0`: write a number from 1 to 16384".into()));
        assert_eq!(parse("6 x"), Err("height `x`: write a number from 1 to 16384".into()));
        assert_eq!(parse("8 6 NaN 0 1"), Err("center-x `NaN`: write a number from -4 to 4".into()));
        assert!(parse("8 6 0 0 0").is_err() && parse("8 6 0 0 inf").is_err());
        assert!(parse("8 6 0 0 1 100001").is_err());
        assert!(parse("8").is_err() && parse("8 6 0").is_err() && parse("1 1 0 0 1 1 1").is_err());
    }
}
