//! Reads a large buffer again and again and keeps it all. Outcome: the limit on memory.

use samebit_plugin_testing::gpu::buffer;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    const SIZE: u64 = 256 << 20;
    let buffer = buffer(SIZE)?;
    let mut held = Vec::new();
    loop {
        held.push(buffer.read(0, SIZE).map_err(|error| format!("{error:?}"))?);
    }
}
