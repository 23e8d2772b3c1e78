//! Reads an input that is larger than the memory it may have. Outcome: the limit on memory.

use samebit_plugin_testing::bindings::samebit::job::data;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let size = data::input_size("large").map_err(|error| format!("{error:?}"))?;
    let read = data::input_read("large", 0, size).map(|bytes| bytes.len());
    Err(format!("it read {read:?} bytes"))
}
