//! Pictures in memory, decoded from untrusted files.
//!
//! Dimensions are read and refused before anything of their size is allocated. Whatever a file stores (palette, gray,
//! 16 bits, CMYK) becomes 8-bit RGBA. Orientation tags and color profiles are not looked at.

use samebit_guest::prelude::*;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Whether the file had transparency.
    pub has_alpha: bool,
    /// Red, green, blue and alpha, row by row.
    pub pixels: Vec<[u8; 4]>,
}

impl Image {
    /// Longest side.
    pub const SIDE: u32 = 32_768;
    /// Most pixels: what one binding of a kernel holds.
    pub const PIXELS: u64 = (128 << 20) / 4;

    /// Decodes a PNG or JPEG file.
    ///
    /// # Errors
    /// The file is neither, is damaged, or is too large a picture.
    pub fn decode(file: &[u8]) -> Result<Self, Error> {
        match file {
            [0x89, b'P', b'N', b'G', ..] => decode_png(file),
            [0xff, 0xd8, 0xff, ..] => decode_jpeg(file),
            _ => bail!("this is neither PNG nor JPEG"),
        }
    }

    fn check_size(width: u32, height: u32) -> Result<(), Error> {
        let fits = |side| (1..=Self::SIDE).contains(&side);
        if fits(width) && fits(height) && u64::from(width) * u64::from(height) <= Self::PIXELS {
            return Ok(());
        }
        bail!(
            "the picture has {width} × {height} pixels: up to {} in all, and up to {} a side, can be filtered",
            Self::PIXELS,
            Self::SIDE
        );
    }
}

fn decode_png(file: &[u8]) -> Result<Image, Error> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    // Rows and metadata; the pixels themselves are bounded by the picture's size.
    decoder.set_limits(png::Limits { bytes: 64 << 20 });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let (width, height) = decoder.read_header_info().context("decoding the PNG")?.size();
    Image::check_size(width, height)?;

    let mut reader = decoder.read_info().context("decoding the PNG")?;
    let (color, _) = reader.output_color_type();
    let mut pixels = Vec::with_capacity((width * height) as usize);
    let size = reader.output_buffer_size().context("decoding the PNG: it is too large")?;
    let mut bytes = vec![0; size];
    reader.next_frame(&mut bytes).context("decoding the PNG")?;
    let bytes = bytes.as_slice();
    match color {
        png::ColorType::Grayscale => pixels.extend(bytes.iter().map(|&gray| [gray, gray, gray, 255])),
        png::ColorType::GrayscaleAlpha => {
            pixels.extend(bytes.as_chunks().0.iter().map(|&[gray, alpha]| [gray, gray, gray, alpha]));
        }
        png::ColorType::Rgb => pixels.extend(bytes.as_chunks().0.iter().map(|&[r, g, b]| [r, g, b, 255])),
        png::ColorType::Rgba => pixels.extend_from_slice(bytes.as_chunks().0),
        png::ColorType::Indexed => bail!("decoding the PNG: its palette is missing"),
    }
    let has_alpha = matches!(color, png::ColorType::GrayscaleAlpha | png::ColorType::Rgba);
    whole(Image { width, height, has_alpha, pixels })
}

fn decode_jpeg(file: &[u8]) -> Result<Image, Error> {
    let options = DecoderOptions::default()
        .set_max_width(Image::SIDE as usize)
        .set_max_height(Image::SIDE as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().context("decoding the JPEG")?;
    let info = decoder.info().context("decoding the JPEG: it has no size")?;
    let (width, height) = (info.width.into(), info.height.into());
    Image::check_size(width, height)?;

    let bytes = decoder.decode().context("decoding the JPEG")?;
    let pixels = bytes.as_chunks().0.iter().map(|&[r, g, b]| [r, g, b, 255]).collect();
    whole(Image { width, height, has_alpha: false, pixels })
}

/// What the rest relies on: as many pixels as the dimensions say.
fn whole(image: Image) -> Result<Image, Error> {
    if image.pixels.len() as u64 != u64::from(image.width) * u64::from(image.height) {
        bail!("the picture has {} pixels instead of {} × {}", image.pixels.len(), image.width, image.height);
    }
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The start of a PNG of this size, without any pixels.
    fn bomb(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Sixteen);
        drop(encoder.write_header());
        bytes
    }

    /// A gray JPEG of 8 × 8 pixels, all of them 128 (a zero for every coefficient).
    fn jpeg(height: u8, width: u8) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8];
        bytes.extend([0xff, 0xdb, 0, 67, 0]);
        bytes.extend([1; 64]);
        bytes.extend([0xff, 0xc0, 0, 11, 8, 0, height, 0, width, 1, 1, 0x11, 0]);
        for class in [0x00, 0x10] {
            bytes.extend([0xff, 0xc4, 0, 20, class, 1]);
            bytes.extend([0; 15]);
            bytes.push(0);
        }
        // Two one-bit codes, both zero: no difference, and the end of the block; ones fill up.
        bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0b0011_1111, 0xff, 0xd9]);
        bytes
    }

    #[test]
    fn decodes_a_gray_jpeg() {
        let image = Image::decode(&jpeg(8, 8)).expect("is a JPEG");
        assert_eq!((image.width, image.height, image.has_alpha), (8, 8, false));
        assert_eq!(image.pixels, [[128, 128, 128, 255]; 64]);
    }

    #[test]
    fn refuses_bombs_by_their_header() {
        for (width, height) in [(32_769, 1), (1, 32_769), (32_768, 1_025), (i32::MAX as u32, i32::MAX as u32)] {
            let error = Image::decode(&bomb(width, height)).expect_err("is too large").to_string();
            assert!(error.starts_with(&format!("the picture has {width} × {height} pixels")), "{error}");
        }
    }

    #[test]
    fn survives_cuts_and_flips() {
        let mut png = bomb(2, 2);
        png.extend([0; 40]);
        for file in [png, jpeg(8, 8)] {
            for end in 0..file.len() {
                let _ = Image::decode(&file[..end]);
            }
            for at in 0..file.len() {
                for bit in 0..8 {
                    let mut flipped = file.clone();
                    flipped[at] ^= 1 << bit;
                    if let Ok(image) = Image::decode(&flipped) {
                        assert_eq!(image.pixels.len() as u32, image.width * image.height);
                    }
                }
            }
        }
        assert!(Image::decode(b"").is_err());
    }
}
