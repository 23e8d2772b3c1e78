//! `samebit host`, and the commands that speak to one. Everything stays on loopback.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::guests::{CAT, EMPTY, SPIN, TRAP};
use crate::support::{Desk, Done};

/// Counts for about a second in a build without optimization, then ends.
pub(crate) const LONG: &str = r#"(module (memory (export "memory") 1) (func (export "_start") (local $n i64)
    (loop $l (local.set $n (i64.add (local.get $n) (i64.const 1)))
        (br_if $l (i64.lt_u (local.get $n) (i64.const 400000000))))))"#;

/// How long anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A host of its own process. Killed when this is dropped.
pub(crate) struct Host {
    child: Child,
    up: Value,
}

impl Host {
    /// Starts a host on a store, and waits until it is up.
    pub(crate) fn start(desk: &Desk, store: &str, args: &[&str]) -> Self {
        Self::start_online(desk, store, &[&["--offline"], args].concat())
    }

    /// The same, of a host that speaks to whom it is told to.
    pub(crate) fn start_online(desk: &Desk, store: &str, args: &[&str]) -> Self {
        let args = [&["host", "--json"], args].concat();
        let log = std::fs::File::create(desk.path(&format!("{store}.log"))).expect("a log");
        let mut child =
            desk.command(store, &args).stdout(Stdio::piped()).stderr(log).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut text = String::new();
        while !text.ends_with("\n}\n") {
            if lines.read_line(&mut text).expect("text") == 0 {
                let log = std::fs::read_to_string(desk.path(&format!("{store}.log"))).expect("a log");
                panic!("the host ended: {text}{log}");
            }
        }
        Self { child, up: serde_json::from_str(&text).expect("JSON") }
    }

    /// How others reach it.
    pub(crate) fn ticket(&self) -> &str {
        self.up["ticket"].as_str().expect("a ticket")
    }

    /// Its key.
    pub(crate) fn key(&self) -> &str {
        self.up["host"].as_str().expect("a key")
    }

    /// Asks it to end.
    fn terminate(mut self) -> i32 {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill").success());
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end");
    }

    /// Kills it at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn submit<'a>(host: &'a Host, args: &[&'a str]) -> Vec<&'a str> {
    [&["submit", args[0], "--offline", "--host", host.ticket()], &args[1..]].concat()
}

fn count(desk: &Desk, store: &str, state: &str) -> usize {
    let (code, value) = desk.json(store, &["jobs", "list"]);
    assert_eq!(code, 0, "{value}");
    value["jobs"].as_array().expect("jobs").iter().filter(|job| job["state"] == state).count()
}

/// Waits until the host's jobs are so.
fn wait_for(desk: &Desk, store: &str, state: &str, wanted: usize) {
    let began = Instant::now();
    while count(desk, store, state) < wanted {
        assert!(began.elapsed() < PATIENCE, "{:?}", desk.json(store, &["jobs", "list"]));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_job_runs_on_a_host_and_is_verified_from_a_third_store() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("in.bin", vec![7; 3 << 20]);
    let host = Host::start(&desk, "host", &["--allow", "any"]);
    let order = ["cat.wasm", "-i", "stdin=in.bin", "--out", "out", "--receipt", "cat.receipt", "--wait"];
    desk.samebit("author", &submit(&host, &order)).exits(0).says(&["is accepted", "running", "out/stdout"]);
    assert!(std::fs::read(desk.path("out/stdout")).expect("written") == vec![7; 3 << 20]);
    // The author may be gone: the host has what the receipt names.
    let verify = ["verify", "cat.receipt", "--offline", "--from", host.ticket(), "--outputs", "out"];
    desk.samebit("verifier", &verify).exits(0).says(&["match"]);
    desk.samebit("author", &["verify", "cat.receipt"]).exits(0).says(&["match"]);
    let again = desk.samebit("author", &submit(&host, &order)).exits(0).says(&["is known there"]);
    let (_, first) = desk.json("author", &["inspect", "cat.receipt"]);
    assert!(again.stdout.contains(first["id"].as_str().expect("an id")), "one job has one receipt: {again:?}");
    assert_eq!(host.terminate(), 0);
    desk.samebit("host", &["verify", first["id"].as_str().expect("an id")]).exits(0);
}

#[test]
fn what_is_not_allowed_is_refused_by_name_and_nothing_is_fetched() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("in.txt", "some text");
    let host = Host::start(&desk, "host", &[]);
    let order = ["cat.wasm", "-i", "stdin=in.txt"];
    desk.samebit("author", &submit(&host, &order)).exits(2).says(&["submitters.allow"]);
    drop(host);
    let (_, key) = desk.json("author", &["key", "show"]);
    desk.file(
        "policy.toml",
        format!("submitters.allow = ['{}']\njob.input-bytes = '8KiB'", key["public"].as_str().expect("a key")),
    );
    let host = Host::start(&desk, "host", &["--policy", "policy.toml"]);
    desk.samebit("author", &submit(&host, &order)).exits(0);
    desk.file("in.txt", vec![0; 9 << 10]);
    desk.samebit("author", &submit(&host, &order)).exits(2).says(&["job.input-bytes"]);
    desk.samebit("stranger", &submit(&host, &order)).exits(2).says(&["submitters.allow"]);
    assert!(desk.names("host/index/data").iter().all(|name| !name.contains(&blake3::hash(&[0; 9 << 10]).to_string())));
}

