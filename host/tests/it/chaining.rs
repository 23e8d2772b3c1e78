//! `samebit receipts`: a host's chain, pulled and checked by anybody.

use serde_json::Value;

use crate::guests::{EMPTY, TRAP};
use crate::hosting::Host;
use crate::support::Desk;

#[test]
fn a_chain_is_pulled_checked_and_held_against_what_it_was() {
    let desk = Desk::new();
    desk.module("empty.wasm", EMPTY);
    desk.module("trap.wasm", TRAP);
    let host = Host::start(&desk, "host", &["--allow", "any"]);
    let pull = |more: &[&str]| {
        let line = ["receipts", "--offline", "--host", host.ticket()];
        desk.samebit("reader", &[&line[..], more].concat())
    };
    pull(&[]).exits(0).says(&["unbroken, 0 receipts"]);
    let submit = |module, code| {
        desk.samebit("author", &["submit", module, "--offline", "--host", host.ticket()]).exits(code);
    };
    submit("empty.wasm", 0);
    let first: Value = serde_json::from_str(&pull(&["--json"]).exits(0).stdout).expect("JSON");
    submit("trap.wasm", 1);
    let head = first["head"].as_str().expect("a head");
    let second = pull(&["--json", "--after", head, "--out", "chain"]).exits(0);
    let second: Value = serde_json::from_str(&second.stdout).expect("JSON");
    assert_eq!(
        (second["entries"][0].clone(), second["entries"][1]["sequence"].as_u64()),
        (first["entries"][0].clone(), Some(1))
    );
    // What was written are receipts, which verify.
    let verify = ["verify", "chain/1.receipt", "--offline", "--from", host.ticket()];
    desk.samebit("reader", &verify).exits(0).says(&["match"]);
    // A head that the chain never had.
    let other = second["entries"][0]["receipt"].as_str().expect("an id");
    pull(&["--after", other]).exits(1).says(&["is no entry of it"]);
    // Its own user names no host.
    desk.samebit("host", &["receipts"]).exits(0).says(&["unbroken, 2 receipts"]);
    desk.samebit("reader", &["receipts"]).exits(2).says(&["no host is named"]);
}
