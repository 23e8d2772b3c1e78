//! `samebit verify --from`: what is fetched for a check, and what is not. Everything stays on loopback.

use samebit_runner::spec::{BlobRef, DeviceUsed, Name, Outcome, Receipt, SecretKey};
use serde_json::json;

use crate::guests::CAT;
use crate::hosting::Host;
use crate::support::{Desk, Done};

/// A host's ticket that leads nowhere: the host is gone.
fn gone(desk: &Desk) -> String {
    let host = Host::start(desk, "gone", &[]);
    let ticket = host.ticket().to_owned();
    host.kill();
    ticket
}

/// Verifies, and says whether the network was touched.
fn verify(desk: &Desk, store: &str, args: &[&str]) -> (Done, bool) {
    let mut command = desk.command(store, &[&["verify", "--offline"], args].concat());
    command.env("SAMEBIT_LOG", "iroh=trace");
    let done = Done::of(command.output().expect("the program starts"));
    let touched = done.stderr.contains("iroh");
    (done, touched)
}

#[test]
fn nothing_is_fetched_that_is_there_or_given() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("in.txt", "some text");
    desk.samebit("s", &["run", "cat.wasm", "-i", "stdin=in.txt", "--receipt", "r"]).exits(0);
    let gone = gone(&desk);
    let (done, touched) = verify(&desk, "v", &["r", "--from", &gone, "-m", "cat.wasm", "-i", "stdin=in.txt"]);
    assert!(!touched, "both are given: {:?}", done.exits(0));
    let (done, touched) = verify(&desk, "s", &["r", "--from", &gone]);
    assert!(!touched, "the store has both: {:?}", done.exits(0));
    // With one of them missing it is touched, and to no avail.
    let (done, touched) = verify(&desk, "w", &["r", "--from", &gone, "-m", "cat.wasm"]);
    assert!(touched);
    done.exits(3).says(&["unchecked", &blake3::hash(b"some text").to_string()]);
}

/// Signs what `r` holds again, as a host with another device and another output would.
fn forge(desk: &Desk, bytes: &[u8]) {
    let receipt = Receipt::decode(&std::fs::read(desk.path("r")).expect("readable")).expect("a receipt");
    let outputs = [(Name::new("stdout").expect("a name"), BlobRef::of(bytes))].into();
    let text = || "another".to_owned();
    let device = Some(DeviceUsed { name: text(), driver: text(), backend: text(), battery: None });
    let measured = samebit_runner::spec::Measured { device, ..receipt.measured };
    let outcome = Outcome { outputs, ..receipt.outcome };
    let key = SecretKey::from_bytes(&[7; 32]);
    desk.file("forged", Receipt::sign(receipt.job, outcome, measured, &key).encode());
}

#[test]
fn claimed_outputs_are_fetched_where_a_tolerance_needs_them() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("in", 1.0_f32.to_le_bytes());
    let run = ["run", "cat.wasm", "-i", "stdin=in", "--profile", "native", "--receipt", "r"];
    desk.samebit("v", &[run.as_slice(), &["--tolerance", "stdout=ulp:4"]].concat()).exits(0);
    let near = 1.0_f32.next_up().to_le_bytes();
    desk.file("near", near);
    let host = Host::start(&desk, "host", &[]);
    desk.samebit("host", &["publish", "near"]).exits(0);

    forge(&desk, &near);
    let (done, touched) = verify(&desk, "v", &["forged"]);
    assert!(!touched);
    done.exits(3).says(&["unchecked", "--output stdout=FILE"]);
    let from = ["forged", "--from", host.ticket(), "--json"];
    let (done, _) = verify(&desk, "v", &from);
    let value: serde_json::Value = serde_json::from_str(&done.exits(0).stdout).expect("JSON");
    assert_eq!((&value["verdict"], &value["comparison"]["kind"]), (&json!("match"), &json!("declared")));

    // To the bit there is nothing to compare, and of another length it is decided without.
    forge(&desk, &1.0_f32.to_le_bytes());
    let (done, touched) = verify(&desk, "v", &from);
    assert!(!touched, "{:?}", done.exits(0));
    forge(&desk, &[0; 8]);
    let (done, touched) = verify(&desk, "v", &from);
    assert!(!touched, "{:?}", done.exits(1));
    // What nobody has cannot be compared.
    forge(&desk, &1.5_f32.to_le_bytes());
    let (done, touched) = verify(&desk, "v", &from);
    assert!(touched);
    done.exits(3).says(&["cannot be had"]);
}
