//! Asks for more random bytes than there is memory, by as many as the argument says. Outcome: trapped, broken contract.

use samebit_plugin_testing::bindings::wasi::random::{insecure, random};

samebit_plugin_testing::guest!(run);

fn run(args: Vec<String>) -> Result<(), String> {
    let size = args.first().and_then(|size| size.parse().ok()).ok_or("a size is needed")?;
    let secure = args.get(1).is_some_and(|kind| kind == "secure");
    let bytes = if secure { random::get_random_bytes(size) } else { insecure::get_insecure_random_bytes(size) };
    Err(format!("it was given {} bytes", bytes.len()))
}
