//! Writes the inputs that fuzzing `peer_bytes` begins with, one a file: `cargo run --features net --bin peer_seeds -- DIR`.
//!
//! They are the vectors of the protocol and of receipts, good and bad, and tickets and names, which have no vectors.

use std::path::Path;
use std::{env, fs};

use data_encoding::HEXLOWER;
use samebit_net::BlobAddress;
use samebit_net::message::{Provider, Text};
use samebit_spec::{Hash, SecretKey};
use serde_json::Value;

fn main() {
    let out = env::args_os().nth(1).expect("give the folder to write to");
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut seeds = vec![b"CollectionV0.\x02\x03a/b\x01c".to_vec()];
    for file in [
        "protocol/vectors/messages",
        "receipt/vectors/chain",
        "receipt/vectors/jobs",
        "receipt/vectors/outcomes",
        "receipt/vectors/publications",
        "receipt/vectors/receipts",
    ] {
        let text = fs::read(docs.join(file).with_extension("json")).expect("the vectors");
        collect(&serde_json::from_slice(&text).expect("vectors"), &mut seeds);
    }
    let framed = seeds.iter().filter(|seed| seed.len() < 1000).take(4);
    let framed = framed.flat_map(|seed| [&(seed.len() as u32).to_be_bytes(), seed.as_slice()].concat()).collect();
    seeds.push(framed);
    seeds.extend(tickets());
    fs::create_dir_all(&out).expect("the folder");
    for (i, seed) in seeds.iter().enumerate() {
        fs::write(Path::new(&out).join(format!("seed-{i}")), seed).expect("written");
    }
    println!("{} seeds", seeds.len());
}

/// Whatever is called `bytes` is a seed.
fn collect(value: &Value, seeds: &mut Vec<Vec<u8>>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, seeds)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().filter(|_| name == "bytes") {
                    Some(text) => seeds.extend(HEXLOWER.decode(text.as_bytes())),
                    None => collect(value, seeds),
                }
            }
        }
        _ => {}
    }
}

fn tickets() -> [Vec<u8>; 4] {
    let provider = Provider {
        host: SecretKey::from_bytes(&[7; 32]).public(),
        addresses: vec!["192.0.2.7:1".parse().expect("v4"), "[2001:db8::7]:1".parse().expect("v6")],
        relay: Text::new("https://relay.example/").ok(),
    };
    let blob = BlobAddress { hash: Hash::of(b"x"), is_collection: true, provider: None };
    [
        provider.ticket().expect("ticket"),
        blob.ticket(&provider).expect("ticket"),
        provider.host.to_string(),
        format!("{}@127.0.0.1:4", provider.host),
    ]
    .map(String::into_bytes)
}
