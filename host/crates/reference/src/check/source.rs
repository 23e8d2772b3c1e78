//! The text of a kernel: lines, columns, and how far what starts at a place goes.

use std::sync::Arc;

use samebit_wgsl::Kernel;
use samebit_wgsl::lowered::At;

use super::report::{BindingName, Place};

/// Most characters of a source line that are shown.
pub(super) const LINE_CHARS: usize = 100;

/// Most characters of a variable's name that are shown.
const NAME_CHARS: usize = 60;

/// Where a kernel comes from: its text, and what to call what is in it.
#[derive(Clone, Debug)]
pub struct Origin {
    pub(super) file: String,
    pub(super) entry_point: String,
    pub(super) text: Arc<str>,
    pub(super) bindings: Vec<BindingName>,
}

impl Origin {
    /// A kernel that was parsed from `text`, which came from `file`.
    pub fn new(file: &str, kernel: &Kernel, text: &str) -> Self {
        let bindings = kernel.interface().bindings.iter().filter_map(|binding| {
            let (group, binding) = (binding.group, binding.binding);
            let name = kernel.binding_name(group, binding)?;
            Some(BindingName { group, binding, name: name.chars().take(NAME_CHARS).collect() })
        });
        let bindings = bindings.collect();
        Self { file: file.to_owned(), entry_point: kernel.entry_point().to_owned(), text: text.into(), bindings }
    }

    /// What is known of a place.
    pub(super) fn place(&self, at: At) -> Place {
        let offset = usize::try_from(at.0).ok().filter(|offset| at != At::UNKNOWN && *offset <= self.text.len());
        let Some(offset) = offset else {
            return Place { offset: None, line: 0, column: 0, source: String::new() };
        };
        let (line, column) = position(&self.text, offset);
        let source = line_at(&self.text, offset).1.trim().chars().take(LINE_CHARS).map(printable).collect();
        Place { offset: Some(at.0), line, column, source }
    }
}

/// Line and column, from 1; columns are bytes.
pub(super) fn position(text: &str, offset: usize) -> (u32, u32) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    // A kernel's text is at most a megabyte.
    (line as u32, (before.len() - start + 1) as u32)
}

/// The line around an offset: where it starts, and what it says.
pub(super) fn line_at(text: &str, offset: usize) -> (usize, &str) {
    let offset = text.floor_char_boundary(offset.min(text.len()));
    let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |length| offset + length);
    (start, &text[start..end])
}

/// A character as it may be shown: nothing that moves a cursor or turns the direction of writing.
pub(super) fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}

/// How many bytes of `rest`, the rest of a line, belong to what starts there: a name with its members, indices and
/// arguments, such as `a[i].x` or `atomicAdd(&n, 1)`. At least one.
pub(super) fn extent(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let mut end = bytes.iter().take_while(|byte| matches!(byte, b'*' | b'&')).count();
    loop {
        let start = end;
        while bytes.get(end).copied().is_some_and(is_name) {
            end += 1;
        }
        while let Some(b'[' | b'(') = bytes.get(end) {
            match closing(&bytes[end..]) {
                Some(length) => end += length,
                None => return rest.trim_end().len().max(1),
            }
        }
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).copied().is_some_and(is_name) {
            end += 1;
        } else if end == start || !matches!(bytes.get(end), Some(b'.')) {
            break;
        }
    }
    let end = end.max(1);
    rest.ceil_char_boundary(end)
}

/// The length of what a bracket encloses, both brackets included, if it ends here.
fn closing(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(index + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extent_is_one_expression() {
        for (rest, expected) in [
            ("out[i / 2u] = i;", "out[i / 2u]"),
            ("a.b[0].c + 1", "a.b[0].c"),
            ("atomicAdd(&n[i], f(2)); x", "atomicAdd(&n[i], f(2))"),
            ("*p = 1", "*p"),
            ("(*p)[1] = 1", "(*p)[1]"),
            ("for (var i = 0;", "for"),
            ("größe[1] = 2", "größe[1]"),
            ("a[f(", "a[f("),
            ("; x", ";"),
            ("", ""),
            ("a. b", "a"),
        ] {
            assert_eq!(&rest[..extent(rest).min(rest.len())], expected, "{rest}");
        }
    }

    #[test]
    fn places_are_lines_and_columns() {
        let (file, entry_point) = (String::new(), String::new());
        let source = Origin { file, entry_point, text: "aé\n  b\u{1b}c\nd".into(), bindings: Vec::new() };
        let place = source.place(At(6));
        assert_eq!((place.line, place.column, place.source.as_str()), (2, 3, "b\u{fffd}c"));
        assert_eq!(source.place(At::UNKNOWN).offset, None);
        assert_eq!(source.place(At(1_000)).offset, None);
    }
}
