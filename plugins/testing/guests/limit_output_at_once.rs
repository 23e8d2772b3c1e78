//! Appends a hundred megabytes in one call. Outcome: the limit on output bytes.

use samebit_plugin_testing::bindings::samebit::job::data;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let bytes = vec![7_u8; 100_000_000];
    Err(format!("it wrote: {:?}", data::output_append("flood", &bytes)))
}
