//! Puts out everything that it finds random: numbers, bytes, the seed of its hash maps, addresses. Outcome: ok.

use std::collections::hash_map::RandomState;
use std::fmt::Write;
use std::hash::{BuildHasher, Hasher};

use samebit_plugin_testing::bindings::wasi::random::{insecure, insecure_seed, random};
use samebit_plugin_testing::put;

samebit_plugin_testing::guest!(run);

fn run(args: Vec<String>) -> Result<(), String> {
    let mut seen = String::new();
    let _ = writeln!(seen, "{:?} {}", random::get_random_bytes(33), random::get_random_u64());
    let _ = writeln!(seen, "{:?} {}", insecure::get_insecure_random_bytes(33), insecure::get_insecure_random_u64());
    let _ = writeln!(seen, "{:?} {:?}", insecure_seed::insecure_seed(), insecure_seed::insecure_seed());
    let _ = writeln!(seen, "{}", RandomState::new().build_hasher().finish());
    let addresses = format!("{:p} {:p} {:?}", &seen, args.as_ptr(), run as fn(_) -> _);
    let _ = writeln!(seen, "{addresses}");
    put("random", &seen)
}
