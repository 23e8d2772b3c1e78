//! Looks for anything that it was not handed: environment, working directory, arguments by WASI, terminals, standard
//! input. Outcome: ok; output `env` says what it saw.

use std::fmt::Write;
use std::io::Read;

use samebit_plugin_testing::bindings::wasi::cli;
use samebit_plugin_testing::put;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let mut seen = String::new();
    let _ = writeln!(seen, "env {:?} {}", cli::environment::get_environment(), std::env::vars().count());
    let _ = writeln!(seen, "args {:?}", cli::environment::get_arguments());
    let _ = writeln!(seen, "cwd {:?}", cli::environment::initial_cwd());
    let _ = writeln!(seen, "terminals {}", terminals());
    let mut stdin = Vec::new();
    let _ = writeln!(seen, "stdin {:?} {}", std::io::stdin().read_to_end(&mut stdin).is_ok(), stdin.len());
    let raw = cli::stdin::get_stdin();
    let _ = writeln!(seen, "read {:?} {:?}", raw.read(u64::MAX).is_err(), raw.blocking_skip(u64::MAX).is_err());
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let _ = writeln!(seen, "threads {cpus} {}", std::thread::Builder::new().spawn(|| ()).is_ok());
    put("env", &seen)
}

fn terminals() -> usize {
    usize::from(cli::terminal_stdin::get_terminal_stdin().is_some())
        + usize::from(cli::terminal_stdout::get_terminal_stdout().is_some())
        + usize::from(cli::terminal_stderr::get_terminal_stderr().is_some())
}
