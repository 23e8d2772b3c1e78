//! NumPy's `.npy` files, as bytes for a binding: the elements as they lie in the file, in C order.
//!
//! A file is a magic number, a version, the length of the header, the header, and the elements. The header is a Python
//! dictionary; this reads exactly the dictionaries that NumPy writes, in any order and spacing, and evaluates nothing.
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use thiserror::Error;

/// Magic number, version, length and header may take so much together: what NumPy's version 1 can hold.
pub(crate) const HEADER_BYTES_MAX: usize = 10 + 65_535;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Element types that a kernel can make something of: WGSL has words of 4 bytes, and unpacks what is smaller.
const ELEMENTS: [(&str, usize); 8] =
    [("<f4", 4), ("<i4", 4), ("<u4", 4), ("<f2", 2), ("<i2", 2), ("<u2", 2), ("|i1", 1), ("|u1", 1)];

/// More dimensions than NumPy itself allows.
const DIMENSIONS_MAX: usize = 64;

/// Why a file cannot be bound.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum NpyError {
    #[error("this is no .npy file; write one with numpy.save, or leave out `npy:` to bind its bytes as they are")]
    NotNpy,
    #[error("version {0}.{1} of the .npy format is not known here; write the file with numpy.save")]
    Version(u8, u8),
    #[error("the header is cut off, or longer than {HEADER_BYTES_MAX} bytes; write the file with numpy.save")]
    TooLong,
    #[error("the header is not what numpy.save writes, from its byte {0} on")]
    Syntax(usize),
    #[error("elements are `{0}`, which WGSL has no type for; convert with .astype(numpy.float32), or int32 or uint32")]
    Element(String),
    #[error("the array is in Fortran's order; write numpy.ascontiguousarray of it")]
    Fortran,
    #[error("the header declares {declared} bytes of elements, and the file has {found}; it is cut off or damaged")]
    Size { declared: u128, found: usize },
}

/// The elements of a file.
pub(crate) fn elements(mut file: Vec<u8>) -> Result<Vec<u8>, NpyError> {
    let (offset, header) = header(&file)?;
    let size = ELEMENTS.iter().find(|(name, _)| *name == header.descr).map(|(_, size)| *size);
    let size = size.ok_or(NpyError::Element(header.descr))?;
    if header.fortran_order && header.shape.len() > 1 {
        return Err(NpyError::Fortran);
    }
    let count = header.shape.iter().try_fold(size as u128, |count, side| count.checked_mul(u128::from(*side)));
    let (declared, found) = (count.unwrap_or(u128::MAX), file.len() - offset);
    if declared != found as u128 {
        return Err(NpyError::Size { declared, found });
    }
    file.drain(..offset);
    Ok(file)
}

/// Where the elements begin, and what they are.
fn header(file: &[u8]) -> Result<(usize, Header), NpyError> {
    let rest = file.strip_prefix(MAGIC).ok_or(NpyError::NotNpy)?;
    let (&[major, minor], rest) = rest.split_first_chunk().ok_or(NpyError::NotNpy)?;
    let (length, rest) = match (major, minor) {
        (1, 0) => rest.split_first_chunk().map(|(length, rest)| (u16::from_le_bytes(*length).into(), rest)),
        (2 | 3, 0) => rest.split_first_chunk().map(|(length, rest)| (u32::from_le_bytes(*length), rest)),
        _ => return Err(NpyError::Version(major, minor)),
    }
    .ok_or(NpyError::TooLong)?;
    let text = rest.get(..length as usize).ok_or(NpyError::TooLong)?;
    let offset = file.len() - rest.len() + text.len();
    if offset > HEADER_BYTES_MAX {
        return Err(NpyError::TooLong);
    }
    Ok((offset, Reader { text, at: 0 }.header()?))
}

/// The three entries.
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<u64>,
}

