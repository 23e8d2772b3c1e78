//! Returns success. Run after every other guest, to show that the host goes on.

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    Ok(())
}
