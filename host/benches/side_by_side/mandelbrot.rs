//! The plugin `mandelbrot`, which has no plain side: only for what exact programs cost.

use samebit_gpu::exact::Way;

use crate::measure::Figure;
use crate::samebit::{self, Driver};
use crate::work::Work;

pub(crate) fn in_process(work: &Work) -> Figure {
    job(work, Driver::InProcess)
}

pub(crate) fn portable(work: &Work) -> Figure {
    job(work, Driver::Exact(Way::Portable))
}

pub(crate) fn vulkan(work: &Work) -> Figure {
    job(work, Driver::Exact(Way::Vulkan))
}

fn job(work: &Work, driver: Driver) -> Figure {
    samebit::job(work, driver, "mandelbrot.wasm", &[], &[])
}
