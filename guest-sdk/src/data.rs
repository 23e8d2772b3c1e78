//! Inputs and outputs by name.
//!
//! [`Input`] and [`Output`] are names with operations; nothing is opened, and nothing fails before the first operation.
//! Bytes that only the GPU looks at need not come through here: see [`Buffer::from_input`](crate::Buffer::from_input)
//! and [`Output::append_buffer`].

use crate::buffer::byte_range;
use crate::{Buffer, Error, host};
use bytemuck::Pod;
use std::ops::Range;

/// The input of this name.
pub fn input(name: impl Into<String>) -> Input {
    Input { name: name.into() }
}

/// The names of all inputs, sorted by their bytes.
pub fn inputs() -> Vec<String> {
    host::inputs()
}

/// The output of this name. The first append, even of nothing, creates it.
pub fn output(name: impl Into<String>) -> Output {
    Output { name: name.into() }
}

/// A named blob that the job was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    name: String,
}

impl Input {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the job has it.
    pub fn exists(&self) -> bool {
        host::input_size(&self.name).is_ok()
    }

    /// The size in bytes.
    ///
    /// # Errors
    /// The job has no such input.
    pub fn size(&self) -> Result<u64, Error> {
        host::input_size(&self.name).map_err(Error::data(format_args!("input `{}`", self.name)))
    }

    /// All of its bytes.
    ///
    /// # Errors
    /// The job has no such input, or it is larger than the job's memory can ever be.
    pub fn read(&self) -> Result<Vec<u8>, Error> {
        self.read_at(0, self.size()?)
    }

    /// `size` bytes from `offset`.
    ///
    /// # Errors
    /// The job has no such input, or the range ends past its end, or the job's memory cannot hold it.
    pub fn read_at(&self, offset: u64, size: u64) -> Result<Vec<u8>, Error> {
        let operation = || format!("reading {size} bytes at {offset} of input `{}`", self.name);
        if size > ADDRESSABLE {
            return Err(Error::Message(format!(
                "{}: that is more than a job can address; read it in parts",
                operation()
            )));
        }
        host::input_read(&self.name, offset, size).map_err(Error::data(operation()))
    }

    /// All of it, as text.
    ///
    /// # Errors
    /// As for [`Input::read`], and if the bytes are not UTF-8.
    pub fn read_string(&self) -> Result<String, Error> {
        String::from_utf8(self.read()?).map_err(|error| Error::Message(format!("input `{}`: {error}", self.name)))
    }
}

/// More than this no vector on wasm32 can hold.
const ADDRESSABLE: u64 = i32::MAX as u64;

/// A named blob that the job makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    name: String,
}

impl Output {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// The name is not a name, or there are too many outputs.
    pub fn append(&self, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
        host::output_append(&self.name, bytes.as_ref()).map_err(Error::data(self.appending()))
    }

    /// Appends all elements of a buffer, without passing through the job's memory. Waits for the GPU.
    ///
    /// # Errors
    /// As for [`Output::append`].
    pub fn append_buffer<T: Pod>(&self, buffer: &Buffer<T>) -> Result<(), Error> {
        self.append_buffer_range(buffer, 0..buffer.len())
    }

    /// Appends some elements of a buffer, as [`Output::append_buffer`] does.
    ///
    /// # Errors
    /// As for [`Output::append`], and if the range ends past the end.
    pub fn append_buffer_range<T: Pod>(&self, buffer: &Buffer<T>, elements: Range<usize>) -> Result<(), Error> {
        let (offset, size) = byte_range::<T>(&buffer.range(elements.start, elements.len(), "appending")?);
        host::output_append_buffer(&self.name, buffer.raw(), offset, size).map_err(Error::data(self.appending()))
    }

    fn appending(&self) -> String {
        format!("appending to output `{}`", self.name)
    }
}

/// Appends, for encoders that write to a stream. Every write is a call to the host: wrap small ones in a
/// [`BufWriter`](std::io::BufWriter).
impl std::io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.append(bytes).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
