//! Prints the lowered form of a kernel: `cargo run -p samebit-wgsl --example lowered FILE.wgsl ENTRY [NAME=VALUE]…`

use samebit_wgsl::{Admission, Source, lower, parse};
use std::error::Error;
use std::io::Write;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(entry_point)) = (args.next(), args.next()) else {
        return Err("which file, and which entry point?".into());
    };
    let mut constants = Vec::new();
    for constant in args {
        let (name, value) = constant.split_once('=').ok_or("a constant is NAME=VALUE")?;
        constants.push((name.to_owned(), value.parse()?));
    }
    let text = std::fs::read_to_string(file)?;
    let kernel = parse(&Source { text: &text, entry_point: &entry_point, constants: &constants })?;
    let start = std::time::Instant::now();
    let lowered = lower(&kernel, &text, Admission::Native)?;
    let took = start.elapsed();
    let mut out = std::io::stdout().lock();
    write!(out, "{lowered}")?;
    writeln!(out, "lowered in {took:?}")?;
    Ok(())
}
