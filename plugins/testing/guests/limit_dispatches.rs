//! Dispatches for ever. Outcome: the limit on dispatches.

use samebit_plugin_testing::bindings::samebit::job::gpu::dispatch;
use samebit_plugin_testing::gpu::{COPY, along_x, bind, buffer, kernel};

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let (source, target, copy) = (buffer(256)?, buffer(256)?, kernel(COPY)?);
    loop {
        dispatch(&copy, &[bind(0, &source), bind(1, &target)], along_x(1)).map_err(|error| format!("{error:?}"))?;
    }
}
