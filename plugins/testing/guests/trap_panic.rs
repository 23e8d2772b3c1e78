//! Panics. Outcome: trapped, `unreachable`; what the panic says is in the log's stderr lines until then.

samebit_plugin_testing::guest!(run);

fn run(args: Vec<String>) -> Result<(), String> {
    panic!("with {} arguments", args.len());
}
