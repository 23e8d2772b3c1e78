//! Computes for ever. Outcome: the limit on fuel.

use std::hint::black_box;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}
