//! The program in processes of its own: a host, a publisher.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use samebit_net::message::Provider;
use serde_json::Value;

/// A policy under which nobody is held back by anything but the machine.
const POLICY: &str = "submitters.allow = ['any']\n[peer]\nqueued = 1000000\nrequests-per-s = 100000\n";

/// A process that serves until this is dropped.
pub(crate) struct Serving {
    child: Child,
    /// What it said when it was up.
    pub(crate) said: Value,
}

/// `samebit` on a store.
pub(crate) fn samebit(store: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samebit"));
    command.arg("--store").arg(store).args(["--quiet", "--json"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Serving {
    /// A host with its store in a new folder of `dir`.
    pub(crate) fn host(dir: &Path, args: &[&str]) -> Self {
        std::fs::write(dir.join("policy.toml"), POLICY).expect("the folder is writable");
        let mut command = samebit(&dir.join("host"));
        command.args(["host", "--offline", "--queue", "1000000", "--policy"]).arg(dir.join("policy.toml")).args(args);
        Self::start(command)
    }

    /// Somebody who publishes a file.
    pub(crate) fn publisher(dir: &Path, file: &Path) -> Self {
        let mut command = samebit(&dir.join("publisher"));
        command.arg("publish").arg(file).arg("--offline");
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("samebit starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut text = String::new();
        while !text.ends_with("}\n") || serde_json::from_str::<Value>(&text).is_err() {
            assert!(lines.read_line(&mut text).expect("text") > 0, "samebit ended: {text}");
        }
        Self { child, said: serde_json::from_str(&text).expect("JSON") }
    }

    /// How others reach it.
    pub(crate) fn provider(&self) -> Provider {
        Provider::parse(self.ticket()).expect("a ticket")
    }

    /// Its ticket: a host's, or that of what it publishes.
    pub(crate) fn ticket(&self) -> &str {
        self.said["ticket"].as_str().expect("a ticket")
    }

    /// A line of the system's account of it, in bytes; 0 where the system does not tell.
    pub(crate) fn memory_bytes(&self, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(what));
        line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) << 10
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
