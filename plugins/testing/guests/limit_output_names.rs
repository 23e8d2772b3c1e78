//! Makes as many outputs as there may be, each of several pieces, so that a host that holds a file open for each runs
//! out of files. One more is refused. Outcome: ok, with 4,096 outputs.

use samebit_plugin_testing::bindings::samebit::job::data;
use samebit_plugin_testing::expect;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let piece = vec![3_u8; 8 << 10];
    for round in 0..2 {
        for name in 0..4096 {
            data::output_append(&format!("o{name}"), &piece)
                .map_err(|error| format!("output {name} in round {round}: {error:?}"))?;
        }
    }
    expect(
        "one more",
        data::output_append("one-more", b"").map_err(|error| error.name()),
        r#"Err("too-many-outputs")"#,
    )?;
    expect("an old one", data::output_append("o0", b"x").map_err(|error| error.name()), "Ok(())")
}
