//! Paints a landscape that a filter cannot tell from a photograph: gradients, edges, texture and grain.
//!
//! Its bytes are the same on every machine: integer hashes and the exact float operations (`+ - * / sqrt`) only. It is
//! painted rather than shipped because a repository is no place for megabytes.

use anyhow::{Context, Result};

/// The bytes of the landscape as a PNG.
pub(crate) fn png(width: u32, height: u32) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().context("the picture's size is not one that PNG has")?;
    writer.write_image_data(&pixels(width, height))?;
    writer.finish()?;
    Ok(bytes)
}

/// The landscape's pixels, three bytes each, row by row.
fn pixels(width: u32, height: u32) -> Vec<u8> {
    let scale = 1.0 / height as f32;
    let ridges = (0..width).map(|column| RIDGES.map(|ridge| ridge.height(column as f32 * scale))).collect::<Vec<_>>();
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    for row in 0..height {
        for (column, ridges) in (0..width).zip(&ridges) {
            let (x, y) = (column as f32 * scale, row as f32 * scale);
            let grain = (unit(hash(column, row, 77)) - 0.5) * 0.035;
            let color = light(x, y, ridges);
            pixels.extend(color.map(|channel| ((channel.max(0.0).sqrt() + grain).clamp(0.0, 1.0) * 255.0 + 0.5) as u8));
        }
    }
    pixels
}

type Color = [f32; 3];

/// A range of hills: the nearer, the lower in the picture and the darker.
struct Ridge {
    base: f32,
    amplitude: f32,
    frequency: f32,
    seed: u32,
    color: Color,
}

/// From the farthest to the nearest.
const RIDGES: [Ridge; 4] = [
    Ridge { base: 0.42, amplitude: 0.30, frequency: 2.1, seed: 1, color: [0.32, 0.38, 0.50] },
    Ridge { base: 0.56, amplitude: 0.24, frequency: 2.9, seed: 2, color: [0.17, 0.24, 0.30] },
    Ridge { base: 0.72, amplitude: 0.18, frequency: 3.7, seed: 3, color: [0.09, 0.15, 0.12] },
    Ridge { base: 0.87, amplitude: 0.10, frequency: 5.3, seed: 4, color: [0.05, 0.09, 0.03] },
];

const SUN: (f32, f32) = (1.08, 0.27);

impl Ridge {
    /// Where the ridge stands at `x`, from 0 at the top of the picture to 1 at its foot.
    fn height(&self, x: f32) -> f32 {
        self.base - self.amplitude * (fractal(x * self.frequency, 0.5, self.seed, 6) - 0.45)
    }
}

/// The light that comes from a point of the picture.
fn light(x: f32, y: f32, ridges: &[f32; 4]) -> Color {
    let Some(nearest) = (0..RIDGES.len()).rev().find(|&index| y >= ridges[index]) else { return sky(x, y) };
    let ridge = &RIDGES[nearest];
    let depth = y - ridges[nearest];
    let texture = fractal(x * 38.0, y * 55.0, ridge.seed + 100, 4);
    let rim = 1.0 / (1.0 + depth * 140.0) * 0.35;
    let shade = 0.55 + texture * 0.9 + rim;
    mix(ridge.color.map(|channel| channel * shade), [0.60, 0.55, 0.52], haze(nearest, depth))
}

/// Mist gathers at the foot of the far ranges.
fn haze(ridge: usize, depth: f32) -> f32 {
    let reach = [0.75, 0.45, 0.22, 0.05][ridge];
    (depth * 3.0).min(1.0) * reach
}

fn sky(x: f32, y: f32) -> Color {
    let gradient = mix([0.10, 0.24, 0.55], [0.95, 0.72, 0.48], (y * 1.7).min(1.0));
    let clouds = ((fractal(x * 3.1, y * 9.0, 50, 6) - 0.48) * 3.2).clamp(0.0, 0.85);
    let clouded = mix(gradient, [0.95, 0.90, 0.88], clouds);
    let (dx, dy) = (x - SUN.0, y - SUN.1);
    let distance = dx * dx + dy * dy;
    let glow = 0.0016 / (distance + 0.0014);
    let disc = if distance < 0.0011 { 1.0 } else { 0.0 };
    [clouded[0] + glow * 0.9 + disc, clouded[1] + glow * 0.7 + disc, clouded[2] + glow * 0.4 + disc]
}

fn mix(from: Color, to: Color, share: f32) -> Color {
    [0, 1, 2].map(|index| from[index] + (to[index] - from[index]) * share)
}

/// Value noise in octaves, each twice as fine and half as strong; from 0 to 1.
fn fractal(x: f32, y: f32, seed: u32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut total, mut frequency) = (0.0, 1.0, 0.0, 1.0);
    for octave in 0..octaves {
        sum += noise(x * frequency, y * frequency, seed * 16 + octave) * weight;
        total += weight;
        weight *= 0.5;
        frequency *= 2.0;
    }
    sum / total
}

/// Random values at whole numbers, smooth between them. Both coordinates are positive here.
fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (column, row) = (x as u32, y as u32);
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (u, v) = (smooth(x - column as f32), smooth(y - row as f32));
    let corner = |right: u32, below: u32| unit(hash(column + right, row + below, seed));
    let top = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * u;
    let bottom = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * u;
    top + (bottom - top) * v
}

fn unit(bits: u32) -> f32 {
    (bits >> 8) as f32 / 16_777_216.0
}

/// Mixes three numbers into one that looks random.
fn hash(x: u32, y: u32, seed: u32) -> u32 {
    let mut bits = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed.wrapping_mul(0xc2b2_ae3d);
    bits = (bits ^ (bits >> 16)).wrapping_mul(0x7feb_352d);
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x846c_a68b);
    bits ^ (bits >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_landscape_is_the_same_everywhere() {
        let hash = blake3::hash(&pixels(96, 64));
        assert_eq!(hash.to_hex().as_str(), "ee5f2fb099cefd7302fc8210a084a4ab25d66cac68ce1dc76ea96d505bbc341b");
    }

    #[test]
    fn the_file_is_a_png_of_the_size_asked_for() {
        let bytes = png(30, 20).expect("painted");
        let reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
        assert_eq!(reader.info().size(), (30, 20));
    }
}
