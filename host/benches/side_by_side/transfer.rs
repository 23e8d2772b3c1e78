//! 256 MiB from a file to a buffer to a file, hashed on both ends.

use std::fs::File;
use std::io::{Read, Write};
use std::time::Instant;

use crate::measure::Figure;
use crate::plain::Gpu;
use crate::samebit::{self, Driver};
use crate::work::{LARGE_BYTES, Work};

/// The job `ok_transfer`: one `load-input`, one `output-append-buffer`.
pub(crate) fn sandboxed(work: &Work) -> Figure {
    job(work, Driver::Worker)
}

/// The same with the driver in the process that runs the job.
pub(crate) fn in_process(work: &Work) -> Figure {
    job(work, Driver::InProcess)
}

fn job(work: &Work, driver: Driver) -> Figure {
    samebit::job(work, driver, "testing/ok_transfer.wasm", &[], &[("in", "large")])
}

/// What a careful program would do: hash what it reads while it uploads it, and what it wrote. Hashing uses all cores, as
/// the store's does.
pub(crate) fn plain(work: &Work) -> Figure {
    const CHUNK_BYTES: usize = 4 << 20;
    let started = Instant::now();
    let gpu = Gpu::open();
    let buffer = gpu.storage(LARGE_BYTES as u64);
    let mut file = File::open(work.path("large")).expect("the input is there");
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    for offset in (0..LARGE_BYTES).step_by(CHUNK_BYTES) {
        file.read_exact(&mut chunk).expect("the input is readable");
        hasher.update_rayon(&chunk);
        gpu.queue.write_buffer(&buffer, offset as u64, &chunk);
        // Without this, all of the input would be held a second time in staging memory.
        if offset % (64 << 20) == 0 {
            gpu.queue.submit([]);
        }
    }
    std::hint::black_box(hasher.finalize());
    let mut target = File::create(work.path("plain-output")).expect("writable");
    gpu.read(gpu.encoder(), &buffer, |bytes| {
        let mut hasher = blake3::Hasher::new();
        for chunk in bytes.chunks(CHUNK_BYTES) {
            target.write_all(chunk).expect("writable");
            hasher.update_rayon(chunk);
        }
        std::hint::black_box(hasher.finalize());
    });
    Figure::taken(started.elapsed())
}
