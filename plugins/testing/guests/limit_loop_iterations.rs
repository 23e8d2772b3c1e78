//! Launches a kernel that loops longer than it may, and goes on in the way that its argument names. Outcome: the limit on
//! loop iterations, once somebody looks; what happened before that is in the log, always the same.

use samebit_plugin_testing::bindings::samebit::job::gpu::dispatch;
use samebit_plugin_testing::bindings::samebit::job::{data, report};
use samebit_plugin_testing::gpu::{COPY, along_x, bind, buffer, kernel};

samebit_plugin_testing::guest!(run);

const SPIN: &str = "
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@compute @workgroup_size(1) fn main() {
    for (var i = 0u; i < 100000u; i++) { data[0] = data[0] * 3u + i; }
}";

fn run(args: Vec<String>) -> Result<(), String> {
    let (spun, other, target) = (buffer(256)?, buffer(256)?, buffer(256)?);
    let (spin, copy) = (kernel(SPIN)?, kernel(COPY)?);
    dispatch(&spin, &[bind(0, &spun)], along_x(1)).map_err(|error| format!("{error:?}"))?;
    // Nothing that does not look may notice, however long ago the budget was spent.
    for _ in 0..100 {
        dispatch(&copy, &[bind(0, &other), bind(1, &target)], along_x(1)).map_err(|error| format!("{error:?}"))?;
        target.write(0, &[1, 2, 3, 4]).map_err(|error| format!("{error:?}"))?;
    }
    report::log(report::Level::Info, "launched");
    match args.first().map(String::as_str) {
        Some("read") => drop(other.read(0, 4).map_err(|error| format!("{error:?}"))?),
        Some("append") => data::output_append_buffer("out", &other, 0, 4).map_err(|error| format!("{error:?}"))?,
        Some("fail") => return Err("it failed".to_owned()),
        Some("trap") => unreachable!("on purpose"),
        _ => return Ok(()),
    }
    report::log(report::Level::Info, "read");
    Ok(())
}
