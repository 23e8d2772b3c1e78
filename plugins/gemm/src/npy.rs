//! Headers of NumPy's `.npy` files, as far as matrices of `f32` go.
//!
//! A file is a magic number, a version, the length of the header, the header, and the elements. The header is a Python
//! dictionary; this reads exactly the dictionaries that NumPy writes (in any order and spacing), and evaluates nothing.
//! Versions 1 to 3 differ in the length's size and the text's encoding.
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::fmt;

/// Magic number, version, length and header may take so much together: what NumPy's version 1 can hold.
pub const MAX_HEADER_BYTES: usize = 10 + 65_535;

const MAGIC: &[u8] = b"\x93NUMPY";

/// What the start of a file says about the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Rows of the matrix.
    pub rows: usize,
    /// Columns of the matrix.
    pub columns: usize,
    /// Whether elements of a column, not of a row, lie side by side.
    pub fortran_order: bool,
    /// Where the elements start.
    pub data_offset: usize,
}

/// Why a file is not a matrix of `f32`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file does not start as an `.npy` file does.
    NotNpy,
    /// A version of the format from after this was written.
    Version(u8, u8),
    /// The header ends past the file's end, or past [`MAX_HEADER_BYTES`].
    TooLong,
    /// The header is not a dictionary as NumPy writes it; the byte of the header where that shows.
    Syntax(usize),
    /// The elements are not little-endian `f32`.
    Element(String),
    /// The array has another number of dimensions than two.
    Dimensions(usize),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNpy => write!(f, "this is no .npy file; write one with numpy.save"),
            Self::Version(major, minor) => write!(f, "version {major}.{minor} of the .npy format is not known here"),
            Self::TooLong => write!(f, "the header is cut off, or longer than {MAX_HEADER_BYTES} bytes"),
            Self::Syntax(at) => write!(f, "the header is not what numpy.save writes, from its byte {at} on"),
            Self::Element(descr) => write!(f, "elements are `{descr}`, not `<f4`; convert with .astype(numpy.float32)"),
            Self::Dimensions(count) => write!(f, "the array has {count} dimensions, not 2; reshape it to a matrix"),
        }
    }
}

impl std::error::Error for HeaderError {}

impl Header {
    /// Reads the header from the first bytes of a file: all of it, or [`MAX_HEADER_BYTES`].
    ///
    /// # Errors
    /// The file is not a matrix of `f32`.
    pub fn parse(start: &[u8]) -> Result<Self, HeaderError> {
        let rest = start.strip_prefix(MAGIC).ok_or(HeaderError::NotNpy)?;
        let (&[major, minor], rest) = rest.split_first_chunk().ok_or(HeaderError::NotNpy)?;
        let (length, rest) = match (major, minor) {
            (1, 0) => rest.split_first_chunk().map(|(length, rest)| (u16::from_le_bytes(*length).into(), rest)),
            (2 | 3, 0) => rest.split_first_chunk().map(|(length, rest)| (u32::from_le_bytes(*length), rest)),
            _ => return Err(HeaderError::Version(major, minor)),
        }
        .ok_or(HeaderError::TooLong)?;
        let length = usize::try_from(length).map_err(|_| HeaderError::TooLong)?;
        let text = rest.get(..length).ok_or(HeaderError::TooLong)?;
        let data_offset = start.len() - rest.len() + length;
        if data_offset > MAX_HEADER_BYTES {
            return Err(HeaderError::TooLong);
        }
        Dictionary::parse(text)?.into_header(data_offset)
    }
}

