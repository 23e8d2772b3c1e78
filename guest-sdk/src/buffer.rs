//! GPU memory as a typed array.
//!
//! A [`Buffer<T>`] is a fixed number of elements of a plain type. Operations take effect in the order of the calls; only
//! reading, and appending to an output, wait for the GPU. Indices and lengths count elements. Alignment is the
//! interface's: writes, fills and copies start and end at multiples of 4 bytes, which elements of 4 or more bytes always
//! do.

use crate::{Error, Input, host};
use bytemuck::Pod;
use std::marker::PhantomData;
use std::ops::Range;

/// GPU memory for `len` elements of `T`, zero when created, freed when dropped.
///
/// `T` has to look the same in WGSL: `f32`, `u32`, `i32`, arrays of them, or a `#[repr(C)]` struct that implements
/// [`bytemuck::Pod`] and follows WGSL's layout rules.
#[derive(Debug)]
pub struct Buffer<T> {
    raw: host::Buffer,
    len: usize,
    element: PhantomData<T>,
}

impl<T: Pod> Buffer<T> {
    const SIZED: () = assert!(size_of::<T>() > 0, "a buffer's elements have a size");

    /// A buffer of `len` zeros.
    ///
    /// # Errors
    /// `len` is 0, the buffer would be over 256 MiB, or the job's limit on GPU memory leaves no room.
    pub fn zeroed(len: usize) -> Result<Self, Error> {
        let () = Self::SIZED;
        let size = size_bytes::<T>(len);
        let raw = host::Buffer::create(size.checked_next_multiple_of(4).unwrap_or(size))
            .map_err(Error::gpu(format_args!("creating a buffer of {size} bytes")))?;
        Ok(Self { raw, len, element: PhantomData })
    }

    /// A buffer with a copy of `elements`.
    ///
    /// # Errors
    /// As for [`Buffer::zeroed`].
    pub fn from_slice(elements: &[T]) -> Result<Self, Error> {
        let buffer = Self::zeroed(elements.len())?;
        buffer.write(0, elements)?;
        Ok(buffer)
    }

