//! Takes GPU memory until it is refused; dropping a buffer makes room again. Outcome: ok.

use samebit_plugin_testing::bindings::samebit::job::gpu::{Buffer, GpuError};

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let mut held = Vec::new();
    loop {
        match Buffer::create(16 << 20) {
            Ok(buffer) => held.push(buffer),
            Err(GpuError::OutOfMemory) => break,
            Err(error) => return Err(format!("{error:?} after {} buffers", held.len())),
        }
    }
    drop(held.pop());
    Buffer::create(16 << 20).map(drop).map_err(|error| format!("{error:?} after a buffer was dropped"))
}
