//! What the network costs: jobs from submission to receipt, blobs from machine to machine, announcements among many.
//!
//! Hosts and providers are processes of their own, as they are in the field; everything stays on loopback. What waits for
//! the disk is measured twice, on the disk and in memory, so that the disk's share can be told. Nothing here fails on a
//! slow machine: `docs/BENCHMARKS.md` says what the targets are.
//!
//! Run it with `cargo xtask bench --part network`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table on standard output is what this program is for"
)]

mod announcing;
mod author;
mod cancelling;
mod figures;
mod host;
mod jobs;
mod lossy;
mod memory;
mod transfer;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: network [--rounds N] [--sendme PROGRAM] [--only WHAT]";
/// What can be measured alone.
const ALL: [&str; 6] = ["jobs", "cancel", "memory", "fetch", "lossy", "announce"];

/// What is asked for.
struct Args {
    rounds: usize,
    sendme: Option<PathBuf>,
    only: Option<String>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve-tcp", file] => transfer::serve_tcp(Path::new(file)),
        ["--crowd"] => println!("{}", announcing::crowd()),
        _ => match parse(&args) {
            Some(args) => report(&args),
            None => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        },
    }
    ExitCode::SUCCESS
}

fn parse(args: &[String]) -> Option<Args> {
    let sendme = std::env::var_os("SAMEBIT_BENCH_SENDME").map(PathBuf::from);
    let mut parsed = Args { rounds: 5, sendme, only: None };
    for pair in args.chunks(2) {
        let [name, value] = pair else { return None };
        match name.as_str() {
            "--rounds" => parsed.rounds = value.parse().ok().filter(|rounds| *rounds > 0)?,
            "--sendme" => parsed.sendme = Some(PathBuf::from(value)),
            "--only" if ALL.contains(&value.as_str()) => parsed.only = Some(value.clone()),
            _ => return None,
        }
    }
    Some(parsed)
}

fn report(args: &Args) {
    let wanted = |what: &str| args.only.as_deref().is_none_or(|only| only == what);
    println!("{}\n", figures::machine());
    println!("| measured | result | target |");
    println!("|---|---|---|");
    let row = |(what, result, target): (String, String, &str)| println!("| {what} | {result} | {target} |");
    if wanted("jobs") {
        figures::places().iter().flat_map(|place| jobs::rows(place)).for_each(row);
    }
    if wanted("cancel") {
        cancelling::rows().into_iter().for_each(row);
    }
    if wanted("memory") {
        memory::rows().into_iter().for_each(row);
    }
    if wanted("fetch") {
        transfer::rows(args.rounds, args.sendme.as_deref()).into_iter().for_each(row);
    }
    if wanted("lossy") {
        lossy::rows(args.rounds).into_iter().for_each(row);
    }
    if wanted("announce") {
        announcing::rows().into_iter().for_each(row);
    }
}
