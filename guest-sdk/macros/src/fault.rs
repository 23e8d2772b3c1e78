//! What is wrong with a kernel's text, and where.
//!
//! A [`Fault`] displays as `path:line:column: message` followed by the line itself with the place underlined, which is
//! what an editor can jump to. It does not know rustc's spans: `kernel.rs` points those at the path literal.

use std::fmt::Write as _;
use std::ops::Range;

/// Longest part of a line that an excerpt shows, in characters: minified WGSL is one line.
const EXCERPT_CHARS: usize = 120;

/// One error in a kernel's text.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    /// What is wrong, in one line.
    pub(crate) message: String,
    /// The bytes of the text it is about, if they are known.
    pub(crate) place: Option<Range<usize>>,
    /// What else helps, a line each.
    pub(crate) notes: Vec<String>,
}

impl Fault {
    /// A fault without notes.
    pub(crate) fn new(message: impl Into<String>, place: Option<Range<usize>>) -> Self {
        Self { message: message.into(), place, notes: Vec::new() }
    }

    /// The fault as a person reads it, for `text` that came from `path`.
    pub(crate) fn render(&self, path: &str, text: &str) -> String {
        let mut out = String::new();
        match self.place.as_ref().and_then(|place| Excerpt::of(text, place)) {
            Some(excerpt) => {
                let _ = write!(out, "{path}:{}:{}: {}\n{excerpt}", excerpt.line, excerpt.column, self.message);
            }
            None => {
                let _ = write!(out, "{path}: {}", self.message);
            }
        }
        for note in &self.notes {
            let _ = write!(out, "\n  = {note}");
        }
        out
    }
}

/// One line of the text with a range of it underlined.
struct Excerpt<'a> {
    /// From 1.
    line: usize,
    /// From 1, in bytes, as everywhere in Samebit.
    column: usize,
    shown: &'a str,
    indent: usize,
    underline: usize,
}

impl<'a> Excerpt<'a> {
    /// The line of `text` in which `place` starts. `None` if the place is not inside the text.
    fn of(text: &'a str, place: &Range<usize>) -> Option<Self> {
        let before = text.get(..place.start)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(line_start..)?.lines().next().unwrap_or("");
        let column = place.start - line_start;
        let prefix_chars = before.get(line_start..)?.chars().count();

        // A window of the line, so that the place is always in view.
        let skip = prefix_chars.saturating_sub(EXCERPT_CHARS / 2);
        let from = line.char_indices().nth(skip).map_or(line.len(), |(at, _)| at);
        let to = line.char_indices().nth(skip + EXCERPT_CHARS).map_or(line.len(), |(at, _)| at);
        let shown = line.get(from..to)?;

        let indent = prefix_chars - skip;
        let marked = text.get(place.clone()).map_or(0, |place| place.lines().next().unwrap_or("").chars().count());
        let room = shown.chars().count().saturating_sub(indent);
        Some(Self {
            line: before.matches('\n').count() + 1,
            column: column + 1,
            shown,
            indent,
            underline: marked.min(room).max(1),
        })
    }
}

impl std::fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        // Tabs stay tabs in the indent, so that the mark lines up whatever their width is.
        let indent: String = self.shown.chars().take(self.indent).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {}", self.shown)?;
        write!(f, "{gutter} | {indent}{}", "^".repeat(self.underline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_line_column_and_excerpt() {
        let text = "fn a() {}\n\tlet x = foo;\n";
        let at = text.find("foo").expect("is there");
        let fault = Fault {
            message: "no definition in scope for identifier: `foo`".into(),
            place: Some(at..at + 3),
            notes: vec!["a note".into()],
        };
        assert_eq!(
            fault.render("kernels/a.wgsl", text),
            "kernels/a.wgsl:2:10: no definition in scope for identifier: `foo`\n  |\n2 | \tlet x = foo;\n  | \t        ^^^\n  = a note"
        );
    }

    #[test]
    fn counts_columns_in_bytes_and_marks_in_characters() {
        let text = "/* ü */ foo";
        let rendered = Fault::new("m", Some(9..12)).render("k", text);
        assert_eq!(rendered, "k:1:10: m\n  |\n1 | /* ü */ foo\n  |         ^^^");
    }

    #[test]
    fn windows_a_long_line() {
        let text = format!("{}foo{}", " ".repeat(5_000), "x".repeat(5_000));
        let rendered = Fault::new("m", Some(5_000..5_003)).render("k", &text);
        assert!(rendered.starts_with("k:1:5001: m\n"));
        assert!(rendered.lines().all(|line| line.chars().count() < EXCERPT_CHARS + 10), "{rendered}");
        assert!(rendered.ends_with(&format!("{}^^^", " ".repeat(EXCERPT_CHARS / 2))), "{rendered}");
    }

    #[test]
    fn survives_places_outside_the_text() {
        for place in [None, Some(90..100), Some(1..2), Some(3..900)] {
            let rendered = Fault::new("m", place).render("k", "aü\n");
            assert!(rendered.starts_with("k:"), "{rendered}");
        }
        assert_eq!(Fault::new("m", Some(0..0)).render("k", ""), "k:1:1: m\n  |\n1 | \n  | ^");
    }
}
