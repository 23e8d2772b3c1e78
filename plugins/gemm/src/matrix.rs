//! A matrix in an input: its header read and checked, its elements where they are until the GPU asks for them.

use crate::npy::{Header, MAX_HEADER_BYTES};
use samebit_guest::prelude::*;

/// Elements of a matrix: what one binding of a kernel holds.
const ELEMENTS: usize = (128 << 20) / size_of::<f32>();
/// Rows or columns, so that a row of tiles is one dispatch.
const SIDE: usize = 65_535 * 64;

/// An input with a matrix of `f32`.
pub(crate) struct Matrix {
    name: &'static str,
    header: Header,
}

impl Matrix {
    /// Reads the header of an input, and checks that all elements are there.
    pub(crate) fn open(name: &'static str) -> Result<Self, Error> {
        let input = input(name);
        let size = input.size()?;
        let start = input.read_at(0, size.min(MAX_HEADER_BYTES as u64))?;
        let header = Header::parse(&start).context(format_args!("input `{name}`"))?;
        check_size(name, header.rows, header.columns)?;

        let expected = (header.rows * header.columns * size_of::<f32>()) as u64;
        let data = size - header.data_offset as u64;
        if data != expected {
            let Header { rows, columns, .. } = header;
            bail!(
                "input `{name}`: {data} bytes of data where a {rows} × {columns} matrix has {expected}; is the file whole?"
            );
        }
        Ok(Self { name, header })
    }

    pub(crate) fn rows(&self) -> usize {
        self.header.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.header.columns
    }

    /// Distance of elements, in elements, from row to row and from column to column.
    pub(crate) fn strides(&self) -> [u32; 2] {
        let Header { rows, columns, fortran_order, .. } = self.header;
        if fortran_order { [1, rows as u32] } else { [columns as u32, 1] }
    }

    /// Puts the elements on the GPU.
    pub(crate) fn load(&self) -> Result<Buffer<f32>, Error> {
        let len = self.rows() * self.columns();
        let buffer = Buffer::zeroed(len)?;
        buffer.load_input(0, &input(self.name), self.header.data_offset as u64, len)?;
        Ok(buffer)
    }
}

/// Refuses a matrix that no kernel could bind.
pub(crate) fn check_size(what: &str, rows: usize, columns: usize) -> Result<(), Error> {
    let fits = rows.checked_mul(columns).is_some_and(|elements| elements <= ELEMENTS);
    if fits && rows <= SIDE && columns <= SIDE {
        return Ok(());
    }
    bail!(
        "{what} is {rows} × {columns}: a matrix has up to {ELEMENTS} elements (128 MiB), and {SIDE} rows or columns; \
         multiply it in blocks"
    );
}
