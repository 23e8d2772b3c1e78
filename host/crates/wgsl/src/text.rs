//! Places in a kernel's text: from byte offsets to lines and columns, and the excerpt that an error shows.
//!
//! Offsets come from naga and are never trusted to lie inside the text, or on a character boundary.

use crate::Location;
use naga::Span;
use std::fmt::Write;

/// Longest part of a source line that an excerpt shows. A line may be as long as the whole text.
const EXCERPT_BYTES: usize = 100;

/// Where `offset` is in `text`.
pub(crate) fn location(text: &str, offset: usize) -> Location {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
    // The text is at most 1 MiB long, so neither can be too large.
    Location {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(before.len() - line_start + 1).unwrap_or(u32::MAX),
    }
}

/// The offset where `span` starts, if it is a known place.
pub(crate) fn start(span: Span) -> Option<usize> {
    span.to_range().map(|range| range.start)
}

/// The source line at `offset` with a caret below it, cut to a bearable length.
pub(crate) fn excerpt(text: &str, offset: usize) -> String {
    let offset = text.floor_char_boundary(offset.min(text.len()));
    let line_start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[offset..].find('\n').map_or(text.len(), |length| offset + length);
    let from = text.floor_char_boundary(line_start.max(offset.saturating_sub(EXCERPT_BYTES / 2)));
    let until = text.ceil_char_boundary(line_end.min(from + EXCERPT_BYTES)).min(line_end);
    let shown: String = text[from..until].chars().map(printable).collect();
    let indent = text[from..offset].chars().count();
    let number = location(text, offset).line.to_string();
    let margin = number.len();
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write!(out, "{number} | {shown}\n{:margin$} | {:indent$}^", "", "");
    out
}

/// A character as an excerpt shows it: tabs as one space, so that the caret points right, and nothing that could
/// move a terminal's cursor.
fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        // Characters that change the direction of text could make an excerpt read as something else.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}

/// `message` without control characters and cut to a bearable length: it may quote an identifier of a megabyte.
pub(crate) fn clean(message: &str) -> String {
    const MESSAGE_CHARS: usize = 400;
    let mut out: String = message.chars().take(MESSAGE_CHARS).map(printable).collect();
    if message.chars().nth(MESSAGE_CHARS).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_count_from_one_in_bytes() {
        let text = "aé\nb c";
        assert_eq!(location(text, 0), Location { line: 1, column: 1 });
        assert_eq!(location(text, 3), Location { line: 1, column: 4 });
        assert_eq!(location(text, 4), Location { line: 2, column: 1 });
        assert_eq!(location(text, 6), Location { line: 2, column: 3 });
        assert_eq!(location(text, usize::MAX), Location { line: 2, column: 4 });
    }

    #[test]
    fn an_excerpt_points_below_the_place() {
        assert_eq!(excerpt("x\n\tlet é = 1;\ny", 7), "2 |  let é = 1;\n  |      ^");
        assert_eq!(excerpt("", 5), "1 | \n  | ^");
    }

    #[test]
    fn an_excerpt_of_any_offset_is_short_and_does_not_panic() {
        let text = "é\u{7}".repeat(5_000);
        for offset in (0..text.len() + 10).step_by(7) {
            let excerpt = excerpt(&text, offset);
            assert!(excerpt.len() < 3 * EXCERPT_BYTES, "{} bytes at {offset}", excerpt.len());
            assert!(!excerpt.contains('\u{7}'));
        }
    }

    #[test]
    fn a_message_is_cut_and_cleaned() {
        assert_eq!(clean("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(clean(&"x".repeat(10_000)).chars().count(), 401);
    }
}
