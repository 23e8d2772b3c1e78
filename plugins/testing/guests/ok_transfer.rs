//! Moves the input `in` to the output `out` through buffers of at most 256 MiB, in as few calls as there can be. What it
//! costs is what the bench measures. Outcome: ok, with `out` as `in` was.

use samebit_plugin_testing::bindings::samebit::job::{data, gpu};

samebit_plugin_testing::guest!(run);

/// The largest buffer.
const BUFFER_BYTES: u64 = 256 << 20;

fn run(_args: Vec<String>) -> Result<(), String> {
    let size = data::input_size("in").map_err(|error| format!("{error:?}"))?;
    for offset in (0..size).step_by(BUFFER_BYTES as usize) {
        let piece = BUFFER_BYTES.min(size - offset);
        let refused = |error: gpu::GpuError| format!("{error:?}");
        let buffer = gpu::Buffer::create(piece.next_multiple_of(4)).map_err(refused)?;
        buffer.load_input(0, "in", offset, piece).map_err(refused)?;
        data::output_append_buffer("out", &buffer, 0, piece).map_err(|error| format!("{error:?}"))?;
    }
    Ok(())
}
