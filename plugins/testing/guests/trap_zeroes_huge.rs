//! Writes zeros to standard output without owning them: as many as the argument says, by the function it names.
//! Outcome: trapped, broken contract.

use samebit_plugin_testing::bindings::wasi::cli::stdout::get_stdout;

samebit_plugin_testing::guest!(run);

fn run(args: Vec<String>) -> Result<(), String> {
    let size = args.first().and_then(|size| size.parse().ok()).ok_or("a size is needed")?;
    let stdout = get_stdout();
    let blocking = args.get(1).is_some_and(|kind| kind == "blocking");
    let wrote = if blocking { stdout.blocking_write_zeroes_and_flush(size) } else { stdout.write_zeroes(size) };
    Err(format!("it wrote: {wrote:?}"))
}
