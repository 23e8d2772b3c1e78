//! Appends a buffer to an output for ever, never touching its bytes. Outcome: the limit on output bytes.

use samebit_plugin_testing::bindings::samebit::job::data;
use samebit_plugin_testing::gpu::buffer;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let buffer = buffer(16 << 20)?;
    loop {
        data::output_append_buffer("flood", &buffer, 0, 16 << 20).map_err(|error| format!("{error:?}"))?;
    }
}