/// The start of a file with a matrix of `f32` in C order.
pub fn header(rows: usize, columns: usize) -> Vec<u8> {
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // The elements start at a multiple of 64 bytes, and a newline ends the header.
    let unpadded = MAGIC.len() + 4 + text.len() + 1;
    text.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    text.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    // Two numbers of up to 20 digits: far from the end of a u16.
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// The three entries, once each.
#[derive(Default)]
struct Dictionary {
    descr: Option<String>,
    fortran_order: Option<bool>,
    shape: Option<Vec<usize>>,
}

impl Dictionary {
    fn parse(text: &[u8]) -> Result<Self, HeaderError> {
        let mut reader = Reader { text, at: 0 };
        let mut dictionary = Self::default();
        reader.expect(b'{')?;
        while !reader.take(b'}') {
            let at = reader.at;
            let key = reader.string()?;
            reader.expect(b':')?;
            let is_repeated = match key {
                b"descr" => dictionary.descr.replace(reader.descr()?).is_some(),
                b"fortran_order" => dictionary.fortran_order.replace(reader.boolean()?).is_some(),
                b"shape" => dictionary.shape.replace(reader.shape()?).is_some(),
                _ => true,
            };
            if is_repeated {
                return Err(HeaderError::Syntax(at));
            }
            if !reader.take(b',') {
                reader.expect(b'}')?;
                break;
            }
        }
        reader.end()?;
        Ok(dictionary)
    }

    fn into_header(self, data_offset: usize) -> Result<Header, HeaderError> {
        let (Some(descr), Some(fortran_order), Some(shape)) = (self.descr, self.fortran_order, self.shape) else {
            return Err(HeaderError::Syntax(0));
        };
        if descr != "<f4" {
            return Err(HeaderError::Element(descr));
        }
        let &[rows, columns] = shape.as_slice() else {
            return Err(HeaderError::Dimensions(shape.len()));
        };
        Ok(Header { rows, columns, fortran_order, data_offset })
    }
}

/// Reads Python's literals, as far as these headers have them. Spaces are skipped before everything.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(|byte| matches!(byte, b' ' | b'\n')) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), HeaderError> {
        if self.take(byte) { Ok(()) } else { Err(self.wrong()) }
    }

    fn end(&mut self) -> Result<(), HeaderError> {
        if self.peek().is_none() { Ok(()) } else { Err(self.wrong()) }
    }

    fn wrong(&self) -> HeaderError {
        HeaderError::Syntax(self.at)
    }

    /// A quoted string without escapes.
    fn string(&mut self) -> Result<&'a [u8], HeaderError> {
        let quote = self.peek().filter(|byte| matches!(byte, b'\'' | b'"')).ok_or_else(|| self.wrong())?;
        let inside = self.text.get(self.at + 1..).unwrap_or_default();
        let length = inside.iter().position(|&byte| byte == quote).ok_or_else(|| self.wrong())?;
        let string = inside.get(..length).unwrap_or_default();
        if string.contains(&b'\\') {
            return Err(self.wrong());
        }
        self.at += length + 2;
        Ok(string)
    }

    /// The element type. Structured types are lists, which are no strings.
    fn descr(&mut self) -> Result<String, HeaderError> {
        if self.peek() == Some(b'[') {
            return Err(HeaderError::Element("a structure".to_owned()));
        }
        let string = self.string()?;
        // For a message: long enough for any real type, and printable.
        Ok(string.escape_ascii().take(32).map(char::from).collect())
    }

    fn boolean(&mut self) -> Result<bool, HeaderError> {
        self.peek();
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (word, value) in [("True", true), ("False", false)] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong())
    }

    /// A tuple of numbers: `()`, `(3,)`, `(3, 4)`, `(3, 4,)`.
    fn shape(&mut self) -> Result<Vec<usize>, HeaderError> {
        self.expect(b'(')?;
        let mut shape = Vec::new();
        while !self.take(b')') {
            shape.push(self.number()?);
            if !self.take(b',') {
                self.expect(b')')?;
                // Without a comma, Python has parentheses around a number here, and no tuple.
                if shape.len() == 1 {
                    return Err(self.wrong());
                }
                break;
            }
        }
        Ok(shape)
    }

    fn number(&mut self) -> Result<usize, HeaderError> {
        self.peek();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = rest.get(..digits).unwrap_or_default();
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(|| self.wrong())?;
        self.at += digits;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: u8, text: &str) -> Vec<u8> {
        let mut bytes = [MAGIC, &[version, 0]].concat();
        match version {
            1 => bytes.extend((text.len() as u16).to_le_bytes()),
            _ => bytes.extend((text.len() as u32).to_le_bytes()),
        }
        bytes.extend(text.as_bytes());
        bytes
    }

    fn parse(text: &str) -> Result<(usize, usize, bool), HeaderError> {
        Header::parse(&file(1, text)).map(|header| (header.rows, header.columns, header.fortran_order))
    }

    #[test]
    fn reads_what_numpy_writes() {
        // numpy.save of zeros((3, 4), dtype=float32), byte by byte.
        let mut text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }".to_owned();
        text += &" ".repeat(117 - text.len());
        text += "\n";
        let file = file(1, &text);
        assert_eq!(Header::parse(&file), Ok(Header { rows: 3, columns: 4, fortran_order: false, data_offset: 128 }));
        assert_eq!(header(3, 4), file);
    }

    #[test]
    fn reads_versions_two_and_three() {
        let text = "{'shape': (7, 0), 'fortran_order': True, 'descr': \"<f4\"}\n";
        for version in [2, 3] {
            let header = Header::parse(&file(version, text)).expect("is a header");
            assert_eq!((header.rows, header.columns, header.fortran_order), (7, 0, true));
            assert_eq!(header.data_offset, 12 + text.len());
        }
        assert_eq!(Header::parse(&file(4, text)), Err(HeaderError::Version(4, 0)));
    }

    #[test]
    fn writes_what_it_reads() {
        for (rows, columns) in [(0, 0), (1, 33_554_432), (usize::MAX, usize::MAX)] {
            let bytes = header(rows, columns);
            assert_eq!(bytes.len() % 64, 0);
            assert_eq!(
                Header::parse(&bytes),
                Ok(Header { rows, columns, fortran_order: false, data_offset: bytes.len() })
            );
        }
    }

    #[test]
    fn refuses_other_arrays() {
        let with = |descr: &str, shape: &str| {
            parse(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"))
        };
        assert_eq!(with("'<f8'", "(1, 1)"), Err(HeaderError::Element("<f8".into())));
        assert_eq!(with("'>f4'", "(1, 1)"), Err(HeaderError::Element(">f4".into())));
        assert_eq!(with("[('x', '<f4')]", "(1, 1)"), Err(HeaderError::Element("a structure".into())));
        assert_eq!(with("'<f4'", "()"), Err(HeaderError::Dimensions(0)));
        assert_eq!(with("'<f4'", "(5,)"), Err(HeaderError::Dimensions(1)));
        assert_eq!(with("'<f4'", "(1, 2, 3)"), Err(HeaderError::Dimensions(3)));
    }

    #[test]
    fn refuses_hostile_headers() {
        let syntax = [
            "",
            "{",
            "{}",
            "[]",
            "{'descr': '<f4'}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } x",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'shape': (3, 4)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'more': 1}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 4)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 1)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': __import__('os')}",
            "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (3, 4)}",
            "{'descr': '<f4",
        ];
        for text in syntax {
            assert!(matches!(parse(text), Err(HeaderError::Syntax(_))), "{text}: {:?}", parse(text));
        }
        assert_eq!(Header::parse(b""), Err(HeaderError::NotNpy));
        assert_eq!(Header::parse(b"\x93NUMPY\x01"), Err(HeaderError::NotNpy));
        assert_eq!(Header::parse(b"\x93NUMPY\x01\x00\x10"), Err(HeaderError::TooLong));
        assert_eq!(Header::parse(b"\x93NUMPY\x01\x00\x10\x00{}"), Err(HeaderError::TooLong));
        assert_eq!(Header::parse(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}"), Err(HeaderError::TooLong));
        assert_eq!(Header::parse(&file(2, &" ".repeat(70_000))), Err(HeaderError::TooLong));
    }

    #[test]
    fn every_cut_and_flip_is_an_answer() {
        let whole = header(3, 4);
        for end in 0..whole.len() {
            assert!(Header::parse(&whole[..end]).is_err(), "cut at {end}");
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                if let Ok(header) = Header::parse(&flipped) {
                    assert!(header.data_offset <= flipped.len());
                }
            }
        }
    }
}
