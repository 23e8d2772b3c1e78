//! The vectors of `docs/receipt/vectors`: made here, checked here, and checked once more by the Python checker.
//!
//! `UPDATE_VECTORS=1 cargo test -p samebit-spec` writes them anew. A change to an existing vector is a change of the
//! format, and needs a new version of it.

mod bad;
mod chain;
mod good;

use std::fmt::Debug;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use data_encoding::HEXLOWER;
use samebit_spec::{
    ChainEntry, ChainEntryError, DecodeError, JobSpec, Outcome, Publication, PublicationError, Receipt, ReceiptError,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One vector. What is expected comes first.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector<T> {
    /// `ok`, or the class of the error.
    expect: String,
    name: String,
    /// `nothing` in a failing vector: no part of the value may be handed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    releases: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// For receipts: the key that signs, and the ids of the parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome_id: Option<String>,
    bytes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<T>,
}

#[derive(Serialize, Deserialize)]
struct Vectors<T> {
    about: String,
    vectors: Vec<Vector<T>>,
}

/// What the vectors know of a kind.
trait Kind: Sized + Debug + PartialEq + Serialize + DeserializeOwned {
    const FILE: &'static str;
    const ABOUT: &'static str;

    fn read(bytes: &[u8]) -> Result<Self, &'static str>;
    fn write(&self) -> Vec<u8>;
    fn id_text(&self) -> String;
}

fn class(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::TooLong(_) => "too-long",
        DecodeError::UnknownVersion => "unknown-version",
        DecodeError::Malformed => "malformed",
        DecodeError::Trailing(_) => "trailing",
        DecodeError::NotCanonical => "not-canonical",
        DecodeError::Invalid(_) => "invalid",
        _ => "unknown",
    }
}

impl Kind for JobSpec {
    const FILE: &'static str = "jobs.json";
    const ABOUT: &'static str = "Jobs. The id is of the bytes; the value is what they say.";

    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        Self::decode(bytes).map_err(|error| class(&error))
    }

    fn write(&self) -> Vec<u8> {
        self.encode()
    }

    fn id_text(&self) -> String {
        self.id().to_string()
    }
}

impl Kind for Outcome {
    const FILE: &'static str = "outcomes.json";
    const ABOUT: &'static str = "Outcomes. The id is of the bytes; the value is what they say.";

    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        Self::decode(bytes).map_err(|error| class(&error))
    }

    fn write(&self) -> Vec<u8> {
        self.encode()
    }

    fn id_text(&self) -> String {
        self.id().to_string()
    }
}

impl Kind for Receipt {
    const FILE: &'static str = "receipts.json";
    const ABOUT: &'static str = "Receipt files. The id is what is signed; the value is what the file says.";

    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        Self::decode(bytes).map_err(|error| match error {
            ReceiptError::NotAReceipt => "not-a-receipt",
            ReceiptError::Decode(error) => class(&error),
            ReceiptError::BadSignature(_) => "bad-signature",
            _ => "unknown",
        })
    }

    fn write(&self) -> Vec<u8> {
        self.encode()
    }

    fn id_text(&self) -> String {
        self.id().to_string()
    }
}

impl Kind for ChainEntry {
    const FILE: &'static str = "chain.json";
    const ABOUT: &'static str = "A host's chain, in order, then entries to refuse. The id is what is signed.";

    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        Self::decode(bytes).map_err(|error| match error {
            ChainEntryError::Decode(error) => class(&error),
            ChainEntryError::BadSignature(_) => "bad-signature",
            _ => "unknown",
        })
    }

    fn write(&self) -> Vec<u8> {
        self.encode()
    }

    fn id_text(&self) -> String {
        self.id().to_string()
    }
}

impl Kind for Publication {
    const FILE: &'static str = "publications.json";
    const ABOUT: &'static str = "Publications. The id is what is signed.";

    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        Self::decode(bytes).map_err(|error| match error {
            PublicationError::Decode(error) => class(&error),
            PublicationError::BadSignature(_) => "bad-signature",
            _ => "unknown",
        })
    }

    fn write(&self) -> Vec<u8> {
        self.encode()
    }

    fn id_text(&self) -> String {
        self.id().to_string()
    }
}

fn docs() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "..", "docs"].iter().collect()
}

/// Compares the generated vectors with the tree's, or writes them.
fn up_to_date<T: Kind>(vectors: Vec<Vector<T>>) {
    let all = Vectors { about: T::ABOUT.to_owned(), vectors };
    let text = serde_json::to_string_pretty(&all).expect("plain data") + "\n";
    let path = docs().join("receipt/vectors").join(T::FILE);
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, &text).expect("the vectors can be written");
    }
    let found = fs::read_to_string(&path).expect("the vectors are in the tree").replace("\r\n", "\n");
    assert!(found == text, "{} is out of date: run the tests with UPDATE_VECTORS=1", path.display());
    check::<T>(&found);
}

/// Checks every vector of a file.
fn check<T: Kind>(text: &str) {
    let all: Vectors<T> = serde_json::from_str(text).expect("vectors");
    for vector in all.vectors {
        let bytes = HEXLOWER.decode(vector.bytes.as_bytes()).expect("hexadecimal");
        match T::read(&bytes) {
            Ok(value) => {
                assert_eq!(vector.expect, "ok", "{} is accepted", vector.name);
                assert_eq!(vector.id, Some(value.id_text()), "{}", vector.name);
                assert_eq!(value.write(), bytes, "{}", vector.name);
                assert_eq!(vector.value, Some(value), "{}", vector.name);
            }
            Err(class) => {
                assert_eq!(vector.expect, class, "{}", vector.name);
                assert_eq!(vector.releases.as_deref(), Some("nothing"), "{}", vector.name);
                assert!(vector.value.is_none() && vector.id.is_none(), "{}", vector.name);
            }
        }
    }
}

#[test]
fn job_vectors_hold() {
    up_to_date([good::jobs(), bad::jobs()].into_iter().flatten().collect());
}

#[test]
fn outcome_vectors_hold() {
    up_to_date([good::outcomes(), bad::outcomes()].into_iter().flatten().collect());
}

#[test]
fn receipt_vectors_hold() {
    up_to_date([good::receipts(), bad::receipts()].into_iter().flatten().collect());
}

#[test]
fn chain_vectors_hold() {
    up_to_date(chain::entries());
}

#[test]
fn publication_vectors_hold() {
    up_to_date(chain::publications());
}

#[test]
fn the_specification_shows_the_worked_example() {
    let text = fs::read_to_string(docs().join("RECEIPT.md")).expect("the specification is in the tree");
    let (_, block) = text.split_once("```bytes").expect("a block of bytes");
    let (block, _) = block.split_once("```").expect("an end of the block");
    // Each row: offset, bytes, two spaces, meaning.
    let rows = block.lines().filter_map(|line| line.get(6..)?.split("  ").next());
    let shown: String = rows.flat_map(|row| row.chars().filter(char::is_ascii_hexdigit)).collect();
    assert_eq!(shown, HEXLOWER.encode(&crate::samples::receipt().encode()));
}

#[test]
fn the_python_checker_agrees() {
    match Command::new("python3").arg(docs().join("receipt/check.py")).output() {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "python3 is not installed: install it");
            println!("not checked: python3 is not installed");
        }
        Err(error) => panic!("python3 cannot be run: {error}"),
    }
}
