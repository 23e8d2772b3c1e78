//! Takes memory until it is refused, and makes do with that. Outcome: ok; a refused allocation is no failure.

use std::hint::black_box;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let mut bytes = Vec::<u8>::new();
    match bytes.try_reserve_exact(1 << 30) {
        Ok(()) => Err(format!("a gigabyte was granted at {:?}", black_box(bytes.as_ptr()))),
        Err(_) => Ok(()),
    }
}
