//! Recurses with large frames, which lie in linear memory. Outcome: trapped, out of that memory's bounds.

use std::hint::black_box;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    Err(format!("it came back with {}", descend(black_box(u64::MAX))))
}

fn descend(depth: u64) -> u64 {
    let mut frame = [0_u64; 2048];
    black_box(&mut frame)[(depth % 2048) as usize] = depth;
    if depth == 0 { 1 } else { descend(depth - 1).rotate_left(7) ^ black_box(&frame)[(depth % 2047) as usize] }
}
