//! Multiplies two matrices: inputs `a` and `b`, output `c.npy`, all as NumPy stores arrays of `f32`.
//!
//! Elements go from the inputs to the GPU and from there to the output without passing through the job's memory, which
//! only sees the headers. Fortran order costs nothing: the kernel takes strides.

use samebit_guest::prelude::*;

mod matrix;
pub mod npy;
pub mod reference;

use matrix::Matrix;

/// Rows and columns of a tile, one per workgroup, as in `kernels/gemm.wgsl`.
const TILE: usize = 64;
/// Multiply-adds of one dispatch, so that a display driver never takes it for a hang.
const STEPS_PER_BAND: u64 = 1 << 35;

/// What the kernel is told about a band of rows. The same as `Shape` in `kernels/gemm.wgsl`.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Shape {
    rows: u32,
    columns: u32,
    inner: u32,
    first_row: u32,
    /// Distance of elements along the rows of `a` and along the inner dimension.
    a_strides: [u32; 2],
    /// Distance of elements along the columns of `b` and along the inner dimension.
    b_strides: [u32; 2],
}

#[samebit_guest::job]
fn run(args: Vec<String>) -> Result<(), Error> {
    if let Some(arg) = args.first() {
        bail!("the argument `{arg}` means nothing here: give the matrices as --input a=A.npy --input b=B.npy");
    }
    let (a, b) = (Matrix::open("a")?, Matrix::open("b")?);
    if a.columns() != b.rows() {
        bail!(
            "a is {} × {} and b is {} × {}: the columns of a have to match the rows of b",
            a.rows(),
            a.columns(),
            b.rows(),
            b.columns()
        );
    }
    let (rows, inner, columns) = (a.rows(), a.columns(), b.columns());
    matrix::check_size("the product", rows, columns)?;
    info!("{rows} × {inner} times {inner} × {columns}");

    let product = output("c.npy");
    product.append(npy::header(rows, columns))?;
    if rows == 0 || columns == 0 {
        return Ok(());
    }
    let c = Buffer::<f32>::zeroed(rows * columns)?;
    if inner > 0 {
        multiply(&a, &b, &c)?;
    }
    product.append_buffer(&c)
}

fn multiply(a: &Matrix, b: &Matrix, c: &Buffer<f32>) -> Result<(), Error> {
    let (rows, inner, columns) = (a.rows(), a.columns(), b.columns());
    let [a_row_stride, a_column_stride] = a.strides();
    let [b_row_stride, b_column_stride] = b.strides();
    let (a, b) = (a.load()?, b.load()?);

    let steps_per_tile_row = TILE as u64 * inner as u64 * columns as u64;
    let band_rows = (STEPS_PER_BAND / steps_per_tile_row).clamp(1, rows.div_ceil(TILE) as u64) as usize * TILE;
    let gemm = kernel!("kernels/gemm.wgsl", "gemm");
    for first_row in (0..rows).step_by(band_rows) {
        if first_row > 0 {
            // Waits for the band before, so that the progress is real.
            c.read_range(first_row * columns - 1..first_row * columns)?;
        }
        progress(first_row as u64, rows as u64);
        let shape = Shape {
            rows: rows as u32,
            columns: columns as u32,
            inner: inner as u32,
            first_row: first_row as u32,
            a_strides: [a_row_stride, a_column_stride],
            b_strides: [b_column_stride, b_row_stride],
        };
        let band_tiles = band_rows.min(rows - first_row).div_ceil(TILE);
        gemm.value("shape", &shape).bind("a", &a).bind("b", &b).bind("c", c).dispatch([
            columns.div_ceil(TILE) as u32,
            band_tiles as u32,
            1,
        ])?;
    }
    progress(rows as u64, rows as u64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use samebit_guest::testing::{Call, Host, Outcome};

    /// What the kernel has to do, by its definition.
    fn gemm(call: &mut Call<'_>) {
        let shape: Shape = call.read("shape")[0];
        let (a, b, mut c) = (call.read::<f32>("a"), call.read::<f32>("b"), call.read::<f32>("c"));
        let [columns, tiles, _] = call.workgroups();
        let end = shape.rows.min(shape.first_row + tiles * TILE as u32);
        for row in shape.first_row..end {
            for column in 0..shape.columns.min(columns * TILE as u32) {
                let at = |strides: [u32; 2], outer, k| (outer * strides[0] + k * strides[1]) as usize;
                let terms =
                    (0..shape.inner).map(|k| a[at(shape.a_strides, row, k)] * b[at(shape.b_strides, column, k)]);
                c[(row * shape.columns + column) as usize] = terms.sum();
            }
        }
        call.write("c", &c);
    }

    fn file(shape: &str, fortran: bool, values: &[f32]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let mut header = format!("{{'descr': '<f4', 'fortran_order': {order}, 'shape': {shape}, }}");
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    fn product(a: &[u8], b: &[u8]) -> Outcome {
        Host::new().input("a", a).input("b", b).kernel("gemm", gemm).run(run, &[])
    }

    fn values(outcome: &Outcome, rows: usize, columns: usize) -> Vec<f32> {
        assert_eq!(outcome.result, Ok(()));
        let bytes = outcome.output("c.npy");
        let header = npy::Header::parse(bytes).expect("is a header");
        assert_eq!((header.rows, header.columns, header.fortran_order), (rows, columns, false));
        let data = &bytes[header.data_offset..];
        data.chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().expect("four bytes"))).collect()
    }

    #[test]
    fn multiplies_in_either_order() {
        // [1 2 3; 4 5 6] times [1 2; 3 4; 5 6], each as C and as Fortran would store it.
        let a = [file("(2, 3)", false, &[1., 2., 3., 4., 5., 6.]), file("(2, 3)", true, &[1., 4., 2., 5., 3., 6.])];
        let b = [file("(3, 2)", false, &[1., 2., 3., 4., 5., 6.]), file("(3, 2)", true, &[1., 3., 5., 2., 4., 6.])];
        for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (a, b))) {
            assert_eq!(values(&product(a, b), 2, 2), [22., 28., 49., 64.]);
        }
    }

    #[test]
    fn empty_matrices_have_products() {
        let outcome = product(&file("(0, 3)", false, &[]), &file("(3, 2)", false, &[0.0; 6]));
        assert_eq!(values(&outcome, 0, 2), [0.0; 0]);
        let outcome = product(&file("(2, 0)", false, &[]), &file("(0, 2)", false, &[]));
        assert_eq!(values(&outcome, 2, 2), [0.0; 4]);
    }

    #[test]
    fn says_what_is_wrong() {
        let square = file("(2, 2)", false, &[0.0; 4]);
        let wide = file("(2, 3)", false, &[0.0; 6]);
        let outcome = product(&wide, &square);
        assert_eq!(outcome.error(), "a is 2 × 3 and b is 2 × 2: the columns of a have to match the rows of b");
        let outcome = Host::new().input("a", &square).run(run, &[]);
        assert!(outcome.error().starts_with("input `b`: the job has no such input"), "{}", outcome.error());
        let outcome = product(&square[..square.len() - 1], &square);
        assert!(outcome.error().contains("15 bytes of data"), "{}", outcome.error());
        // 8 GiB of product from 128 KiB each: refused before anything is allocated.
        let long = vec![0.0; 1 << 15];
        let outcome = product(&file("(32768, 1)", false, &long), &file("(1, 32768)", false, &long));
        assert!(outcome.error().starts_with("the product is 32768 × 32768"), "{}", outcome.error());
    }
}
