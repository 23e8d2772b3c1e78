//! The plugin `image-filter` against its own kernels, decoder and encoder in a plain program.
//!
//! Decoding and encoding are the same crates on both sides, here compiled for this processor, there for WebAssembly:
//! this pair shows what the sandbox costs a job with real work outside its kernels.

use std::time::Instant;

use samebit_gpu::exact::Way;
use samebit_plugin_image_filter::{Filter, Image};

use crate::measure::Figure;
use crate::plain::Gpu;
use crate::samebit::{self, Driver};
use crate::work::Work;

const RADIUS: u32 = 12;

pub(crate) fn sandboxed(work: &Work) -> Figure {
    job(work, Driver::Worker)
}

/// The same with the driver in the process that runs the job.
pub(crate) fn in_process(work: &Work) -> Figure {
    job(work, Driver::InProcess)
}

/// The same by exact programs.
pub(crate) fn portable(work: &Work) -> Figure {
    job(work, Driver::Exact(Way::Portable))
}

/// The same by exact programs, in Vulkan's way.
pub(crate) fn vulkan(work: &Work) -> Figure {
    job(work, Driver::Exact(Way::Vulkan))
}

fn job(work: &Work, driver: Driver) -> Figure {
    samebit::job(work, driver, "image-filter.wasm", &["blur", "12"], &[("image", "picture.png")])
}

pub(crate) fn plain(work: &Work) -> Figure {
    let started = Instant::now();
    let file = std::fs::read(work.path("picture.png")).expect("the input is there");
    std::hint::black_box(blake3::hash(&file));
    let Image { width, height, pixels, .. } = Image::decode(&file).expect("a picture");
    let gpu = Gpu::open();
    let wgsl = include_str!("../../../plugins/image-filter/kernels/blur.wgsl");
    let (rows, columns) = (gpu.pipeline(wgsl, "along_rows"), gpu.pipeline(wgsl, "along_columns"));
    let weights = Filter::blur_weights(RADIUS);
    let weights: Vec<u8> = weights.into_iter().flat_map(|weight| (weight as f32).to_le_bytes()).collect();
    let band: Vec<u8> = [width, height, 0, height].iter().flat_map(|number| number.to_le_bytes()).collect();
    let (band, weights, source) = (gpu.upload(&band), gpu.upload(&weights), gpu.upload(pixels.as_flattened()));
    let count = u64::from(width) * u64::from(height);
    let (between, result) = (gpu.storage(16 * count), gpu.storage(4 * count));

    let groups = [width.div_ceil(16), height.div_ceil(16), 1];
    let mut encoder = gpu.encoder();
    gpu.dispatch(&mut encoder, &rows, &[(0, &band), (1, &weights), (2, &source), (3, &between)], groups);
    gpu.dispatch(&mut encoder, &columns, &[(0, &band), (1, &weights), (3, &between), (4, &result)], groups);
    let filtered = gpu.read(encoder, &result, encode(width, height));
    std::hint::black_box(blake3::hash(&filtered));
    std::fs::write(work.path("plain-image.png"), filtered).expect("writable");
    Figure::taken(started.elapsed())
}

/// Encodes pixels as the plugin does.
fn encode(width: u32, height: u32) -> impl FnOnce(&[u8]) -> Vec<u8> {
    move |pixels| {
        let rgb: Vec<u8> = pixels.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().expect("writing to memory");
        writer.write_image_data(&rgb).expect("writing to memory");
        writer.finish().expect("writing to memory");
        bytes
    }
}
