//! Passes offsets and sizes that are out of range, overflow, or are misaligned to every call that takes them. Each is
//! refused with its own error, and changes nothing. Outcome: ok.

use samebit_plugin_testing::bindings::samebit::job::data;
use samebit_plugin_testing::bindings::samebit::job::gpu::Buffer;
use samebit_plugin_testing::expect;
use samebit_plugin_testing::gpu::buffer;

samebit_plugin_testing::guest!(run);

const OUT: &str = "Err(GpuError::OutOfRange)";
const ODD: &str = "Err(GpuError::Misaligned)";
/// Offset and size of ranges that end past the end of a buffer of 64 bytes; all multiples of 4.
const PAST: [(u64, u64); 9] = [
    (0, 68),
    (4, 64),
    (64, 4),
    (68, 0),
    (u64::MAX - 3, 0),
    (u64::MAX - 3, 4),
    (4, u64::MAX - 3),
    (u64::MAX - 3, u64::MAX - 3),
    (0, 1 << 40),
];

fn run(_args: Vec<String>) -> Result<(), String> {
    sizes()?;
    let (one, two) = (buffer(64)?, buffer(64)?);
    one.fill(0, 64, 0x5a5a_5a5a).map_err(|error| format!("{error:?}"))?;
    past(&one, &two)?;
    odd(&one, &two)?;
    inputs(&one)?;
    expect("onto itself", one.copy_from(0, &one, 32, 32), "Err(GpuError::Aliased)")?;
    let bytes = one.read(0, 64).map_err(|error| format!("{error:?}"))?;
    expect("what a refused call changed", bytes.iter().filter(|byte| **byte != 0x5a).count(), "0")
}

fn sizes() -> Result<(), String> {
    for size in [0, (256 << 20) + 4, 1 << 32, u64::MAX - 3, u64::MAX] {
        expect(&format!("create {size}"), Buffer::create(size).map(drop), "Err(GpuError::InvalidSize)")?;
    }
    for size in [1, 2, 3, 5, 1023] {
        expect(&format!("create {size}"), Buffer::create(size).map(drop), ODD)?;
    }
    expect("size", buffer(4)?.size(), "4")
}

fn past(one: &Buffer, two: &Buffer) -> Result<(), String> {
    for (offset, size) in PAST {
        let what = |call: &str| format!("{call} at {offset} of {size}");
        expect(&what("read"), one.read(offset, size), OUT)?;
        expect(&what("fill"), one.fill(offset, size, 1), OUT)?;
        expect(&what("copy to"), one.copy_from(offset, two, 0, size), OUT)?;
        expect(&what("copy from"), one.copy_from(0, two, offset, size), OUT)?;
        expect(
            &what("append"),
            data::output_append_buffer("x", one, offset, size).map_err(|error| error.name()),
            r#"Err("out-of-range")"#,
        )?;
        if size <= 68 {
            expect(&what("write"), one.write(offset, &vec![1; size as usize]), OUT)?;
        }
    }
    expect("read at an odd end", one.read(63, 2), OUT)?;
    expect("a write that is padded past the end", two.write(60, &[0; 5]), OUT)?;
    expect("nothing at the end", one.read(64, 0), "Ok([])")?;
    expect("nothing at the end", one.write(64, &[]), "Ok(())")
}

fn odd(one: &Buffer, two: &Buffer) -> Result<(), String> {
    for odd in [1, 2, 3, 61, u64::MAX] {
        let what = |call: &str| format!("{call} at {odd}");
        expect(&what("write"), one.write(odd, &[0; 4]), ODD)?;
        expect(&what("fill"), one.fill(odd, 4, 1), ODD)?;
        expect(&what("fill of"), one.fill(0, odd, 1), ODD)?;
        expect(&what("copy to"), one.copy_from(odd, two, 0, 4), ODD)?;
        expect(&what("copy from"), one.copy_from(0, two, odd, 4), ODD)?;
        expect(&what("copy of"), one.copy_from(0, two, 0, odd), ODD)?;
        expect(&what("load"), one.load_input(odd, "word", 0, 3), ODD)?;
    }
    Ok(())
}

/// The input `word` has 3 bytes.
fn inputs(one: &Buffer) -> Result<(), String> {
    for (offset, size) in [(0, 4), (3, 1), (4, 0), (u64::MAX, 1), (1, u64::MAX), (u64::MAX, u64::MAX)] {
        let what = |call: &str| format!("{call} at {offset} of {size}");
        expect(
            &what("input-read"),
            data::input_read("word", offset, size).map_err(|error| error.name()),
            r#"Err("out-of-range")"#,
        )?;
        expect(&what("load-input"), one.load_input(0, "word", offset, size), OUT)?;
    }
    for offset in [64, 1 << 40, u64::MAX - 3] {
        expect(&format!("load-input to {offset}"), one.load_input(offset, "word", 0, 3), OUT)?;
    }
    expect("nothing at the input's end", data::input_read("word", 3, 0).map_err(|error| error.name()), "Ok([])")
}
