//! `samebit verify`: one receipt, and everything that can be wrong around it.

use serde_json::json;

use crate::guests::CAT;
use crate::support::Desk;

/// A desk with a module, an input, its output and a receipt signed in store `host`.
fn signed() -> Desk {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("in.txt", "some text");
    let args = ["run", "cat.wasm", "-i", "stdin=in.txt", "--out", "out", "--receipt", "cat.receipt"];
    desk.samebit("host", &args).exits(0);
    desk
}

const GIVEN: [&str; 6] = ["verify", "cat.receipt", "--module", "cat.wasm", "--input", "stdin=in.txt"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [GIVEN.as_slice(), more].concat()
}

#[test]
fn a_receipt_matches_in_another_store() {
    let desk = signed();
    desk.samebit("verifier", &GIVEN).exits(0).says(&["match: the outcome is the same, bit for bit"]);
    // From then on the store has what it was given.
    desk.samebit("verifier", &["verify", "cat.receipt", "--outputs", "out"]).exits(0).says(&["match"]);
    let (code, value) = desk.json("verifier", &GIVEN);
    assert_eq!((code, &value["verdict"]), (0, &json!("match")));
    assert_eq!(value["claimed"]["id"], value["replayed"]["id"]);
    assert_eq!((&value["difference"], &value["reason"]), (&json!(null), &json!(null)));
}

#[test]
fn a_receipt_of_the_store_is_named_by_its_id() {
    let desk = signed();
    let (_, value) = desk.json("host", &["inspect", "cat.receipt"]);
    let id = value["id"].as_str().expect("an id");
    desk.samebit("host", &["verify", id]).exits(0).says(&["match"]);
    desk.samebit("other", &["verify", id]).exits(2).says(&["no receipt of this id"]);
}

#[test]
fn a_flipped_output_is_a_mismatch_with_its_byte() {
    let desk = signed();
    desk.flip("out/stdout", 5);
    for args in [with(&["--output", "stdout=out/stdout"]), with(&["--outputs", "out"])] {
        desk.samebit("verifier", &args).exits(1).says(&[
            "mismatch",
            "out/stdout",
            "byte 5: claimed 0x75, replayed 0x74",
        ]);
    }
    let (code, value) = desk.json("verifier", &with(&["--outputs", "out"]));
    assert_eq!((code, &value["verdict"], &value["file"]), (1, &json!("mismatch"), &json!("out/stdout")));
    assert_eq!(value["difference"]["byte"], json!({ "offset": 5, "claimed": 0x75, "replayed": 0x74 }));
    desk.samebit("verifier", &with(&["--output", "other=out/stdout"])).exits(1).says(&["mismatch", "other"]);
    desk.samebit("verifier", &with(&["--output", "stdout=gone"])).exits(2).says(&["gone"]);
}

#[test]
fn a_flipped_input_or_module_is_refused_by_name() {
    let desk = signed();
    desk.flip("in.txt", 0);
    let done = desk.samebit("verifier", &GIVEN).exits(3).says(&["unchecked", "input stdin", "in.txt"]);
    let hash = |bytes: &[u8]| blake3::hash(bytes).to_string();
    done.says(&[&hash(b"some text"), &hash(b"rome text")]);
    desk.flip("in.txt", 0);
    desk.flip("cat.wasm", 20);
    desk.samebit("verifier", &GIVEN).exits(3).says(&["unchecked", "the module", "cat.wasm"]);
    let (code, value) = desk.json("verifier", &GIVEN);
    assert_eq!((code, &value["verdict"]), (3, &json!("unchecked")));
    assert!(value["reason"].as_str().is_some_and(|reason| reason.contains("the module")), "{value}");
}

#[test]
fn no_flipped_bit_of_a_receipt_goes_unnoticed() {
    let desk = signed();
    let length = std::fs::read(desk.path("cat.receipt")).expect("readable").len();
    // Every byte takes too long with a process each; these are the first, the last, and some of every part between.
    for at in (0..length).step_by(length / 20).chain([length - 1]) {
        desk.flip("cat.receipt", at);
        let done = desk.samebit("host", &["verify", "cat.receipt"]).exits(2);
        assert!(done.stderr.contains("not a receipt") || done.stderr.contains("bad signature"), "byte {at}: {done:?}");
        desk.flip("cat.receipt", at);
    }
    desk.samebit("host", &["verify", "cat.receipt"]).exits(0);
}

#[test]
fn other_files_are_no_receipts() {
    let desk = signed();
    desk.file("empty", "");
    desk.file("huge", vec![0; 3 << 20]);
    let receipt = std::fs::read(desk.path("cat.receipt")).expect("readable");
    desk.file("long", [&receipt, b"x".as_slice()].concat());
    desk.file("short", &receipt[..receipt.len() - 1]);
    for name in ["empty", "huge", "long", "short", "cat.wasm", "gone", "."] {
        desk.samebit("host", &["verify", name]).exits(2).says(&["error:"]);
    }
    let (code, value) = desk.json("host", &["verify", "empty"]);
    assert_eq!((code, &value["error"]["kind"]), (2, &json!("receipt")));
}

#[test]
fn what_is_missing_is_named_with_its_hash() {
    let desk = signed();
    let input = blake3::hash(b"some text").to_string();
    desk.samebit("verifier", &["verify", "cat.receipt"]).exits(3).says(&[
        "unchecked",
        "the module (",
        &format!("input stdin ({input})"),
    ]);
    desk.samebit("verifier", &["verify", "cat.receipt", "-i", "other=in.txt"]).exits(2).says(&["no input other"]);
    desk.samebit("verifier", &with(&["--limit-wall-s", "0"])).exits(2);
}

#[test]
fn a_damaged_store_is_noticed() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("in.bin", vec![42; 100_000]);
    desk.samebit("host", &["run", "cat.wasm", "-i", "stdin=in.bin", "--receipt", "r"]).exits(0);
    // The input's and the output's bytes are the same blob.
    let blob = blake3::hash(&[42; 100_000]);
    desk.flip(&format!("host/files/{blob}"), 50_000);
    desk.samebit("host", &["verify", "r"]).exits(3).says(&["unchecked", "input stdin", "damaged"]);
    let args = ["verify", "r", "-i", "stdin=in.bin"];
    desk.samebit("host", &args).exits(0).says(&["match"]);
}
