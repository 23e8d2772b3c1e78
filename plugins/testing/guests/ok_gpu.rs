//! Uses everything of the GPU interface once, as it is meant to be used. Outcome: ok, with the buffer as output.

use samebit_plugin_testing::bindings::samebit::job::{data, gpu};
use samebit_plugin_testing::gpu::{COPY, along_x, bind, buffer, kernel};

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let said = |error: gpu::GpuError| format!("{error:?}");
    let (source, target, counts) = (buffer(1024)?, buffer(1024)?, buffer(12)?);
    source.fill(0, 1024, 41).map_err(said)?;
    counts.write(0, &[4, 0, 0, 0, 1, 0, 0, 0, 1]).map_err(said)?;
    source.load_input(4, "word", 0, 3).map_err(said)?;
    let copy = kernel(COPY)?;
    gpu::dispatch(&copy, &[bind(1, &target), bind(0, &source)], along_x(4)).map_err(said)?;
    gpu::dispatch_indirect(&copy, &[bind(1, &target), bind(0, &source)], &counts, 0).map_err(said)?;
    source.copy_from(512, &target, 0, 512).map_err(said)?;
    let bytes = source.read(511, 3).map_err(said)?;
    data::output_append("read", &bytes).map_err(|error| format!("{error:?}"))?;
    data::output_append_buffer("source", &source, 0, 1024).map_err(|error| format!("{error:?}"))
}