#[test]
fn a_program_on_this_machine_uses_the_host_that_holds_the_store() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.module("trap.wasm", TRAP);
    desk.file("in.txt", "some text");
    desk.samebit("s", &["submit", "cat.wasm"]).exits(2).says(&["no host is named"]);
    desk.samebit("s", &["host", "status"]).exits(3).says(&["no host is up"]);
    let host = Host::start(&desk, "s", &["--metrics", "127.0.0.1:0"]);
    let order = ["submit", "cat.wasm", "--offline", "-i", "stdin=in.txt", "--out", "out", "--receipt", "r"];
    desk.samebit("s", &order).exits(0);
    assert_eq!(std::fs::read(desk.path("out/stdout")).expect("written"), b"some text");
    desk.samebit("s", &["submit", "trap.wasm", "--offline"]).exits(1).says(&["trapped"]);
    let (code, status) = desk.json("s", &["host", "status"]);
    assert_eq!((code, &status["receipts"], &status["done"]), (0, &json!(2), &json!(2)));
    assert_eq!(count(&desk, "s", "done"), 2);
    assert_eq!(host.terminate(), 0);
    desk.samebit("s", &["verify", "r"]).exits(0);
}

#[test]
fn a_host_writes_what_it_does_as_json_with_the_job() {
    let desk = Desk::new();
    desk.module("empty.wasm", EMPTY);
    let host = Host::start(&desk, "host", &["--allow", "any", "--log-format", "json"]);
    let (code, value) = desk.json("author", &submit(&host, &["empty.wasm"]));
    assert_eq!(code, 0, "{value}");
    assert_eq!(host.terminate(), 0);
    let log = std::fs::read_to_string(desk.path("host.log")).expect("a log");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    let id = value["job"].as_str().expect("an id");
    let of_job = |line: &&Value| line["span"]["id"].as_str().is_some_and(|short| id.starts_with(short));
    let line = lines.iter().find(of_job).unwrap_or_else(|| panic!("no line of job {id}: {log}"));
    assert!(line["timestamp"].is_string() && line["level"] == "INFO", "{line}");
}