/// Reads Python's literals, as far as these headers have them. Spaces are skipped before everything.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn header(mut self) -> Result<Header, NpyError> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while !self.take(b'}') {
            let at = self.at;
            let key = self.string()?;
            self.expect(b':')?;
            let is_repeated = match key {
                b"descr" => descr.replace(self.descr()?).is_some(),
                b"fortran_order" => fortran_order.replace(self.boolean()?).is_some(),
                b"shape" => shape.replace(self.shape()?).is_some(),
                _ => true,
            };
            if is_repeated {
                return Err(NpyError::Syntax(at));
            }
            if !self.take(b',') {
                self.expect(b'}')?;
                break;
            }
        }
        match (self.peek(), descr, fortran_order, shape) {
            (None, Some(descr), Some(fortran_order), Some(shape)) => Ok(Header { descr, fortran_order, shape }),
            _ => Err(self.wrong()),
        }
    }

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

    fn expect(&mut self, byte: u8) -> Result<(), NpyError> {
        if self.take(byte) { Ok(()) } else { Err(self.wrong()) }
    }

    fn wrong(&self) -> NpyError {
        NpyError::Syntax(self.at)
    }

    /// A quoted string without escapes.
    fn string(&mut self) -> Result<&'a [u8], NpyError> {
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
    fn descr(&mut self) -> Result<String, NpyError> {
        if self.peek() == Some(b'[') {
            return Err(NpyError::Element("a structure".to_owned()));
        }
        // For a message: long enough for any real type, and printable.
        Ok(self.string()?.escape_ascii().take(32).map(char::from).collect())
    }

    fn boolean(&mut self) -> Result<bool, NpyError> {
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
    fn shape(&mut self) -> Result<Vec<u64>, NpyError> {
        self.expect(b'(')?;
        let mut shape = Vec::new();
        while !self.take(b')') {
            if shape.len() == DIMENSIONS_MAX {
                return Err(self.wrong());
            }
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

    fn number(&mut self) -> Result<u64, NpyError> {
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

    fn file(version: u8, text: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = [MAGIC, &[version, 0]].concat();
        match version {
            1 => bytes.extend((text.len() as u16).to_le_bytes()),
            _ => bytes.extend((text.len() as u32).to_le_bytes()),
        }
        [bytes, text.as_bytes().to_vec(), data.to_vec()].concat()
    }

    fn array(descr: &str, order: &str, shape: &str, size: usize) -> Result<usize, NpyError> {
        let text = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}");
        elements(file(1, &text, &vec![7; size])).map(|bytes| bytes.len())
    }

    #[test]
    fn elements_are_the_bytes_after_the_header() {
        assert_eq!(array("'<f4'", "False", "(3, 4)", 48), Ok(48));
        assert_eq!(array("'|u1'", "False", "(5,)", 5), Ok(5));
        assert_eq!(array("'<u2'", "True", "(5,)", 10), Ok(10));
        assert_eq!(array("'<i4'", "False", "()", 4), Ok(4));
        assert_eq!(array("'<i4'", "False", "(2, 0)", 0), Ok(0));
        let text = "{\"shape\": (1,2,1),'fortran_order':False,'descr':'<f4'}\n";
        assert_eq!(elements(file(3, text, b"abcdefgh")), Ok(b"abcdefgh".to_vec()));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        assert_eq!(array("'<f8'", "False", "(1,)", 8), Err(NpyError::Element("<f8".to_owned())));
        assert_eq!(array("'>f4'", "False", "(1,)", 4), Err(NpyError::Element(">f4".to_owned())));
        assert_eq!(array("[('x', '<f4')]", "False", "(1,)", 4), Err(NpyError::Element("a structure".to_owned())));
        assert_eq!(array("'<f4'", "True", "(2, 2)", 16), Err(NpyError::Fortran));
        assert_eq!(array("'<f4'", "False", "(4,)", 15), Err(NpyError::Size { declared: 16, found: 15 }));
        assert_eq!(array("'<f4'", "False", "(4,)", 17), Err(NpyError::Size { declared: 16, found: 17 }));
        let huge = format!("({})", "18446744073709551615, ".repeat(9));
        assert_eq!(array("'<f4'", "False", &huge, 4), Err(NpyError::Size { declared: u128::MAX, found: 4 }));
    }

    #[test]
    fn hostile_headers_are_refused() {
        for text in [
            "",
            "{",
            "{}",
            "{'descr': '<f4'}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': __import__('os')}",
            "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (1,)}",
        ] {
            assert!(matches!(elements(file(1, text, &[0; 4])), Err(NpyError::Syntax(_))), "{text}");
        }
        let many = format!("({})", "1, ".repeat(10_000));
        assert!(matches!(array("'<f4'", "False", &many, 4), Err(NpyError::Syntax(_))));
        assert_eq!(elements(Vec::new()), Err(NpyError::NotNpy));
        assert_eq!(elements(b"\x93NUMPY\x01".to_vec()), Err(NpyError::NotNpy));
        assert_eq!(elements(b"\x93NUMPY\x01\x00\x10\x00{}".to_vec()), Err(NpyError::TooLong));
        assert_eq!(elements(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}".to_vec()), Err(NpyError::TooLong));
        assert_eq!(elements(file(2, &" ".repeat(70_000), &[])), Err(NpyError::TooLong));
        assert_eq!(elements(file(9, "", &[])), Err(NpyError::Version(9, 0)));
    }
}