    /// A buffer with all of an input, which does not pass through the job's memory.
    ///
    /// # Errors
    /// As for [`Buffer::zeroed`]; the job has no such input; or its size is not a multiple of the element's.
    pub fn from_input(input: &Input) -> Result<Self, Error> {
        let size = input.size()?;
        let element = size_of::<T>() as u64;
        if !size.is_multiple_of(element) {
            let name = input.name();
            return Err(Error::Message(format!(
                "input `{name}` has {size} bytes: not a multiple of the element's {element}; is it the right file?"
            )));
        }
        let len = usize::try_from(size / element).map_err(|error| Error::Message(error.to_string()))?;
        let buffer = Self::zeroed(len)?;
        buffer.load_input(0, input, 0, len)?;
        Ok(buffer)
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Always false, since a buffer cannot be empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes elements from index `at` on.
    ///
    /// # Errors
    /// The range ends past the end, or does not start at a multiple of 4 bytes.
    pub fn write(&self, at: usize, elements: &[T]) -> Result<(), Error> {
        let range = self.range(at, elements.len(), "writing")?;
        let (offset, _) = byte_range::<T>(&range);
        self.raw.write(offset, bytemuck::cast_slice(elements)).map_err(self.refused("writing", &range))
    }

    /// All elements. Waits for the GPU.
    ///
    /// # Errors
    /// The host refused it.
    pub fn read(&self) -> Result<Vec<T>, Error> {
        self.read_range(0..self.len)
    }

    /// Some elements. Waits for the GPU.
    ///
    /// # Errors
    /// The range ends past the end.
    pub fn read_range(&self, elements: Range<usize>) -> Result<Vec<T>, Error> {
        let range = self.range(elements.start, elements.len(), "reading")?;
        let (offset, size) = byte_range::<T>(&range);
        let bytes = self.raw.read(offset, size).map_err(self.refused("reading", &range))?;
        // One copy: the host's bytes come with no alignment.
        let mut values = vec![T::zeroed(); range.len()];
        bytemuck::cast_slice_mut(&mut values).copy_from_slice(&bytes);
        Ok(values)
    }

    /// Sets all elements to `value`. For elements of 1, 2 or 4 bytes.
    ///
    /// # Errors
    /// The host refused it.
    pub fn fill(&self, value: T) -> Result<(), Error> {
        const { assert!(matches!(size_of::<T>(), 1 | 2 | 4), "a fill repeats 1, 2 or 4 bytes") };
        let element = bytemuck::bytes_of(&value);
        let word = std::array::from_fn(|index| element[index % element.len()]);
        self.raw.fill(0, self.raw.size(), u32::from_le_bytes(word)).map_err(self.refused("filling", &(0..self.len)))
    }

    /// Copies some elements of another buffer to index `at`.
    ///
    /// # Errors
    /// A range ends past an end, is not aligned to 4 bytes, or both buffers are the same.
    pub fn copy_from(&self, at: usize, source: &Self, elements: Range<usize>) -> Result<(), Error> {
        let from = source.range(elements.start, elements.len(), "copying")?;
        let to = self.range(at, elements.len(), "copying")?;
        let (source_offset, size) = byte_range::<T>(&from);
        let (offset, _) = byte_range::<T>(&to);
        self.raw.copy_from(offset, &source.raw, source_offset, size).map_err(self.refused("copying to", &to))
    }

    /// Fills `len` elements from index `at` with the bytes of an input from `input_offset_bytes` on, without passing
    /// through the job's memory.
    ///
    /// # Errors
    /// The job has no such input, or a range ends past an end.
    pub fn load_input(&self, at: usize, input: &Input, input_offset_bytes: u64, len: usize) -> Result<(), Error> {
        let range = self.range(at, len, "loading")?;
        let (offset, size) = byte_range::<T>(&range);
        self.raw.load_input(offset, input.name(), input_offset_bytes, size).map_err(Error::gpu(format_args!(
            "loading {size} bytes at {input_offset_bytes} of input `{}` to a buffer",
            input.name()
        )))
    }

    /// Some elements, to bind to a kernel. They have to start at a multiple of 256 bytes.
    ///
    /// # Errors
    /// The range ends past the end.
    pub fn slice(&self, elements: Range<usize>) -> Result<BufferSlice<'_>, Error> {
        let range = self.range(elements.start, elements.len(), "binding")?;
        let (offset, size) = byte_range::<T>(&range);
        Ok(BufferSlice { raw: &self.raw, offset, size: Some(size) })
    }

    pub(crate) fn into_raw(self) -> host::Buffer {
        self.raw
    }

    pub(crate) fn raw(&self) -> &host::Buffer {
        &self.raw
    }

    /// The range of `len` elements from `at`, if it is inside. Checked here and not left to the host, since a buffer's
    /// last word may be padding.
    pub(crate) fn range(&self, at: usize, len: usize, operation: &str) -> Result<Range<usize>, Error> {
        match at.checked_add(len) {
            Some(end) if end <= self.len => Ok(at..end),
            _ => Err(Error::Message(format!(
                "{operation} {len} elements at {at} of a buffer of {}: the range ends past the end",
                self.len
            ))),
        }
    }

    fn refused(&self, operation: &str, range: &Range<usize>) -> impl FnOnce(crate::GpuError) -> Error {
        Error::gpu(format!("{operation} {} elements at {} of a buffer of {}", range.len(), range.start, self.len))
    }
}

/// Part of a buffer, or all of it, as a kernel sees it.
#[derive(Debug, Clone, Copy)]
pub struct BufferSlice<'a> {
    pub(crate) raw: &'a host::Buffer,
    pub(crate) offset: u64,
    pub(crate) size: Option<u64>,
}

impl<'a, T: Pod> From<&'a Buffer<T>> for BufferSlice<'a> {
    fn from(buffer: &'a Buffer<T>) -> Self {
        Self { raw: &buffer.raw, offset: 0, size: None }
    }
}

fn size_bytes<T>(len: usize) -> u64 {
    (len as u64).saturating_mul(size_of::<T>() as u64)
}

/// Offset and size in bytes of a range of elements.
pub(crate) fn byte_range<T>(elements: &Range<usize>) -> (u64, u64) {
    (size_bytes::<T>(elements.start), size_bytes::<T>(elements.len()))
}
