//! Why a kernel was refused: what the guest sees, and what a person reads.

use crate::text;
use naga::Span;
use serde::{Deserialize, Serialize};

/// A place in a kernel's text. Lines end at a line feed; columns count bytes. Both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What kind of refusal it is. With the location, this is what a guest is told, so both are the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RefusalReason {
    /// The text is not valid WGSL, or breaks a rule of its validation.
    Invalid,
    /// The text is valid, but uses something outside the interface, or more of it than [`limits`](crate::limits) allow.
    Unsupported,
    /// The text has no compute entry point of the name that was asked for.
    UnknownEntryPoint,
    /// The override constant of this name or `@id` does not exist, was given twice, got a value outside its type, or
    /// was not given although it has no default.
    BadConstant(String),
    /// The text is longer, or nests deeper, than the limits allow.
    TooLarge,
}

/// A kernel that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Refusal {
    /// The kind of refusal.
    pub reason: RefusalReason,
    /// Where in the text, if it has a place.
    pub location: Option<Location>,
    /// For people: what is wrong, the source line, and what to do. Its wording may change.
    pub message: String,
}

impl Refusal {
    /// A refusal of no particular place.
    pub(crate) fn nowhere(reason: RefusalReason, what: &str, todo: &str) -> Self {
        let message = format!("{}: {}; {todo}", headline(&reason, None), text::clean(what));
        Self { reason, location: None, message }
    }

    /// A refusal of what is at `offset`.
    pub(crate) fn at(reason: RefusalReason, source: &str, offset: usize, what: &str, todo: &str) -> Self {
        let location = Some(text::location(source, offset));
        let headline = headline(&reason, location);
        let message = format!("{headline}: {}; {todo}\n{}", text::clean(what), text::excerpt(source, offset));
        Self { reason, location, message }
    }

    /// A refusal of what is at `span`, which may be nowhere.
    pub(crate) fn at_span(reason: RefusalReason, source: &str, span: Span, what: &str, todo: &str) -> Self {
        match text::start(span) {
            Some(offset) => Self::at(reason, source, offset, what, todo),
            None => Self::nowhere(reason, what, todo),
        }
    }
}

/// The start of a message.
fn headline(reason: &RefusalReason, location: Option<Location>) -> String {
    let place = location.map_or(String::new(), |location| format!(" at {location}"));
    match reason {
        RefusalReason::Invalid => format!("kernel is not valid WGSL{place}"),
        RefusalReason::Unsupported => format!("kernel is not supported{place}"),
        RefusalReason::UnknownEntryPoint => format!("kernel has no such entry point{place}"),
        RefusalReason::BadConstant(name) => format!("kernel's override constant `{}` is bad{place}", text::clean(name)),
        RefusalReason::TooLarge => format!("kernel is too large{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_where_why_and_what_to_do() {
        let refusal = Refusal::at(RefusalReason::Unsupported, "a\nbc", 3, "it is odd", "make it even");
        assert_eq!(refusal.location, Some(Location { line: 2, column: 2 }));
        assert_eq!(refusal.to_string(), "kernel is not supported at 2:2: it is odd; make it even\n2 | bc\n  |  ^");
        let refusal = Refusal::nowhere(RefusalReason::BadConstant("n".into()), "it is missing", "give it");
        assert_eq!(refusal.to_string(), "kernel's override constant `n` is bad: it is missing; give it");
    }
}
