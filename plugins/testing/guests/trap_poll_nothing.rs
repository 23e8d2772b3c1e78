//! Waits for nothing at all. Outcome: trapped, broken contract.

use samebit_plugin_testing::bindings::wasi::io::poll::poll;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    Err(format!("it was told {:?}", poll(&[])))
}
