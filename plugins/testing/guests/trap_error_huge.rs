//! Fails with a message of a megabyte, in which a cut at the limit would split a character. Outcome: failed, with the
//! message cut before that character.

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    Err(format!("x{}", "é".repeat(500_000)))
}
