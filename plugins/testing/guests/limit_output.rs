//! Appends to one output for ever. Outcome: the limit on output bytes, and no output.

use samebit_plugin_testing::bindings::samebit::job::data;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let bytes = vec![7_u8; 1 << 20];
    loop {
        data::output_append("flood", &bytes).map_err(|error| format!("{error:?}"))?;
    }
}
