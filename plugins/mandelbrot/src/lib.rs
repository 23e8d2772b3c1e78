//! Draws the Mandelbrot set.
//!
//! Colors are smooth, edges are smoothed by four samples a pixel, and a picture is drawn in bands of rows, so that no
//! dispatch takes long and the progress is real. Coordinates are `f32`: how far one can zoom is in `README.md`.

use samebit_guest::prelude::*;
use std::io::Write as _;

mod view;

pub mod reference;

pub use view::View;

/// Steps of all samples that one dispatch may take at most, unless a single row takes more.
const STEPS_PER_BAND: u64 = 1 << 30;
/// Bytes of an output that are worth a call to the host.
const CHUNK_BYTES: usize = 1 << 16;

/// What the kernel is told about a band. The same as `Band` in `kernels/mandelbrot.wgsl`.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Band {
    center: [f32; 2],
    /// Distance of two pixels in the plane.
    step: f32,
    iterations: u32,
    /// Width and height of the whole picture.
    size: [u32; 2],
    first_row: u32,
    rows: u32,
}

#[samebit_guest::job]
fn run(args: Vec<String>) -> Result<(), Error> {
    let view = View::parse(&args)?;
    if !view.is_resolved() {
        warn!("neighboring pixels are closer than f32 can tell apart here: the picture will show blocks");
    }
    let View { width, height, iterations, .. } = view;
    info!("{width} × {height}, up to {iterations} iterations");

    let steps_per_row = u64::from(width) * u64::from(iterations) * 4;
    let band_rows = (STEPS_PER_BAND / steps_per_row).clamp(1, u64::from(height)) as u32;
    let pixels = Buffer::<[u8; 4]>::zeroed((width * band_rows) as usize)?;
    let draw = kernel!("kernels/mandelbrot.wgsl", "draw");

    let mut encoder = png::Encoder::new(output("mandelbrot.png"), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut picture = encoder.write_header().context("writing the picture")?;
    let mut picture = picture.stream_writer_with_size(CHUNK_BYTES).context("writing the picture")?;

    for first_row in (0..height).step_by(band_rows as usize) {
        progress(first_row.into(), height.into());
        let rows = band_rows.min(height - first_row);
        let band = Band {
            center: view.center.map(|coordinate| coordinate as f32),
            step: (view.scale / f64::from(width)) as f32,
            iterations,
            size: [width, height],
            first_row,
            rows,
        };
        draw.value("band", &band).bind("pixels", &pixels).dispatch_for([width, rows, 1])?;
        let drawn = pixels.read_range(0..(width * rows) as usize)?;
        let rgb: Vec<u8> = drawn.iter().flat_map(|&[red, green, blue, _]| [red, green, blue]).collect();
        picture.write_all(&rgb)?;
    }
    picture.finish().context("writing the picture")?;
    progress(height.into(), height.into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use samebit_guest::testing::{Call, Host};

    /// Numbers the pixels of the picture, so that a test sees where each one went.
    fn number(call: &mut Call<'_>) {
        let band: Band = call.read("band")[0];
        let pixels: Vec<u32> =
            (0..band.size[0] * band.rows).map(|index| index + band.first_row * band.size[0]).collect();
        call.write("pixels", &pixels);
    }

    #[test]
    fn puts_the_bands_together() {
        let host = Host::new().kernel("draw", number);
        let outcome = host.run(run, &["300", "70", "-0.5", "0", "3", "100000"]);
        assert_eq!(outcome.result, Ok(()));
        assert_eq!(outcome.progress.first(), Some(&(0, 70)));
        assert_eq!(outcome.progress.last(), Some(&(70, 70)));
        assert!(outcome.progress.len() > 5, "{:?}", outcome.progress);

        let decoder = png::Decoder::new(std::io::Cursor::new(outcome.output("mandelbrot.png")));
        let mut reader = decoder.read_info().expect("is a PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("is small")];
        reader.next_frame(&mut bytes).expect("has a frame");
        assert_eq!(reader.info().size(), (300, 70));
        for (index, pixel) in bytes.chunks_exact(3).enumerate() {
            assert_eq!(pixel, &(index as u32).to_le_bytes()[..3]);
        }
    }

    #[test]
    fn warns_of_a_zoom_too_deep() {
        let outcome = Host::new().kernel("draw", number).run(run, &["16", "16", "-0.75", "0.1", "1e-7"]);
        assert_eq!(outcome.result, Ok(()));
        assert!(outcome.log.iter().any(|(_, line)| line.contains("f32")), "{:?}", outcome.log);
    }
}
