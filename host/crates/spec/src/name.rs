//! Names of inputs and outputs.
//!
//! A name is also a safe file name on every platform we know: it can be joined to a folder without leaving it.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 128;

/// The name of an input or output: 1 to 128 of `A-Z a-z 0-9 . _ -`, starting with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a name: {0:?}; a name has 1 to 128 of the characters A-Z a-z 0-9 . _ - and starts with a letter or digit")]
pub struct NameError(String);

impl Name {
    /// Checks a text and makes it a name.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let starts_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if starts_well && text.len() <= NAME_BYTES_MAX && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(NameError(text.chars().take(NAME_BYTES_MAX).collect()))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_a_folder_are_refused() {
        for text in ["", ".", "..", "../x", "a/b", "a\\b", "/etc/passwd", ".hidden", "-rf", "a b", "a\0", "é", "a:b"] {
            assert!(Name::new(text).is_err(), "{text:?}");
        }
        assert!(Name::new("x".repeat(NAME_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn ordinary_names_are_names() {
        for text in ["image", "image.png", "c.npy", "0", "stdout", "a_b-c.d"] {
            assert_eq!(Name::new(text).expect(text).as_str(), text);
        }
    }
}
