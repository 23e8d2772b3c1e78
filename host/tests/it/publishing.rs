//! `samebit publish` and `samebit fetch`. Everything stays on loopback.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::hosting::Host;
use crate::support::Desk;

/// A `samebit publish` that serves. Killed when this is dropped.
struct Publisher {
    child: Child,
    said: Value,
}

impl Publisher {
    /// Publishes a file, and waits until it is served.
    fn start(desk: &Desk, store: &str, file: &str) -> Self {
        let args = ["publish", file, "--offline", "--json"];
        let mut child = desk
            .command(store, &args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut text = String::new();
        while !text.ends_with("\n}\n") {
            assert_ne!(lines.read_line(&mut text).expect("text"), 0, "it ended: {text}");
        }
        Self { child, said: serde_json::from_str(&text).expect("JSON") }
    }

    fn ticket(&self, name: &str) -> &str {
        self.said[name].as_str().expect("a ticket")
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_published_is_fetched_by_its_ticket_and_as_a_list_with_names() {
    let desk = Desk::new();
    let bytes = vec![7; 3 << 20];
    desk.file("photo.png", &bytes);
    let publisher = Publisher::start(&desk, "author", "photo.png");
    let hash = blake3::hash(&bytes).to_string();
    assert_eq!(publisher.said["hash"], hash.as_str());
    let ticket = publisher.ticket("ticket");
    let (code, value) = desk.json("reader", &["fetch", ticket, "--offline", "--out", "got.png"]);
    assert_eq!((code, &value["fetched"][0]["hash"]), (0, &hash.as_str().into()), "{value}");
    assert!(std::fs::read(desk.path("got.png")).expect("written") == bytes);
    let list = publisher.ticket("list_ticket");
    desk.samebit("reader2", &["fetch", list, "--offline"]).exits(2).says(&["--out"]);
    desk.samebit("reader2", &["fetch", list, "--offline", "--out", "folder"]).exits(0).says(&["photo.png"]);
    assert!(std::fs::read(desk.path("folder/photo.png")).expect("written") == bytes);
    // By hash, from whoever made a ticket; and refused before it travels if it is too much.
    desk.samebit("reader3", &["fetch", &hash, "--offline", "--from", ticket, "--size-max", "1MiB"]).exits(2);
    desk.samebit("reader3", &["fetch", &hash, "--offline", "--from", ticket]).exits(0).says(&["in the store"]);
    drop(publisher);
    desk.samebit("reader3", &["fetch", &hash, "--offline", "--out", "again.png"]).exits(0);
    assert!(std::fs::read(desk.path("again.png")).expect("written") == bytes);
}

#[test]
fn a_host_that_is_up_publishes_and_fetches_for_its_user() {
    let desk = Desk::new();
    desk.file("a.txt", "some text");
    desk.file("b.txt", vec![3; 1 << 20]);
    let host = Host::start(&desk, "s", &["--allow", "any"]);
    // It ends at once: the host serves.
    let (code, value) = desk.json("s", &["publish", "a.txt", "--publication", "a.pub"]);
    assert_eq!(code, 0, "{value}");
    let ticket = value["ticket"].as_str().expect("a ticket");
    desk.samebit("reader", &["fetch", ticket, "--offline", "--out", "got.txt"]).exits(0);
    assert_eq!(std::fs::read(desk.path("got.txt")).expect("written"), b"some text");
    assert!(desk.path("a.pub").is_file());
    let list = value["list_ticket"].as_str().expect("a ticket");
    desk.samebit("reader2", &["fetch", list, "--offline", "--out", "folder"]).exits(0).says(&["a.txt"]);
    assert_eq!(std::fs::read(desk.path("folder/a.txt")).expect("written"), b"some text");
    let publisher = Publisher::start(&desk, "author", "b.txt");
    desk.samebit("s", &["fetch", publisher.ticket("ticket"), "--out", "b"]).exits(0);
    assert!(std::fs::read(desk.path("b")).expect("written") == vec![3; 1 << 20]);
    desk.samebit("s", &["publish", "gone.txt"]).exits(2).says(&["gone.txt"]);
    for flag in [&["--offline"][..], &["--size-max", "1MiB"]] {
        desk.samebit("s", &[&["fetch", ticket][..], flag].concat()).exits(2).says(&["a host is up"]);
    }
    // A killed host leaves its socket behind, which must not be taken for a host.
    host.kill();
    desk.samebit("s", &["fetch", publisher.ticket("ticket"), "--offline", "--out", "c"]).exits(0);
}

#[test]
fn what_nobody_has_is_not_fetched_and_mistakes_are_named() {
    let desk = Desk::new();
    let hash = blake3::hash(b"nowhere").to_string();
    desk.samebit("s", &["fetch", "nonsense"]).exits(2).says(&["nonsense"]);
    desk.samebit("s", &["fetch", &hash, "--offline"]).exits(3).says(&[&hash[..10]]);
    desk.samebit("s", &["publish", "gone.txt", "--offline"]).exits(2).says(&["gone.txt"]);
    assert_eq!(desk.names("."), ["s"], "nothing else is written");
}

#[test]
fn a_host_provides_what_it_fetched_to_keep_when_the_author_is_gone() {
    let desk = Desk::new();
    let bytes = vec![5; 1 << 20];
    desk.file("photo.png", &bytes);
    let host = Host::start(&desk, "host", &["--allow", "any"]);
    let publisher = Publisher::start(&desk, "author", "photo.png");
    let (hash, ticket) = (blake3::hash(&bytes).to_string(), publisher.ticket("ticket").to_owned());
    desk.samebit("host", &["fetch", &ticket]).exits(0);
    drop(publisher);
    let fetch = ["fetch", &hash, "--offline", "--from", host.ticket(), "--out", "got.png"];
    desk.samebit("reader", &fetch).exits(0);
    assert!(std::fs::read(desk.path("got.png")).expect("written") == bytes);
}
