//! Drops buffers and kernels while operations on them are queued, and makes new ones in their place. What was queued
//! happens all the same. Outcome: ok, with the numbers that an orderly host gives.

use samebit_plugin_testing::bindings::samebit::job::data::output_append_buffer;
use samebit_plugin_testing::bindings::samebit::job::gpu::{GpuError, dispatch};
use samebit_plugin_testing::gpu::{COPY, along_x, bind, buffer, kernel};

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let said = |error: GpuError| format!("{error:?}");
    let result = buffer(64 * 256)?;
    for round in 0..64 {
        let (source, target, copy) = (buffer(256)?, buffer(256)?, kernel(COPY)?);
        source.fill(0, 256, round).map_err(said)?;
        dispatch(&copy, &[bind(0, &source), bind(1, &target)], along_x(1)).map_err(said)?;
        source.fill(0, 256, u32::MAX).map_err(said)?;
        result.copy_from(u64::from(round) * 256, &target, 0, 256).map_err(said)?;
    }
    output_append_buffer("result", &result, 0, 64 * 256).map_err(|error| format!("{error:?}"))
}
