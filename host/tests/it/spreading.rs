//! `samebit submit` to many hosts. Everything stays on loopback.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::guests::{CAT, EMPTY, EXIT_7, SPIN};
use crate::hosting::{Host, LONG, PATIENCE};
use crate::liar::{Liar, Lie};
use crate::support::{Desk, Done};

/// `submit` to hosts by their tickets.
fn submit<'a>(tickets: &[&'a str], args: &[&'a str]) -> Vec<&'a str> {
    let hosts = tickets.iter().flat_map(|ticket| ["--host", ticket]);
    ["submit", args[0], "--offline"].into_iter().chain(hosts).chain(args[1..].iter().copied()).collect()
}

/// Hosts that run one job at a time, on stores `host0`, `host1`, …
fn hosts<const N: usize>(desk: &Desk) -> [Host; N] {
    std::array::from_fn(|at| start(desk, &format!("host{at}")))
}

fn start(desk: &Desk, store: &str) -> Host {
    Host::start(desk, store, &["--allow", "any", "--jobs", "1"])
}

/// How many jobs a host has done.
fn done(desk: &Desk, store: &str) -> u64 {
    let (code, status) = desk.json(store, &["host", "status"]);
    assert_eq!(code, 0, "{status}");
    status["done"].as_u64().expect("a number")
}

/// Waits for something that must come.
fn wait(mut comes: impl FnMut() -> bool) {
    let began = Instant::now();
    while !comes() {
        assert!(began.elapsed() < PATIENCE, "it does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn interrupt(child: Child) -> Done {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    Done::of(child.wait_with_output().expect("it ends"))
}

/// The receipts' ids of every job in an answer.
fn receipts(value: &Value) -> Vec<Vec<String>> {
    let of = |job: &Value| {
        let receipts = job["receipts"].as_array().expect("receipts");
        receipts.iter().map(|receipt| receipt["id"].as_str().expect("an id").to_owned()).collect()
    };
    value["jobs"].as_array().expect("jobs").iter().map(of).collect()
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
    let (code, value) = desk.json("author", &submit(&hosts.each_ref().map(Host::ticket), &order));
    assert_eq!((code, &value["ok"]), (0, &json!(12)), "{value}");
    for name in 0..12 {
        let out = std::fs::read_to_string(desk.path(&format!("out/{name}.txt/stdout"))).expect("written");
        assert_eq!(out, format!("text {name}"));
    }
    let counts = [0, 1, 2].map(|host| done(&desk, &format!("host{host}")));
    assert!(counts.iter().all(|count| *count > 0) && counts.iter().sum::<u64>() == 12, "{counts:?}");
    desk.samebit("author", &["verify", "receipts/7.txt.receipt", "--outputs", "out/7.txt"]).exits(0).says(&["match"]);
}

#[test]
fn lines_and_numbers_make_jobs_and_failures_are_outcomes() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.module("exit.wasm", EXIT_7);
    desk.file("lines.txt", "one\n\ntwo");
    let [host] = hosts(&desk);
    let at = [host.ticket()];
    let lines = ["cat.wasm", "--each", "stdin=lines.txt", "--out", "out"];
    desk.samebit("author", &submit(&at, &lines)).exits(0).says(&["done", "2 jobs"]);
    assert_eq!(std::fs::read(desk.path("out/3/stdout")).expect("written"), b"two");
    assert_eq!(desk.names("out"), ["1", "3"]);
    let numbers = ["exit.wasm", "--each", "-1..=1"];
    desk.samebit("author", &submit(&at, &numbers)).exits(1).says(&[
        "3 of which failed",
        "job -1: exited with code",
        "job 1",
    ]);
}

#[test]
fn a_host_that_is_killed_leaves_its_jobs_to_the_others() {
    let desk = Desk::new();
    desk.module("long.wasm", LONG);
    let [first, second, third] = hosts(&desk);
    let order = submit(
        &[first.ticket(), second.ticket(), third.ticket()],
        &["long.wasm", "--each", "0..24", "--json", "--receipts", "receipts"],
    );
    let array = desk.start("author", &order);
    wait(|| done(&desk, "host0") > 0);
    first.kill();
    let ended = Done::of(array.wait_with_output().expect("it ends")).exits(0).says(&["gets no more jobs"]);
    let value: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(value["ok"], 24, "{value}");
    assert_eq!(desk.names("receipts").len(), 24);
    let dropped = value["hosts"].as_array().expect("hosts").iter().filter(|host| host["dropped"].is_string());
    assert_eq!(dropped.count(), 1, "{value}");
}

#[test]
fn an_interrupted_array_goes_on_where_it_was_and_does_nothing_twice() {
    let desk = Desk::new();
    desk.module("long.wasm", LONG);
    let host = start(&desk, "host0");
    let common = ["long.wasm", "--each", "0..6", "--state", "state", "--receipts", "receipts"];
    let array = desk.start("author", &submit(&[host.ticket()], &common));
    wait(|| !desk.names("receipts").is_empty());
    interrupt(array).exits(130).says(&["interrupted", "of 6 jobs done", "state"]);
    let before = desk.names("receipts");
    assert!((1..6).contains(&before.len()), "{before:?}");
    host.kill();
    // Another host: whatever it does was not done before.
    let host = start(&desk, "host1");
    let (code, value) = desk.json("author", &submit(&[host.ticket()], &common));
    assert_eq!((code, &value["ok"]), (0, &json!(6)), "{value}");
    let written = std::fs::read_to_string(desk.path("state")).expect("text");
    let noted = written.lines().filter(|line| line.contains("\"receipt\"")).count();
    assert_eq!(noted, 6, "each job has one receipt");
    assert!(done(&desk, "host1") <= 6 - before.len() as u64, "{before:?} were done");
    assert_eq!(desk.names("receipts").len(), 6);
    // Now nobody is needed any more.
    let ticket = host.ticket().to_owned();
    host.kill();
    let (code, again) = desk.json("author", &submit(&[&ticket], &common));
    assert_eq!((code, receipts(&again)), (0, receipts(&value)));
    let other = ["long.wasm", "--each", "0..7", "--state", "state", "--receipts", "receipts"];
    desk.samebit("author", &submit(&[&ticket], &other)).exits(2).says(&["another array"]);
}

#[test]
fn replicas_find_the_host_that_signs_what_is_not_so() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("lines.txt", "one\ntwo\nthree");
    let [first, second] = hosts(&desk);
    let liar = Liar::start(&desk, "liar", Lie::Nothing);
    let honest = [first.ticket(), second.ticket()];
    let all = [liar.ticket(), first.ticket(), second.ticket()];
    let order = ["cat.wasm", "--each", "lines.txt", "--out", "out", "--receipts", "receipts", "--replicas"];
    let (code, value) = desk.json("author", &submit(&honest, &[order.as_slice(), &["2"]].concat()));
    assert_eq!((code, &value["ok"]), (0, &json!(3)), "{value}");
    assert_eq!(desk.names("receipts").len(), 6, "one of each host");
    let (code, value) = desk.json("other", &submit(&all, &[order.as_slice(), &["3"]].concat()));
    assert_eq!((code, &value["differing"]), (1, &json!(3)), "{value}");
    assert_eq!(value["jobs"][0]["differing_hosts"], json!([Liar::key()]), "{value}");
    assert_eq!(std::fs::read(desk.path("out/2/stdout")).expect("by the majority"), b"two");
    let tie = [liar.ticket(), first.ticket()];
    let order = ["cat.wasm", "--each", "lines.txt", "--out", "tied", "--replicas", "2"];
    let said = desk.samebit("third", &submit(&tie, &order)).exits(1).says(&["no outcome has a majority", &Liar::key()]);
    assert!(desk.names("tied").is_empty(), "nobody knows which is right: {said:?}");
    desk.samebit("third", &submit(&all, &[&order[..6], &["4"]].concat())).exits(2).says(&["only 3"]);
}

#[test]
fn hosts_that_are_unable_or_gone_are_left_out_by_name() {
    let desk = Desk::new();
    desk.module("empty.wasm", EMPTY);
    desk.file("policy.toml", "submitters.allow = ['any']\njob.limits = { fuel = '1k' }");
    let able = start(&desk, "host0");
    let strict = Host::start(&desk, "strict", &["--policy", "policy.toml"]);
    let closed = Host::start(&desk, "closed", &[]);
    let all = [strict.ticket(), closed.ticket(), able.ticket()];
    let said = desk.samebit("author", &submit(&all, &["empty.wasm", "--each", "0..5"]));
    said.exits(0).says(&["does not allow the job's limits", "submitters.allow", "5 jobs"]);
    let said = desk.samebit("author", &submit(&all[..2], &["empty.wasm", "--each", "0..5"]));
    said.exits(3).says(&["unfinished", "5 missing"]);
    desk.samebit("author", &["submit", "empty.wasm", "--each", "0..5"]).exits(2).says(&["no host is named"]);
    desk.samebit("author", &["submit", "empty.wasm", "--hosts", "any"]).exits(2).says(&["samebit host --peer"]);
    let wrong = submit(&all[2..], &["empty.wasm", "--each", "0..5", "--receipt", "r"]);
    desk.samebit("author", &wrong).exits(2).says(&["--receipts DIR"]);
}

#[test]
fn hosts_are_found_by_what_they_announce() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("lines.txt", "one\ntwo\nthree\nfour");
    let first = Host::start(&desk, "host0", &["--allow", "any", "--announce"]);
    let second = Host::start(&desk, "host1", &["--allow", "any", "--announce", "--peer", first.ticket()]);
    let _own = Host::start(&desk, "author", &["--peer", first.ticket()]);
    wait(|| desk.json("author", &["peers"]).1["peers"].as_array().expect("peers").len() == 2);
    let order = ["submit", "cat.wasm", "--offline", "--each", "lines.txt", "--out", "out", "--hosts"];
    let (code, value) = desk.json("author", &[order.as_slice(), &["any"]].concat());
    assert_eq!((code, &value["ok"]), (0, &json!(4)), "{value}");
    assert_eq!(value["hosts"].as_array().expect("hosts").len(), 2, "{value}");
    assert_eq!(std::fs::read(desk.path("out/3/stdout")).expect("written"), b"three");
    let (code, value) = desk.json("author", &[order.as_slice(), &["1"]].concat());
    assert_eq!((code, value["hosts"].as_array().expect("hosts").len()), (0, 1), "{value}");
    drop((first, second));
}

