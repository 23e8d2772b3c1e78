//! Blurs, sharpens, or finds the edges of a picture.
//!
//! Input `image` is a PNG or a JPEG, output `image.png` a PNG of the same size. Pixels are filtered as they are stored
//! (in sRGB, as most programs do), weighted by their alpha, so that what is transparent does not bleed in.

use samebit_guest::prelude::*;
use std::io::Write as _;

mod filter;
mod gpu;
mod image;
pub mod reference;

pub use filter::Filter;
pub use image::Image;

/// Bytes of an output that are worth a call to the host.
const CHUNK_BYTES: usize = 1 << 16;

#[samebit_guest::job]
fn run(args: Vec<String>) -> Result<(), Error> {
    let filter = Filter::parse(&args)?;
    let image = Image::decode(&input("image").read()?).context("input `image`")?;
    info!("{filter} of {} × {} pixels", image.width, image.height);

    let Image { width, height, has_alpha, .. } = image;
    let mut encoder = png::Encoder::new(output("image.png"), width, height);
    encoder.set_color(if has_alpha { png::ColorType::Rgba } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut picture = encoder.write_header().context("writing the picture")?;
    let mut picture = picture.stream_writer_with_size(CHUNK_BYTES).context("writing the picture")?;

    let mut rows_done = 0;
    progress(0, height.into());
    gpu::filter(&filter, image, |pixels| {
        if has_alpha {
            picture.write_all(pixels.as_flattened())?;
        } else {
            let rgb: Vec<u8> = pixels.iter().flat_map(|&[red, green, blue, _]| [red, green, blue]).collect();
            picture.write_all(&rgb)?;
        }
        rows_done += pixels.len() as u64 / u64::from(width);
        progress(rows_done, height.into());
        Ok(())
    })?;
    picture.finish().context("writing the picture")
}

#[cfg(test)]
mod tests {
    use super::*;
    use samebit_guest::testing::{Call, Host, Outcome};

    /// Finds no edges, but the pixels themselves: what goes in comes out.
    fn copy(call: &mut Call<'_>) {
        let [width, _, first_row, rows] = call.read::<[u32; 4]>("band")[0];
        let source: Vec<u32> = call.read("source");
        let from = (first_row * width) as usize;
        call.write("result", &source[from..from + (rows * width) as usize]);
    }

    fn png(width: u32, height: u32, color: png::ColorType, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().expect("can be written");
        writer.write_image_data(pixels).expect("can be written");
        writer.finish().expect("can be written");
        bytes
    }

    fn edges(image: &[u8]) -> Outcome {
        Host::new().input("image", image).kernel("edges", copy).run(run, &["edges"])
    }

    #[test]
    fn pictures_come_out_as_they_went_in() {
        let rgb: Vec<u8> = (0..60).collect();
        let file = png(5, 4, png::ColorType::Rgb, &rgb);
        let outcome = edges(&file);
        assert_eq!(outcome.result, Ok(()));
        assert_eq!(outcome.progress, [(0, 4), (4, 4)]);
        let result = Image::decode(outcome.output("image.png")).expect("is a picture");
        assert_eq!(result, Image::decode(&file).expect("is a picture"));
        assert_eq!((result.has_alpha, result.pixels[1]), (false, [3, 4, 5, 255]));

        let rgba: Vec<u8> = (0..80).collect();
        let result = Image::decode(edges(&png(5, 4, png::ColorType::Rgba, &rgba)).output("image.png"));
        let result = result.expect("is a picture");
        assert!(result.has_alpha);
        assert_eq!(result.pixels.as_flattened(), rgba);
    }

    #[test]
    fn large_pictures_go_through_in_bands() {
        let (width, height) = (2_200, 2_000);
        let gray: Vec<u8> = (0..width * height).map(|index| (index / 7) as u8).collect();
        let outcome = edges(&png(width, height, png::ColorType::Grayscale, &gray));
        assert_eq!(outcome.result, Ok(()));
        assert!(outcome.progress.len() > 2, "{:?}", outcome.progress);
        let result = Image::decode(outcome.output("image.png")).expect("is a picture");
        assert!(result.pixels.iter().map(|pixel| pixel[0]).eq(gray));
    }

    #[test]
    fn says_what_is_wrong() {
        let outcome = Host::new().input("image", b"GIF89a").run(run, &[]);
        assert_eq!(outcome.error(), "input `image`: this is neither PNG nor JPEG");
        let outcome = Host::new().run(run, &[]);
        assert!(outcome.error().starts_with("input `image`: the job has no such input"), "{}", outcome.error());
        let outcome = Host::new().run(run, &["emboss"]);
        assert!(outcome.error().starts_with("no filter `emboss`"), "{}", outcome.error());
    }
}
