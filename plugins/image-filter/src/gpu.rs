//! The filters on the GPU, band by band.
//!
//! The source is on the GPU as a whole; results come back in bands of rows, so that no dispatch takes long, the
//! progress is real, and the memory between the two passes of a blur stays within a binding.

use crate::{Filter, Image};
use samebit_guest::prelude::*;

/// Pixels of a band, unless a single row has more.
const PIXELS_PER_BAND: u32 = 1 << 22;
/// Pixels between the passes of a blur, 16 bytes each: what one binding holds. The widest picture and the largest radius
/// leave room for some rows of a band.
const PIXELS_BETWEEN: u32 = (128 << 20) / 16;
const _: () = assert!(Image::SIDE * (2 * Filter::RADIUS + 1) <= PIXELS_BETWEEN);

/// What a kernel is told about its band. The same as `Band` in the kernels.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Band {
    /// Of the whole picture.
    width: u32,
    height: u32,
    first_row: u32,
    rows: u32,
}

/// Filters a picture and hands over the result's pixels, whole rows at a time, from top to bottom.
pub(crate) fn filter(
    filter: &Filter,
    image: Image,
    mut each: impl FnMut(&[[u8; 4]]) -> Result<(), Error>,
) -> Result<(), Error> {
    let Image { width, height, pixels, .. } = image;
    let source = Buffer::from_slice(&pixels)?;
    drop(pixels);

    let halo_rows = if let Filter::Blur { radius } = filter { 2 * radius } else { 0 };
    let band_rows = (PIXELS_PER_BAND / width).min(PIXELS_BETWEEN / width - halo_rows).clamp(1, height);
    let result = Buffer::zeroed((width * band_rows) as usize)?;
    let blur = match *filter {
        Filter::Blur { radius } => Some(Blur::new(radius, width, (band_rows + halo_rows).min(height))?),
        Filter::Sharpen { .. } | Filter::Edges => None,
    };
    for first_row in (0..height).step_by(band_rows as usize) {
        let rows = band_rows.min(height - first_row);
        let band = Band { width, height, first_row, rows };
        match (filter, &blur) {
            (_, Some(blur)) => blur.dispatch(band, &source, &result)?,
            (Filter::Sharpen { amount }, _) => kernel!("kernels/sharpen.wgsl", "sharpen")
                .constant("AMOUNT", *amount)
                .value("band", &band)
                .bind("source", &source)
                .bind("result", &result)
                .dispatch_for([width, rows, 1])?,
            _ => kernel!("kernels/edges.wgsl", "edges")
                .value("band", &band)
                .bind("source", &source)
                .bind("result", &result)
                .dispatch_for([width, rows, 1])?,
        }
        each(&result.read_range(0..(width * rows) as usize)?)?;
    }
    Ok(())
}

/// What a blur needs besides the picture.
struct Blur {
    radius: u32,
    weights: Buffer<f32>,
    /// What the first pass hands to the second: a band's rows, and the rows around it that count.
    between: Buffer<[f32; 4]>,
}

impl Blur {
    fn new(radius: u32, width: u32, rows: u32) -> Result<Self, Error> {
        let weights: Vec<f32> = Filter::blur_weights(radius).into_iter().map(|weight| weight as f32).collect();
        let weights = Buffer::from_slice(&weights)?;
        Ok(Self { radius, weights, between: Buffer::zeroed((width * rows) as usize)? })
    }

    fn dispatch(&self, band: Band, source: &Buffer<[u8; 4]>, result: &Buffer<[u8; 4]>) -> Result<(), Error> {
        let top = band.first_row.saturating_sub(self.radius);
        let bottom = (band.first_row + band.rows + self.radius).min(band.height);
        let with_halo = Band { first_row: top, rows: bottom - top, ..band };
        kernel!("kernels/blur.wgsl", "along_rows")
            .value("band", &with_halo)
            .bind("weights", &self.weights)
            .bind("source", source)
            .bind("between", &self.between)
            .dispatch_for([with_halo.width, with_halo.rows, 1])?;
        kernel!("kernels/blur.wgsl", "along_columns")
            .value("band", &band)
            .bind("weights", &self.weights)
            .bind("between", &self.between)
            .bind("result", result)
            .dispatch_for([band.width, band.rows, 1])
    }
}