#[test]
fn a_job_goes_to_the_host_that_has_its_input() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    std::fs::create_dir(desk.path("in")).expect("made");
    for name in ["a", "b", "c", "d"] {
        desk.file(&format!("in/{name}"), name.repeat(1 << 20));
    }
    let [first, second] = hosts(&desk);
    // The first takes the others first, if it does not know better.
    for name in ["c", "d"] {
        let input = format!("stdin=in/{name}");
        desk.samebit("author", &submit(&[first.ticket()], &["cat.wasm", "--input", &input])).exits(0);
    }
    let order = ["cat.wasm", "--each", "in", "--arg", "again"];
    let (code, value) = desk.json("author", &submit(&[first.ticket(), second.ticket()], &order));
    assert_eq!(code, 0, "{value}");
    let (_, list) = desk.json("host0", &["jobs", "list"]);
    let ids = list["jobs"].as_array().expect("jobs").iter().map(|job| job["job"].clone()).collect::<Vec<_>>();
    for label in ["c", "d"] {
        let job = value["jobs"].as_array().expect("jobs").iter().find(|job| job["label"] == label).expect("the job");
        assert!(ids.contains(&job["job"]), "{label} went elsewhere: {value} {list}");
    }
}

#[test]
fn a_host_that_takes_too_long_is_not_waited_for() {
    let desk = Desk::new();
    desk.module("spin.wasm", SPIN);
    desk.module("empty.wasm", EMPTY);
    let [slow, fast] = hosts(&desk);
    // Nothing else gets its turn there.
    let order = submit(&[slow.ticket()], &["spin.wasm", "--limit-fuel", "900G", "--detach"]);
    desk.samebit("other", &order).exits(0);
    let order = ["empty.wasm", "--each", "0..4", "--try-s", "10"];
    let said = desk.samebit("author", &submit(&[slow.ticket(), fast.ticket()], &order));
    said.exits(0).says(&["4 jobs", "it took longer than 10 s"]);
}

