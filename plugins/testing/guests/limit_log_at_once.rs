//! Logs a line of a hundred megabytes. Outcome: the limit on log bytes.

use samebit_plugin_testing::bindings::samebit::job::report::{Level, log};

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    log(Level::Trace, &"x".repeat(100_000_000));
    Err("it went on".to_owned())
}
