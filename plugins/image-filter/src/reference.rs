//! The same filters by other means: `f64`, straight from their definitions, one pixel after another.
//!
//! Tests compare the kernels' pictures with these, within one level of each channel. The blur is the two-dimensional
//! convolution that the kernel's two passes amount to, and takes as long as that implies: keep pictures small.

use crate::{Filter, Image};

/// The filtered picture's pixels.
pub fn apply(filter: &Filter, image: &Image) -> Vec<[u8; 4]> {
    let pixel: Box<dyn Fn(i64, i64) -> [f64; 4]> = match *filter {
        Filter::Blur { radius } => {
            let weights = Filter::blur_weights(radius);
            Box::new(move |x, y| blur(image, &weights, x, y))
        }
        Filter::Sharpen { amount } => Box::new(move |x, y| sharpen(image, f64::from(amount), x, y)),
        Filter::Edges => Box::new(|x, y| edges(image, x, y)),
    };
    let places = (0..i64::from(image.height)).flat_map(|y| (0..i64::from(image.width)).map(move |x| (x, y)));
    places.map(|(x, y)| pixel(x, y).map(|channel| channel.clamp(0.0, 255.0).round() as u8)).collect()
}

/// The pixel at a place, or the closest one of the picture.
fn at(image: &Image, x: i64, y: i64) -> [f64; 4] {
    let x = x.clamp(0, i64::from(image.width) - 1);
    let y = y.clamp(0, i64::from(image.height) - 1);
    image.pixels[(y * i64::from(image.width) + x) as usize].map(f64::from)
}

/// The mean color, weighted by alpha, and the mean alpha of a neighborhood. No color where all is transparent.
fn mean(image: &Image, x: i64, y: i64, radius: i64, weight: impl Fn(usize, usize) -> f64) -> (Option<[f64; 3]>, f64) {
    let (mut color, mut alpha) = ([0.0; 3], 0.0);
    for dy in -radius..=radius {
        for dx in -radius..=radius {
            let [red, green, blue, a] = at(image, x + dx, y + dy);
            let weight = weight(dx.unsigned_abs() as usize, dy.unsigned_abs() as usize) * a;
            for (sum, channel) in color.iter_mut().zip([red, green, blue]) {
                *sum += weight * channel;
            }
            alpha += weight;
        }
    }
    ((alpha > 0.0).then(|| color.map(|sum| sum / alpha)), alpha)
}

fn blur(image: &Image, weights: &[f64], x: i64, y: i64) -> [f64; 4] {
    let radius = weights.len() as i64 - 1;
    match mean(image, x, y, radius, |dx, dy| weights[dx] * weights[dy]) {
        (Some([red, green, blue]), alpha) => [red, green, blue, alpha],
        (None, _) => [0.0; 4],
    }
}

fn sharpen(image: &Image, amount: f64, x: i64, y: i64) -> [f64; 4] {
    let pixel = at(image, x, y);
    let [red, green, blue, alpha] = pixel;
    match mean(image, x, y, 1, |dx, dy| [0.5, 0.25][dx] * [0.5, 0.25][dy]).0 {
        Some(mean) => {
            let sharpened = |channel: f64, mean: f64| channel + amount * (channel - mean);
            [sharpened(red, mean[0]), sharpened(green, mean[1]), sharpened(blue, mean[2]), alpha]
        }
        None => pixel,
    }
}

fn edges(image: &Image, x: i64, y: i64) -> [f64; 4] {
    let brightness = |dx, dy| {
        let [red, green, blue, alpha] = at(image, x + dx, y + dy);
        (0.2126 * red + 0.7152 * green + 0.0722 * blue) * alpha / 255.0
    };
    let (mut across, mut down) = (0.0, 0.0);
    for (offset, weight) in [(-1, 1.0), (0, 2.0), (1, 1.0)] {
        across += weight * (brightness(1, offset) - brightness(-1, offset));
        down += weight * (brightness(offset, 1) - brightness(offset, -1));
    }
    let gray = f64::hypot(across, down);
    [gray, gray, gray, 255.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Image {
        let pixels = (0..width * height).map(|index| pixel(index % width, index / width)).collect();
        Image { width, height, has_alpha: true, pixels }
    }

    const ALL: [Filter; 3] = [Filter::Blur { radius: 5 }, Filter::Sharpen { amount: 2.0 }, Filter::Edges];

    #[test]
    fn plain_pictures_stay_plain() {
        let plain = image(7, 5, |_, _| [200, 30, 7, 90]);
        assert_eq!(apply(&ALL[0], &plain), plain.pixels);
        assert_eq!(apply(&ALL[1], &plain), plain.pixels);
        assert!(apply(&ALL[2], &plain).iter().all(|pixel| *pixel == [0, 0, 0, 255]));
    }

    #[test]
    fn blur_keeps_the_light_and_hides_what_is_transparent() {
        let dot = image(31, 31, |x, y| if (x, y) == (15, 15) { [255, 255, 255, 255] } else { [0, 0, 0, 255] });
        let blurred = apply(&Filter::Blur { radius: 3 }, &dot);
        let light: u32 = blurred.iter().map(|pixel| u32::from(pixel[0])).sum();
        assert!((245..=265).contains(&light), "{light}");
        assert_eq!(blurred[15 * 31 + 14], blurred[14 * 31 + 15]);

        let hidden = image(9, 1, |x, _| if x < 4 { [255, 0, 0, 0] } else { [0, 0, 255, 255] });
        assert!(apply(&ALL[0], &hidden).iter().all(|pixel| pixel[0] == 0 && pixel[2] == 255));
    }

    #[test]
    fn edges_are_where_it_is_steep() {
        let step = image(8, 3, |x, _| if x < 4 { [0, 0, 0, 255] } else { [50, 50, 50, 255] });
        let row: Vec<u8> = apply(&Filter::Edges, &step).iter().take(8).map(|pixel| pixel[0]).collect();
        assert_eq!(row, [0, 0, 0, 200, 200, 0, 0, 0]);
        let sharpened: Vec<u8> =
            apply(&Filter::Sharpen { amount: 2.0 }, &step).iter().take(8).map(|pixel| pixel[0]).collect();
        assert_eq!(sharpened, [0, 0, 0, 0, 75, 50, 50, 50]);
    }
}
