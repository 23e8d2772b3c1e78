//! A text as words, numbers and symbols: near enough to WGSL's tokens to count and nest them.

/// What a token is, as far as counting needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or keyword.
    Word,
    /// A number.
    Number,
    /// `(`, `[` or `{`.
    Open(u8),
    /// `)`, `]` or `}`.
    Close(u8),
    /// `,`.
    Comma,
    /// `;`.
    Semicolon,
    /// An operator or `.`.
    Operator,
    /// Anything else: `@`, `:`, `=`, `->`, and what WGSL does not know.
    Other,
}

/// A word, number or symbol, and where it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) offset: usize,
}

/// The tokens of `text`, without comments.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        offset = skip_blank(text.as_bytes(), offset);
        let (kind, length) = next(text.as_bytes().get(offset..)?)?;
        // Multi-byte characters are words as a whole, so the range is on boundaries; if it were not, the scan ends.
        let token = Token { kind, text: text.get(offset..offset + length)?, offset };
        offset += length;
        Some(token)
    })
}

/// The offset of the next token at or after `offset`. Block comments nest.
fn skip_blank(text: &[u8], mut offset: usize) -> usize {
    let mut depth = 0_usize;
    let mut line = false;
    while let Some(rest) = text.get(offset..).filter(|rest| !rest.is_empty()) {
        let step = match (line, depth, rest) {
            (true, _, [b'\n' | b'\r' | 0x0b | 0x0c, ..]) => {
                line = false;
                1
            }
            // NEL, LS and PS end a line comment too.
            (true, _, [0xc2, 0x85, ..]) => {
                line = false;
                2
            }
            (true, _, [0xe2, 0x80, 0xa8 | 0xa9, ..]) => {
                line = false;
                3
            }
            (true, ..) => 1,
            (_, _, [b'/', b'*', ..]) => {
                depth += 1;
                2
            }
            (_, 1.., [b'*', b'/', ..]) => {
                depth -= 1;
                2
            }
            (_, 1.., _) => 1,
            (_, 0, [b'/', b'/', ..]) => {
                line = true;
                2
            }
            (_, 0, [byte, ..]) if byte.is_ascii_whitespace() || byte.is_ascii_control() => 1,
            _ => return offset,
        };
        offset += step;
    }
    text.len()
}

/// The kind and length of the token at the start of `rest`.
fn next(rest: &[u8]) -> Option<(Kind, usize)> {
    let first = *rest.first()?;
    Some(match first {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => (Kind::Word, run(rest)),
        b'0'..=b'9' => (Kind::Number, number(rest)),
        b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => (Kind::Number, number(rest)),
        b'(' | b'[' | b'{' => (Kind::Open(first), 1),
        b')' | b']' | b'}' => (Kind::Close(first), 1),
        b',' => (Kind::Comma, 1),
        b';' => (Kind::Semicolon, 1),
        _ => match rest {
            [b'-', b'>', ..] => (Kind::Other, 2),
            [b'=' | b'!' | b'<' | b'>', b'=', ..] | [b'&', b'&', ..] | [b'|', b'|', ..] => (Kind::Operator, 2),
            [b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^' | b'~' | b'!' | b'<' | b'>' | b'.', ..] => {
                (Kind::Operator, 1)
            }
            _ => (Kind::Other, 1),
        },
    })
}

/// Length of the word at the start of `rest`. Characters beyond ASCII count as letters.
fn run(rest: &[u8]) -> usize {
    rest.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80)).unwrap_or(rest.len())
}

/// Length of the number at the start of `rest`: digits with at most one point and one exponent's sign.
fn number(rest: &[u8]) -> usize {
    let mut length = if rest[0] == b'.' { 0 } else { run(rest) };
    let hexadecimal = matches!(rest, [b'0', b'x' | b'X', ..]);
    let selects = |next: Option<&u8>| next.is_some_and(|b| (b.is_ascii_alphabetic() && !hexadecimal) || *b == b'_');
    let after = rest.get(length + 1);
    let plain = hexadecimal || rest[..length].iter().all(u8::is_ascii_digit);
    // `1.e5` and `1.f` are numbers although a letter follows the point.
    let numeric = !selects(after) || matches!(after, Some(b'e' | b'E' | b'f' | b'h'));
    if rest.get(length) == Some(&b'.') && plain && numeric {
        length += 1 + run(&rest[length + 1..]);
    }
    let marks: &[u8] = if hexadecimal { b"pP" } else { b"eE" };
    if marks.contains(&rest[length - 1])
        && matches!(rest.get(length), Some(b'+' | b'-'))
        && rest.get(length + 1).is_some_and(u8::is_ascii_digit)
    {
        length += 1 + run(&rest[length + 1..]);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).map(|token| token.text).collect()
    }

    #[test]
    fn a_text_splits_into_words_numbers_and_symbols() {
        assert_eq!(
            texts("let é1 = a.xy[0]*-1.5e-3f; // x\n/* y /* z */ */b&&!c->d"),
            ["let", "é1", "=", "a", ".", "xy", "[", "0", "]", "*", "-", "1.5e-3f", ";", "b", "&&", "!", "c", "->", "d"]
        );
    }

    #[test]
    fn no_chain_hides_inside_a_number() {
        assert_eq!(texts("0x1e+0x1e+1e+1+1.x.x"), ["0x1e", "+", "0x1e", "+", "1e+1", "+", "1", ".", "x", ".", "x"]);
        assert_eq!(
            texts("1u.x.x 1.5.x .5.x 0x1p-3 1.f 1. "),
            ["1u", ".", "x", ".", "x", "1.5", ".", "x", ".5", ".", "x", "0x1p-3", "1.f", "1."]
        );
    }

    #[test]
    fn comments_end_where_lines_end() {
        assert_eq!(texts("a//b\u{2028}c//d\u{85}e//f\rg/*h"), ["a", "c", "e", "g"]);
    }

    #[test]
    fn any_bytes_make_some_tokens_and_nothing_is_lost() {
        let text = "¶(\u{202e})\u{0}\u{7f}#$\\`'\"";
        assert!(tokens(text).map(|token| token.text.len()).sum::<usize>() + 2 == text.len(), "{:?}", texts(text));
    }
}
