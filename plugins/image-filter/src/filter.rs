//! Which filter, and how strong: the job's arguments.

use samebit_guest::prelude::*;
use std::fmt;

/// What is done to a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Filter {
    /// A Gaussian blur.
    Blur {
        /// Pixels to each side that count. The standard deviation is a third of it.
        radius: u32,
    },
    /// Unsharp masking against the 3 × 3 neighborhood.
    Sharpen {
        /// How much of the difference to the neighborhood is added.
        amount: f32,
    },
    /// The strength of the brightness's gradient, by Sobel's operator, in gray.
    Edges,
}

impl Filter {
    /// Largest radius of a blur.
    pub const RADIUS: u32 = 96;
    /// Largest amount of sharpening.
    pub const AMOUNT: f32 = 10.0;

    /// Reads `[blur [RADIUS] | sharpen [AMOUNT] | edges]`, by default a blur of 12 pixels.
    ///
    /// # Errors
    /// There is no such filter, or a number is outside its range.
    pub fn parse(args: &[String]) -> Result<Self, Error> {
        let mut args = args.iter().map(String::as_str);
        let (name, strength) = (args.next().unwrap_or("blur"), args.next());
        if let Some(extra) = args.next() {
            bail!("`{extra}` is one argument too many: {USAGE}");
        }
        match (name, strength) {
            ("blur", None) => Ok(Self::Blur { radius: 12 }),
            ("blur", Some(text)) => match text.parse() {
                Ok(radius @ 1..=Self::RADIUS) => Ok(Self::Blur { radius }),
                _ => bail!("the radius `{text}` is no number from 1 to {}", Self::RADIUS),
            },
            ("sharpen", None) => Ok(Self::Sharpen { amount: 1.0 }),
            ("sharpen", Some(text)) => match text.parse() {
                Ok(amount) if (0.0..=Self::AMOUNT).contains(&amount) => Ok(Self::Sharpen { amount }),
                _ => bail!("the amount `{text}` is no number from 0 to {}", Self::AMOUNT),
            },
            ("edges", None) => Ok(Self::Edges),
            ("edges", Some(extra)) => bail!("`{extra}` is one argument too many: {USAGE}"),
            (name, _) => bail!("no filter `{name}`: {USAGE}"),
        }
    }

    /// The weights of a blur for distances of 0 to `radius` pixels. With both sides counted, they sum up to 1.
    pub fn blur_weights(radius: u32) -> Vec<f64> {
        let sigma = f64::from(radius) / 3.0;
        let bell: Vec<f64> = (0..=radius).map(|x| (-0.5 * (f64::from(x) / sigma).powi(2)).exp()).collect();
        let sum: f64 = 2.0 * bell.iter().sum::<f64>() - 1.0;
        bell.into_iter().map(|weight| weight / sum).collect()
    }
}

const USAGE: &str = "write blur [RADIUS], sharpen [AMOUNT] or edges";

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blur { radius } => write!(f, "blur by {radius}"),
            Self::Sharpen { amount } => write!(f, "sharpening by {amount}"),
            Self::Edges => write!(f, "edges"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> Result<Filter, String> {
        let args: Vec<_> = args.split_whitespace().map(str::to_owned).collect();
        Filter::parse(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_arguments() {
        assert_eq!(parse(""), Ok(Filter::Blur { radius: 12 }));
        assert_eq!(parse("blur 96"), Ok(Filter::Blur { radius: 96 }));
        assert_eq!(parse("sharpen 0.5"), Ok(Filter::Sharpen { amount: 0.5 }));
        assert_eq!(parse("edges"), Ok(Filter::Edges));
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(parse("blur 0"), Err("the radius `0` is no number from 1 to 96".into()));
        assert_eq!(parse("blur 97"), Err("the radius `97` is no number from 1 to 96".into()));
        assert_eq!(parse("sharpen NaN"), Err("the amount `NaN` is no number from 0 to 10".into()));
        assert_eq!(parse("edges 1"), Err(format!("`1` is one argument too many: {USAGE}")));
        assert_eq!(parse("blur 1 2"), Err(format!("`2` is one argument too many: {USAGE}")));
    }

    #[test]
    fn weights_sum_up() {
        for radius in [1, 12, Filter::RADIUS] {
            let weights = Filter::blur_weights(radius);
            assert_eq!(weights.len(), radius as usize + 1);
            let sum = weights.iter().sum::<f64>() * 2.0 - weights[0];
            assert!((sum - 1.0).abs() < 1e-12, "{sum}");
            assert!(weights.is_sorted_by(|near, far| near > far));
        }
    }
}
