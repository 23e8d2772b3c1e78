//! Reports progress that means nothing, for ever. Outcome: the limit on fuel; nobody's terminal breaks over it.

use samebit_plugin_testing::bindings::samebit::job::report::progress;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let mut done = u64::MAX;
    loop {
        progress(done, done / 7);
        done = done.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    }
}
