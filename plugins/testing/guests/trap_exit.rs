//! Exits in the middle of a job with a code that the WASI interface takes. Outcome: exited with that code.

use samebit_plugin_testing::bindings::wasi::cli::exit::exit_with_code;
use samebit_plugin_testing::put;

samebit_plugin_testing::guest!(run);

fn run(args: Vec<String>) -> Result<(), String> {
    put("before", "exit")?;
    let code = args.first().and_then(|code| code.parse().ok()).ok_or("a code is needed")?;
    exit_with_code(code);
    Err("it went on".to_owned())
}
