//! `samebit submit` to many hosts. Everything stays on loopback.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::guests::{CAT, EMPTY};
use crate::hosting::Host;
use crate::support::{Desk, Done};

/// `submit` to hosts.
fn submit<'a>(hosts: &[&'a Host], args: &[&'a str]) -> Vec<&'a str> {
    let hosts = hosts.iter().flat_map(|host| ["--host", host.ticket()]);
    ["submit", args[0], "--offline"].into_iter().chain(hosts).chain(args[1..].iter().copied()).collect()
}

fn hosts<const N: usize>(desk: &Desk) -> [Host; N] {
    std::array::from_fn(|at| Host::start(desk, &format!("host{at}"), &["--allow", "any", "--jobs", "1"]))
}

/// How many jobs a host has done.
fn done(desk: &Desk, store: &str) -> u64 {
    let (code, status) = desk.json(store, &["host", "status"]);
    assert_eq!(code, 0, "{status}");
    status["done"].as_u64().expect("a number")
}

#[test]
fn an_array_is_spread_over_hosts_and_each_output_is_at_its_place() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    std::fs::create_dir(desk.path("in")).expect("made");
    for name in 0..12 {
        desk.file(&format!("in/{name}.txt"), format!("text {name}"));
    }
    let hosts: [Host; 3] = hosts(&desk);
    let order = ["cat.wasm", "--each", "in", "--out", "out", "--receipts", "receipts"];
    let (code, value) = desk.json("author", &submit(&hosts.each_ref(), &order));
    assert_eq!((code, &value["done"]), (0, &json!(12)), "{value}");
    for name in 0..12 {
        let out = std::fs::read_to_string(desk.path(&format!("out/{name}.txt/stdout"))).expect("written");
        assert_eq!(out, format!("text {name}"));
    }
    assert!((0..3).all(|host| done(&desk, &format!("host{host}")) > 0), "{value}");
    assert_eq!((0..3).map(|host| done(&desk, &format!("host{host}"))).sum::<u64>(), 12);
    desk.samebit("author", &["verify", "receipts/7.txt.receipt", "--outputs", "out/7.txt"]).exits(0).says(&["match"]);
}
