//! Makes handles for ever, of the kind that the argument names. Outcome: trapped, broken contract, for what costs
//! nothing else; kernels and clocks run out of fuel first if fuel is short.

use samebit_plugin_testing::bindings::wasi::{cli, clocks};
use samebit_plugin_testing::gpu::{COPY, buffer, kernel};

samebit_plugin_testing::guest!(run);

fn run(args: Vec<String>) -> Result<(), String> {
    match args.first().map_or("", String::as_str) {
        "buffers" => keep(|| buffer(4)),
        "kernels" => keep(|| kernel(COPY)),
        "timers" => keep(|| Ok(clocks::monotonic_clock::subscribe_duration(1))),
        "pollables" => {
            let stdin = cli::stdin::get_stdin();
            keep(|| Ok(stdin.subscribe()))
        }
        "streams" => keep(|| Ok(cli::stderr::get_stderr())),
        other => Err(format!("no handle is called {other}")),
    }
}

fn keep<T>(mut make: impl FnMut() -> Result<T, String>) -> Result<(), String> {
    let mut held = Vec::new();
    loop {
        held.push(make()?);
    }
}
