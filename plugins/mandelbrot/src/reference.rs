//! The same picture by other means: `f64`, one pixel after another, with the mathematics of the definition.
//!
//! Tests compare the kernel's picture with this one. Close to the set a difference in the last bit decides about the
//! color of a pixel, so that not every pixel can agree.

use crate::View;

/// The picture's pixels, row by row.
pub fn draw(view: &View) -> Vec<[u8; 3]> {
    let step = view.scale / f64::from(view.width);
    let mut pixels = Vec::new();
    for y in 0..view.height {
        for x in 0..view.width {
            let mut sum = [0.0; 3];
            for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                let real = view.center[0] + (f64::from(x) + dx - f64::from(view.width) / 2.0) * step;
                let imaginary = view.center[1] - (f64::from(y) + dy - f64::from(view.height) / 2.0) * step;
                let sample = color(real, imaginary, view.iterations);
                for (sum, channel) in sum.iter_mut().zip(sample) {
                    *sum += channel / 4.0;
                }
            }
            pixels.push(sum.map(|channel| channel.round() as u8));
        }
    }
    pixels
}

const PALETTE: [[f64; 3]; 8] = [
    [0.0, 7.0, 100.0],
    [24.0, 82.0, 177.0],
    [96.0, 172.0, 226.0],
    [237.0, 255.0, 255.0],
    [255.0, 206.0, 90.0],
    [255.0, 150.0, 0.0],
    [130.0, 60.0, 8.0],
    [6.0, 4.0, 30.0],
];

fn color(cx: f64, cy: f64, iterations: u32) -> [f64; 3] {
    let (mut x, mut y) = (0.0, 0.0);
    for n in 0..iterations {
        (x, y) = (x * x - y * y + cx, 2.0 * x * y + cy);
        let size = x * x + y * y;
        if size > 65_536.0 {
            let smooth_count = f64::max(f64::from(n) + 4.0 - size.log2().log2(), 0.0);
            let place = smooth_count / 6.0;
            let below = PALETTE[place as usize % 8];
            let above = PALETTE[(place as usize + 1) % 8];
            return std::array::from_fn(|channel| below[channel] + (above[channel] - below[channel]) * place.fract());
        }
    }
    [0.0; 3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_set() {
        let members = [(0.0, 0.0), (-1.0, 0.0), (-1.99, 0.0), (0.25, 0.0), (-0.1226, 0.7449)];
        assert!(members.iter().all(|&(x, y)| color(x, y, 1_000) == [0.0; 3]));
        let others = [(0.26, 0.0), (-2.01, 0.0), (0.0, 1.1), (-0.75, 0.1)];
        assert!(others.iter().all(|&(x, y)| color(x, y, 1_000) != [0.0; 3]));
    }

    #[test]
    fn colors_are_smooth() {
        // Along a line towards the set, from one count of steps to the next, no channel may jump.
        let channels: Vec<_> = (0..4_000).map(|i| color(-2.4 + f64::from(i) * 1e-4, 0.3, 500)).collect();
        let jump = |pair: &[[f64; 3]]| (0..3).map(|c| (pair[0][c] - pair[1][c]).abs()).fold(0.0, f64::max);
        let largest = channels.windows(2).map(jump).fold(0.0, f64::max);
        assert!(largest < 1.0, "a jump of {largest}");
    }

    #[test]
    fn is_symmetric() {
        let view = View { width: 24, height: 16, ..View::default() };
        let pixels = draw(&view);
        let rows: Vec<_> = pixels.chunks_exact(24).collect();
        assert!(rows.iter().zip(rows.iter().rev()).all(|(top, bottom)| top == bottom));
        assert!(pixels.contains(&[0; 3]) && pixels.iter().any(|pixel| pixel[2] > 100));
    }
}
