//! Uses texts that are no names, and names that nothing has. Each is refused with its own error. Outcome: ok.

use samebit_plugin_testing::bindings::samebit::job::data;
use samebit_plugin_testing::expect;
use samebit_plugin_testing::gpu::buffer;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let long = "x".repeat(129);
    let huge = "x".repeat(10_000_000);
    let buffer = buffer(16)?;
    for name in ["", ".", "..", "-x", "_x", "../x", "a/b", "a\\b", "a b", "a\0", "é", "a\n", "C:", &long, &huge] {
        let shown = &name[..name.floor_char_boundary(40)];
        expect(shown, data::input_size(name).map_err(|error| error.name()), r#"Err("invalid-name")"#)?;
        expect(shown, data::input_read(name, 0, 0).map_err(|error| error.name()), r#"Err("invalid-name")"#)?;
        expect(shown, data::output_append(name, b"x").map_err(|error| error.name()), r#"Err("invalid-name")"#)?;
        expect(
            shown,
            data::output_append_buffer(name, &buffer, 0, 4).map_err(|error| error.name()),
            r#"Err("invalid-name")"#,
        )?;
        expect(shown, buffer.load_input(0, name, 0, 4), "Err(GpuError::UnknownInput)")?;
    }
    let longest = "x".repeat(128);
    for name in ["nobody", "NUL", "a..b", &longest] {
        expect(name, data::input_size(name).map_err(|error| error.name()), r#"Err("unknown-input")"#)?;
        expect(
            name,
            data::input_read(name, u64::MAX, u64::MAX).map_err(|error| error.name()),
            r#"Err("unknown-input")"#,
        )?;
        expect(name, data::output_append(name, b"").map_err(|error| error.name()), "Ok(())")?;
    }
    Ok(())
}
