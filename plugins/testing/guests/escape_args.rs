//! Puts its arguments out as it got them. Outcome: ok.

use samebit_plugin_testing::put;

samebit_plugin_testing::guest!(run);

fn run(args: Vec<String>) -> Result<(), String> {
    put("args", &format!("{args:?}"))
}
