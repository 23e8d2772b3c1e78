//! The same product by other means: one sum after another, in `f64`.
//!
//! Tests compare the kernel's product with this one, within what `f32` sums of `inner` terms may be off.

/// The product of a `rows` × `inner` and an `inner` × `columns` matrix, all in C order, and for each element the sum of
/// the terms' sizes: its error is at most `inner` times `f32::EPSILON` of that.
///
/// # Panics
/// `a` or `b` have another number of elements.
pub fn multiply(a: &[f32], b: &[f32], rows: usize, inner: usize, columns: usize) -> Vec<(f64, f64)> {
    assert_eq!((a.len(), b.len()), (rows * inner, inner * columns), "matrices of these shapes");
    let mut product = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        for column in 0..columns {
            let terms = (0..inner).map(|k| f64::from(a[row * inner + k]) * f64::from(b[k * columns + column]));
            product.push(terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs())));
        }
    }
    product
}

#[cfg(test)]
mod tests {
    #[test]
    fn multiplies() {
        let product = super::multiply(&[1., -2., 3., 4., 5., 6.], &[1., 2., 3., 4., 5., 6.], 2, 3, 2);
        assert_eq!(product, [(10., 22.), (12., 28.), (49., 49.), (64., 64.)]);
    }
}
