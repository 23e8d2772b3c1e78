//! Text from another machine, which ends up on somebody's terminal and in somebody's log.

use core::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Text of at most `MAX` bytes without control characters, so that it can neither fill a screen nor steer it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

/// Why a text cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    /// Over the field's bound.
    #[error("text too long: {bytes} bytes, at most {bytes_max} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// Line breaks, escapes and the like.
    #[error("text holds a control character, which is not allowed")]
    Control,
}

impl<const MAX: usize> Text<MAX> {
    /// Checks a text.
    pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        if text.len() > MAX {
            Err(TextError::TooLong { bytes: text.len(), bytes_max: MAX })
        } else if text.chars().any(char::is_control) {
            Err(TextError::Control)
        } else {
            Ok(Self(text))
        }
    }

    /// Makes any text one of these: control characters become spaces, and what is too long is cut.
    pub fn fit(text: &str) -> Self {
        let text = &text[..text.floor_char_boundary(MAX)];
        // A control character may take two bytes; the space that replaces it takes one.
        Self(text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_refused_and_fitted() {
        assert_eq!(Text::<80>::new("\u{1b}[2J"), Err(TextError::Control));
        assert_eq!(Text::<80>::fit("\u{1b}[2J\u{9b}x\ny").as_str(), " [2J x y");
    }

    #[test]
    fn what_is_too_long_is_refused_and_cut_between_characters() {
        assert_eq!(Text::<3>::new("four"), Err(TextError::TooLong { bytes: 4, bytes_max: 3 }));
        assert_eq!(Text::<3>::fit("aéé").as_str(), "aé");
        assert_eq!(Text::<2>::fit("aéé").as_str(), "a");
    }
}
