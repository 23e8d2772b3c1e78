//! Logs for ever. Outcome: the limit on log bytes; the lines that fitted are kept.

use samebit_plugin_testing::bindings::samebit::job::report::{Level, log};

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    loop {
        log(Level::Info, "again\nand again");
    }
}
