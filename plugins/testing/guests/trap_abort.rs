//! Aborts. Outcome: trapped, `unreachable`.

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    std::process::abort();
}
