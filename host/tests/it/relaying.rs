//! `samebit relay`, and machines that meet there. Everything stays on loopback.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::guests::CAT;
use crate::hosting::Host;
use crate::support::Desk;

/// A relay of its own process. Killed when this is dropped.
struct Relay {
    child: Child,
    said: Value,
}

impl Relay {
    fn start(desk: &Desk, args: &[&str]) -> Self {
        let args = [&["relay", "--listen", "127.0.0.1:0", "--json"], args].concat();
        let mut command = desk.command("unused", &args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut text = String::new();
        while !text.ends_with("\n}\n") {
            assert_ne!(lines.read_line(&mut text).expect("text"), 0, "it ended: {text}");
        }
        Self { child, said: serde_json::from_str(&text).expect("JSON") }
    }

    fn url(&self) -> &str {
        self.said["url"].as_str().expect("a URL")
    }

    /// Asks it to end.
    fn terminate(mut self) -> Option<i32> {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill").success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_job_runs_on_a_host_of_which_only_the_key_and_a_relay_are_known() {
    let desk = Desk::new();
    desk.module("cat.wasm", CAT);
    desk.file("in.bin", vec![7; 1 << 20]);
    let relay = Relay::start(&desk, &[]);
    let url = relay.url();
    let host = Host::start_online(&desk, "host", &["--allow", "any", "--bind", "127.0.0.1:0", "--relay", url]);
    let order = ["submit", "cat.wasm", "--host", host.key(), "-i", "stdin=in.bin"];
    let at_relay = ["--relay", url, "--out", "out", "--receipt", "r"];
    desk.samebit("author", &order).exits(3).says(&["cannot reach"]);
    desk.samebit("author", &[&order[..], &at_relay].concat()).exits(0);
    assert!(std::fs::read(desk.path("out/stdout")).expect("written") == vec![7; 1 << 20]);
    desk.samebit("verifier", &["verify", "r", "--from", host.key(), "--relay", url]).exits(0).says(&["match"]);
    assert!(!desk.path("unused").exists(), "a relay needs no store");
    assert_eq!(relay.terminate(), Some(0));
}

#[test]
fn a_relay_says_how_it_is_misused() {
    let desk = Desk::new();
    let relay = |args: &[&str]| desk.samebit("s", &[&["relay"], args].concat());
    relay(&["--listen", "0.0.0.0:0"]).exits(2).says(&["--allow"]);
    relay(&["--allow", "me"]).exits(2).says(&["allow", "me"]);
    relay(&["--tls-cert", "cert.pem"]).exits(2).says(&["--tls-key"]);
    relay(&["--discovery", "127.0.0.1:0"]).exits(2).says(&["--tls-cert"]);
    relay(&["--client-rate", "0"]).exits(2).says(&["1 byte"]);
    relay(&["--tls-cert", "gone.pem", "--tls-key", "gone.key"]).exits(2).says(&["gone.pem", "cannot be used"]);
    relay(&["--listen", "192.0.2.1:1", "--allow", "any"]).exits(3).says(&["cannot listen at 192.0.2.1:1"]);
    let first = Relay::start(&desk, &[]);
    let taken = first.said["listens"].as_str().expect("an address");
    relay(&["--listen", taken]).exits(3).says(&["in use"]);
    assert_eq!((&first.said["tls"], &first.said["discovery"]), (&json!(false), &json!(null)));
}
