//! Recurses without using linear memory. Outcome: trapped, stack overflow.

samebit_plugin_testing::guest!(run);

fn run(args: Vec<String>) -> Result<(), String> {
    let depth = u64::MAX - args.len() as u64;
    Err(format!("it came back with {}", descend(depth)))
}

// Not a tail call, and not a sum that a compiler could turn into a loop.
fn descend(depth: u64) -> u64 {
    if depth == 0 { 1 } else { descend(depth - 1).rotate_left(7).wrapping_mul(31) ^ depth }
}
