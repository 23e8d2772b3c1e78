//! Writes to the standard stream that the argument names for ever, without ending the line. Outcome: the limit on log
//! bytes.

use std::io::Write;

samebit_plugin_testing::guest!(run);

fn run(args: Vec<String>) -> Result<(), String> {
    let to_stderr = args.first().is_some_and(|name| name == "stderr");
    let mut stream: Box<dyn Write> = if to_stderr { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
    loop {
        stream.write_all(&[b'x'; 1000]).map_err(|error| error.to_string())?;
    }
}