#[test]
fn a_host_that_hands_out_nothing_gets_nothing_more() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("lines.txt", "one\ntwo\nthree\nfour\nfive\nsix");
    let [host] = hosts(&desk);
    let liar = Liar::start(&desk, "liar", Lie::Withheld);
    let order = ["cat.wasm", "--each", "lines.txt", "--out", "out"];
    let (code, value) = desk.json("author", &submit(&[liar.ticket(), host.ticket()], &order));
    assert_eq!((code, &value["ok"]), (0, &json!(6)), "{value}");
    assert_eq!(std::fs::read(desk.path("out/6/stdout")).expect("written"), b"six");
    let hosts = value["hosts"].as_array().expect("hosts");
    let liar = hosts.iter().find(|host| host["host"] == Liar::key()).expect("the liar");
    assert!(liar["dropped"].as_str().expect("a reason").contains("does not hand out"), "{value}");
}

#[test]
fn an_array_goes_to_this_users_own_host_if_none_is_named() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("lines.txt", "one\ntwo");
    let own = Host::start(&desk, "own", &[]);
    let order = ["submit", "cat.wasm", "--offline", "--each", "lines.txt", "--out", "out", "--receipts", "receipts"];
    desk.samebit("own", &order).exits(0).says(&["2 jobs over 1 host"]);
    assert_eq!(std::fs::read(desk.path("out/2/stdout")).expect("written"), b"two");
    desk.samebit("own", &[&order[..], &["--hosts", "any"]].concat()).exits(2).says(&["samebit peers"]);
    drop(own);
    desk.samebit("own", &["verify", "receipts/2.receipt", "--outputs", "out/2"]).exits(0);
}
