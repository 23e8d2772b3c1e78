//! Sets of keys and hashes, with a word for all of them.

use std::collections::BTreeSet;

use samebit_runner::spec::{Hash, HostKey};
use serde::de::{self, Deserialize, Deserializer};

/// Keys, or every key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keys(Set<HostKey>);

/// Hashes, or every hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hashes(Set<Hash>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Set<T> {
    Any,
    These(BTreeSet<T>),
}

impl<T: Ord> Default for Set<T> {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl<T: Ord + std::str::FromStr<Err: std::fmt::Display>> Set<T> {
    fn has(&self, one: &T) -> bool {
        match self {
            Self::Any => true,
            Self::These(these) => these.contains(one),
        }
    }

    fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut these = BTreeSet::new();
        for text in texts {
            if text == "any" {
                return Ok(Self::Any);
            }
            these.insert(text.parse().map_err(|error: T::Err| format!("{error}; or write `any`"))?);
        }
        Ok(Self::These(these))
    }

    fn join(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Any, _) => {}
            (_, Self::Any) => *self = Self::Any,
            (Self::These(these), Self::These(those)) => these.extend(those),
        }
    }
}

impl Keys {
    /// Reads keys, or the word `any`.
    pub(crate) fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        Set::parse(texts).map(Self)
    }

    /// True if this key is one of them.
    pub(crate) fn has(&self, key: &HostKey) -> bool {
        self.0.has(key)
    }

    /// Adds others.
    pub(crate) fn join(&mut self, other: Self) {
        self.0.join(other.0);
    }

    /// As the policy file writes them.
    pub(crate) fn texts(&self) -> Vec<String> {
        match &self.0 {
            Set::Any => vec!["any".to_owned()],
            Set::These(these) => these.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Hashes {
    /// True if this hash is one of them.
    pub(crate) fn has(&self, hash: &Hash) -> bool {
        self.0.has(hash)
    }

    /// As the policy file writes them.
    pub(crate) fn texts(&self) -> Vec<String> {
        match &self.0 {
            Set::Any => vec!["any".to_owned()],
            Set::These(these) => these.iter().map(ToString::to_string).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Set::parse(texts.iter().map(String::as_str)).map(Self).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Set::parse(texts.iter().map(String::as_str)).map(Self).map_err(de::Error::custom)
    }
}
