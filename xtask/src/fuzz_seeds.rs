//! `cargo xtask fuzz-seeds`: what fuzzing begins with.
//!
//! The vectors of the protocol and of receipts, good and bad, and what has no vectors: frames, tickets, names of
//! collections. A fuzzer that begins with nothing takes hours to find out what a message looks like.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::terminal;
use crate::workspace::Workspace;

/// Files of vectors, under `docs`.
const VECTORS: [&str; 6] = [
    "protocol/vectors/messages.json",
    "receipt/vectors/chain.json",
    "receipt/vectors/jobs.json",
    "receipt/vectors/outcomes.json",
    "receipt/vectors/publications.json",
    "receipt/vectors/receipts.json",
];
/// What has no vectors: a collection's names, a blob's ticket, a host's key with an address.
const OTHERS: [&str; 3] = [
    "CollectionV0.\u{2}\u{3}a/b\u{1}c",
    "blobacybgkx4edqyb72fty2jhn5ixzgui34nxxypp6h3e54e2a32vlkekaabab7qaaabt27qeag4g4cxuzzljptbi3qfiwhmcn2y5cjn74dd5gcfftywd2x7aivkja",
    "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c@127.0.0.1:4433",
];
/// Where the fuzz target reads them.
const FOLDER: &str = "host/fuzz/corpus/peer_bytes";

/// Writes the seeds, one a file.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root().join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let seeds = seeds(workspace)?;
    for (number, seed) in seeds.iter().enumerate() {
        let file = folder.join(format!("seed-{number}"));
        fs::write(&file, seed).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    terminal::answer(&format!("{} seeds in {}", seeds.len(), folder.display()));
    Ok(())
}

fn seeds(workspace: &Workspace) -> Result<Vec<Vec<u8>>> {
    let mut seeds: Vec<_> = OTHERS.map(|text| text.as_bytes().to_vec()).into();
    for name in VECTORS {
        let file = workspace.root().join("docs").join(name);
        let text = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let vectors = serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", file.display()))?;
        collect(&vectors, &mut seeds);
    }
    let framed: Vec<_> = seeds.iter().rev().take(3).flat_map(|seed| frame(seed)).collect();
    seeds.push(framed);
    Ok(seeds)
}

/// Whatever is called `bytes`.
fn collect(value: &Value, seeds: &mut Vec<Vec<u8>>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, seeds)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().filter(|_| name == "bytes").and_then(bytes) {
                    Some(seed) => seeds.push(seed),
                    None => collect(value, seeds),
                }
            }
        }
        _ => {}
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

fn frame(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_vectors_gives_seeds() {
        let workspace = Workspace::load().expect("a workspace");
        let seeds = seeds(&workspace).expect("vectors");
        assert!(seeds.len() > 60, "{}", seeds.len());
        assert!(seeds.contains(&vec![0, 0]), "the shortest request");
    }
}