#[test]
fn a_job_is_listed_followed_and_cancelled_by_whose_it_is() {
    let desk = Desk::new();
    desk.module("spin.wasm", SPIN);
    let host = Host::start(&desk, "host", &["--allow", "any"]);
    let order = submit(&host, &["spin.wasm", "--limit-fuel", "900G", "--detach"]);
    let (code, value) = desk.json("author", &order);
    assert_eq!(code, 0, "{value}");
    let job = value["job"].as_str().expect("an id");
    let at = ["--offline", "--host", host.ticket()];
    let with = |command: &[&'static str]| -> Vec<String> {
        command.iter().chain(&at).map(|text| (*text).to_string()).collect()
    };
    let run = |store: &str, command: &[&'static str], job: Option<&str>| {
        let mut args = with(command);
        args.extend(job.map(str::to_owned));
        desk.samebit(store, &args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    run("author", &["jobs", "list"], None).exits(0).says(&["running", job]);
    assert!(!run("stranger", &["jobs", "list"], None).exits(0).stdout.contains(job));
    run("stranger", &["jobs", "cancel"], Some(job)).exits(2).says(&["job.unknown"]);
    let follows = desk.start("author2", &["jobs", "list", "--offline", "--host", host.ticket()]);
    Done::of(follows.wait_with_output().expect("it ends")).exits(0);
    run("author", &["jobs", "cancel"], Some(job)).exits(0);
    run("author", &["jobs", "follow"], Some(job)).exits(1).says(&["cancelled"]);
}

#[test]
fn a_host_that_ends_keeps_what_waits_for_its_next_start() {
    let desk = Desk::new();
    desk.module("spin.wasm", SPIN);
    desk.module("empty.wasm", EMPTY);
    let host = Host::start(&desk, "host", &["--allow", "any", "--jobs", "1", "--drain-s", "1"]);
    let order = submit(&host, &["spin.wasm", "--limit-fuel", "900G", "--detach"]);
    let (_, spin) = desk.json("author", &order);
    // It would wait in line for ever, so nobody waits for it.
    let mut waits = desk.start("other", &submit(&host, &["empty.wasm"]));
    wait_for(&desk, "host", "queued", 1);
    // Its module has to be there, or the host would ask a submitter for it who is gone.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(host.terminate(), 0);
    waits.kill().expect("killed");
    waits.wait().expect("gone");
    let host = Host::start(&desk, "host", &["--allow", "any", "--jobs", "1"]);
    wait_for(&desk, "host", "running", 1);
    desk.samebit("host", &["jobs", "cancel", spin["job"].as_str().expect("an id")]).exits(0);
    wait_for(&desk, "host", "done", 1);
    drop(host);
}

#[test]
fn a_host_that_is_killed_at_any_instant_signs_each_job_once() {
    let desk = Desk::new();
    desk.module("long.wasm", LONG);
    let number =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (seed, kills) = (number("SAMEBIT_SEED", 0x5a3e_b172_0260_0007), number("SAMEBIT_KILLS", 3));
    println!("SAMEBIT_SEED={seed}");
    let mut state = seed;
    let mut random = move |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    let mut accepted = Vec::new();
    let mut host = Host::start(&desk, "host", &["--allow", "any", "--jobs", "2"]);
    for round in 0..kills {
        let argument = round.to_string();
        let (code, value) = desk.json("author", &submit(&host, &["long.wasm", "--arg", &argument, "--detach"]));
        assert_eq!(code, 0, "{value}");
        accepted.push(value["job"].as_str().expect("an id").to_owned());
        std::thread::sleep(Duration::from_millis(random(2_500)));
        host.kill();
        host = Host::start(&desk, "host", &["--allow", "any", "--jobs", "2"]);
    }
    for job in &accepted {
        // A job that was killed three times is given up, which is an end as well.
        let done = desk.samebit("host", &["jobs", "follow", job]);
        assert!(done.code == 0 || done.stdout.contains("failed"), "{done:?}");
    }
    let (_, status) = desk.json("host", &["host", "status"]);
    let (_, list) = desk.json("host", &["jobs", "list"]);
    let jobs = list["jobs"].as_array().expect("jobs");
    assert_eq!(jobs.len(), accepted.len(), "{list}");
    let receipts = jobs.iter().filter(|job| job["receipt"].is_string()).count();
    assert_eq!(status["receipts"], json!(receipts), "as many in the chain as jobs are done: {list}");
    assert_eq!(host.terminate(), 0);
}

#[test]
fn settings_are_shown_and_mistakes_in_them_named() {
    let desk = Desk::new();
    desk.file("host.toml", "jobs = 3\nmemory = '2GiB'\nallow = ['any']");
    let done = desk.samebit("s", &["host", "--config", "host.toml", "--jobs", "5", "--check-config"]).exits(0);
    let value: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!((&value["jobs"], &value["memory_bytes"]), (&json!(5), &json!(2_u64 << 30)));
    assert_eq!(value["policy"]["submitters"]["allow"], json!(["any"]));
    desk.file("host.toml", "job = 3");
    desk.samebit("s", &["host", "--config", "host.toml", "--check-config"]).exits(2).says(&["host.toml", "job"]);
    desk.samebit("s", &["host", "--config", "gone.toml", "--check-config"]).exits(2).says(&["gone.toml"]);
    desk.samebit("s", &["host", "--allow", "me", "--check-config"]).exits(2).says(&["allow"]);
    let dht = |more: &[&str]| desk.samebit("s", &[&["host", "--check-config"], more].concat());
    for (flag, shown) in [("--dht", "public"), ("--dht=192.0.2.1:6881", "192.0.2.1:6881")] {
        let value: Value = serde_json::from_str(&dht(&[flag]).exits(0).stdout).expect("JSON");
        assert_eq!(value["dht"], json!([shown]));
    }
    dht(&["--dht", "--offline"]).exits(2).says(&["--offline"]);
    dht(&["--dht=192.0.2.1"]).exits(2).says(&["NAME:PORT"]);
    desk.samebit("s", &["host", "--offline", "--bind", "0.0.0.0:0"]).exits(3).says(&["loopback"]);
}
