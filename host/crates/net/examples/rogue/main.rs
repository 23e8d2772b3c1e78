//! A peer that keeps to no protocol, for `cargo xtask net-test` and `cargo xtask net-load`.
//!
//! `rogue lie` hands out blobs with a bit flipped. `rogue load` is a crowd of strangers that want to wear a host out, and
//! `rogue honest` a client that suffers from them.

mod honest;
mod lie;
mod load;

use anyhow::{Context, Result, bail};

const USAGE: &str =
    "rogue lie ADDRESS:PORT HOST OFFSET | honest HOST MODULE SECONDS | load HOST CONNECTIONS REQUESTS SECONDS SEED";

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["lie", at, host, offset] => lie::run(at.parse()?, host, offset.parse()?).await.context("lying"),
        ["honest", host, module, seconds] => honest::run(host, module.as_ref(), seconds.parse()?).await,
        ["load", host, connections, requests, seconds, seed] => {
            let (connections, requests) = (connections.parse()?, requests.parse()?);
            let plan = load::Plan { connections, requests, seconds: seconds.parse()?, seed: seed.parse()? };
            load::run(host, plan).await
        }
        _ => bail!("usage: {USAGE}"),
    }
}

/// A line for the program that started this one.
#[allow(clippy::print_stdout, reason = "this is the example's output")]
fn say(line: &str) {
    println!("{line}");
}
