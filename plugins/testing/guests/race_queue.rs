//! Changes what operations in the queue have yet to read: bytes it handed over, counts of an indirect dispatch, a
//! kernel's input. Each operation sees what was there when it was called. Outcome: ok, with numbers that show it.

use samebit_plugin_testing::bindings::samebit::job::data;
use samebit_plugin_testing::bindings::samebit::job::gpu::{GpuError, dispatch_indirect};
use samebit_plugin_testing::gpu::{COPY, bind, buffer, kernel};

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let said = |error: GpuError| format!("{error:?}");
    let (source, target, counts, copy) = (buffer(256)?, buffer(256)?, buffer(12)?, kernel(COPY)?);
    let mut bytes = vec![0; 256];
    for round in 0..100_u8 {
        bytes.fill(round);
        source.write(0, &bytes).map_err(said)?;
        bytes.fill(0xff);
        let x = u8::from(round < 50);
        counts.write(0, &[x, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]).map_err(said)?;
        dispatch_indirect(&copy, &[bind(0, &source), bind(1, &target)], &counts, 0).map_err(said)?;
        counts.fill(0, 12, 65_536).map_err(said)?;
        if round == 49 || round == 99 {
            let word = target.read(4, 4).map_err(said)?;
            data::output_append("words", &word).map_err(|error| format!("{error:?}"))?;
        }
    }
    Ok(())
}
