//! Native jobs and their tolerances: what the command line takes, and what `samebit verify` says of other classes of
//! device.

use samebit_runner::spec::{BlobRef, DeviceUsed, Name, Outcome, Receipt, SecretKey};
use serde_json::json;

use crate::guests::CAT;
use crate::support::{Desk, plugin};

/// Signs what `r` holds again, as a host with another device and another output would.
fn forge(desk: &Desk, output: &str, bytes: &[u8]) {
    let receipt = Receipt::decode(&std::fs::read(desk.path("r")).expect("readable")).expect("a receipt");
    let mut outputs = receipt.outcome.outputs;
    outputs.insert(Name::new(output).expect("a name"), BlobRef::of(bytes));
    let mut measured = receipt.measured;
    let text = || "another".to_owned();
    measured.device = Some(DeviceUsed { name: text(), driver: text(), backend: text(), battery: None });
    let outcome = Outcome { outputs, ..receipt.outcome };
    let key = SecretKey::from_bytes(&[7; 32]);
    desk.file("forged", Receipt::sign(receipt.job, outcome, measured, &key).encode());
    desk.file("claimed", bytes);
}

#[test]
fn a_tolerance_is_part_of_the_job() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("in", 1.0_f32.to_le_bytes());
    let native = ["run", "cat.wasm", "-i", "stdin=in", "--profile", "native", "--receipt", "r"];
    let with = |more: &[&'static str]| [native.as_slice(), more].concat();
    desk.samebit("s", &with(&["--tolerance", "stdout=ulp:4"])).exits(0);
    desk.samebit("s", &["inspect", "r"]).exits(0).says(&["tolerance    stdout ulp:4"]);
    let (_, inspected) = desk.json("s", &["inspect", "r"]);
    assert_eq!(inspected["job"]["tolerances"], json!({ "stdout": "ulp:4" }));
    desk.file(
        "job.toml",
        "module = 'cat.wasm'\nprofile = 'native'\ninputs.stdin = 'in'\ntolerances.stdout = 'ulp:4'\n",
    );
    let (_, of_file) = desk.json("s", &["inspect", "job.toml"]);
    assert_eq!(of_file["job"], inspected["job"], "the same job, written down");
    let (_, over) = desk.json("s", &["run", "job.toml", "--tolerance", "stdout=ulp:5"]);
    assert_ne!(over["job"], inspected["job"]["id"], "a flag replaces the file's");

    for (wrong, why) in [
        ("stdout", "NAME=TOLERANCE"),
        ("stdout=ulp:x", "not a tolerance"),
        ("stdout=absolute:-1", "0 or more"),
        ("../x=ulp:1", "not a name"),
    ] {
        desk.samebit("s", &with(&["--tolerance", wrong])).exits(2).says(&[why]);
    }
    desk.samebit("s", &with(&["--tolerance", "a=ulp:1", "--tolerance", "a=ulp:2"])).exits(2).says(&["two tolerances"]);
    desk.samebit("s", &with(&["--tolerance", "stdout=compare"])).exits(2).says(&["exports no `compare"]);
    let exact = ["run", "cat.wasm", "-i", "stdin=in", "--tolerance", "stdout=ulp:4"];
    desk.samebit("s", &exact).exits(2).says(&["output stdout has a tolerance, but the profile is exact"]);
}

#[test]
fn the_answer_says_how_it_compared() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("in", 1.0_f32.to_le_bytes());
    let run = ["run", "cat.wasm", "-i", "stdin=in", "--profile", "native", "--receipt", "r"];
    desk.samebit("s", &[run.as_slice(), &["--tolerance", "stdout=ulp:4"]].concat()).exits(0);
    let (code, value) = desk.json("s", &["verify", "r"]);
    assert_eq!((code, &value["comparison"]["kind"]), (0, &json!("bitwise")));

    forge(&desk, "stdout", &1.0_f32.next_up().to_le_bytes());
    desk.samebit("s", &["verify", "forged"]).exits(3).says(&["unchecked", "--output stdout=FILE"]);
    let with_claimed = ["verify", "forged", "--output", "stdout=claimed"];
    desk.samebit("s", &with_claimed).exits(0).says(&["match", "within what the job declares", "by 1 ULP at most"]);
    let (_, value) = desk.json("s", &with_claimed);
    assert_eq!((&value["verdict"], &value["comparison"]["kind"]), (&json!("match"), &json!("declared")));
    assert_eq!(value["comparison"]["outputs"]["stdout"]["largest"], "1 ULP");

    forge(&desk, "stdout", &1.5_f32.to_le_bytes());
    desk.samebit("s", &with_claimed).exits(1).says(&["mismatch", "not within ulp:4", "claimed 1.5, replayed 1.0"]);
    let (_, value) = desk.json("s", &with_claimed);
    assert_eq!((&value["difference"]["kind"], &value["comparison"]), (&json!("beyond"), &json!(null)));
}

#[test]
fn a_module_compares_its_own_outputs() {
    let desk = Desk::new();
    let module = plugin("testing/ok_compare.wasm");
    let run = ["run", &module, "--arg", "abc", "--profile", "native", "--receipt", "r"];
    desk.samebit("s", &[run.as_slice(), &["--tolerance", "out=compare"]].concat()).exits(0);
    let with_claimed = ["verify", "forged", "--output", "out=claimed"];
    forge(&desk, "out", b"cab");
    desk.samebit("s", &with_claimed).exits(0).says(&["match", "output       out is the same, says the module's own"]);
    assert_eq!(desk.json("s", &with_claimed).1["comparison"]["outputs"]["out"], json!({ "by": "compare" }));
    forge(&desk, "out", b"xyz");
    desk.samebit("s", &with_claimed).exits(1).says(&["mismatch", "output out has other bytes"]);
    assert_eq!(desk.json("s", &with_claimed).1["difference"]["kind"], "refused");
}

#[test]
fn the_example_compares_ranks() {
    let desk = Desk::new();
    let floats = |numbers: [f32; 3]| numbers.map(f32::to_le_bytes).concat();
    desk.file("numbers", floats([0.0, 4.0, 1.0]));
    let run = ["run", &plugin("ranking.wasm"), "--input", "numbers=numbers", "--profile", "native"];
    desk.samebit("s", &[run.as_slice(), &["--tolerance", "scores=compare", "--receipt", "r"]].concat()).exits(0);
    let with_claimed = ["verify", "forged", "--output", "scores=claimed"];
    forge(&desk, "scores", &floats([0.500_01, 0.98, 0.73]));
    desk.samebit("s", &with_claimed).exits(0).says(&["match", "scores is the same, says the module's own"]);
    forge(&desk, "scores", &floats([0.5, 0.73, 0.98]));
    desk.samebit("s", &with_claimed).exits(1).says(&["mismatch", "number 2 was claimed to be ahead of number 1"]);
}
