//! Writes 100 MB to standard error in one call, far more than it was permitted. Outcome: the log's limit.

use samebit_plugin_testing::bindings::wasi::cli::stderr::get_stderr;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let bytes = vec![b'x'; 100_000_000];
    Err(format!("it wrote: {:?}", get_stderr().write(&bytes)))
}
