//! A large blob from one machine's file to another's, beside TCP that hashes, and beside `sendme`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::figures::{Row, median, median_of, noise, speed};
use crate::host::{Serving, samebit};

const BYTES: usize = 256 << 20;
const PIECE_BYTES: usize = 1 << 20;

pub(crate) fn rows(rounds: usize, sendme: Option<&Path>) -> Vec<Row> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (dir, file) = (dir.path(), dir.path().join("file"));
    std::fs::write(&file, noise(BYTES, 1)).expect("written");
    let publisher = Serving::publisher(dir, &file);
    let tcp = Helper::start(Command::new(this()).arg("--serve-tcp").arg(&file), |line| line.parse::<u16>().ok());
    let sender = sendme.map(|program| {
        let mut command = Command::new(program);
        command.args(["send", "--relay", "disabled", "--no-progress"]).arg(&file).current_dir(dir);
        (program, Helper::start(&mut command, |line| line.strip_prefix("sendme receive ").map(str::to_owned)))
    });
    let (mut ours, mut plain, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    // The first round fills caches, and is not counted.
    for round in 0..=rounds {
        let taken = (
            fetch(dir, publisher.ticket()),
            receive_tcp(dir, tcp.said),
            sender.as_ref().map(|(program, sender)| receive(program, dir, &sender.said)),
        );
        if round > 0 {
            ours.push(taken.0);
            plain.push(taken.1);
            theirs.extend(taken.2);
        }
    }
    let ratio = |others: &[Duration]| {
        let ratios = others.iter().zip(&ours).map(|(other, ours)| other.as_secs_f64() / ours.as_secs_f64());
        median_of(ratios.collect())
    };
    let what = "256 MiB, `samebit fetch` → file".to_owned();
    let result = |name: &str, others: &[Duration]| {
        let (ours, theirs) = (speed(BYTES, median(ours.clone())), speed(BYTES, median(others.to_vec())));
        format!("{ours}; {name} {theirs}; {:.2} ×", ratio(others))
    };
    let mut rows = vec![(format!("{what}, against TCP + BLAKE3 → file"), result("TCP", &plain), "≥ 0.5 ×")];
    if !theirs.is_empty() {
        rows.push((format!("{what}, against `sendme receive`"), result("sendme", &theirs), "≥ 1 ×"));
    }
    rows
}

/// From the start of the program to its end, into a store and a file that were not there.
fn fetch(dir: &Path, ticket: &str) -> Duration {
    let (store, out) = (dir.join("fetcher"), dir.join("out"));
    let started = Instant::now();
    let status = samebit(&store).args(["fetch", ticket, "--offline", "--out"]).arg(&out).status();
    let time = started.elapsed();
    assert!(status.expect("samebit starts").success() && is_whole(&out));
    std::fs::remove_dir_all(store).and_then(|()| std::fs::remove_file(out)).expect("removed");
    time
}

fn receive(sendme: &Path, dir: &Path, ticket: &str) -> Duration {
    let into = dir.join("received");
    std::fs::create_dir(&into).expect("a folder");
    let mut command = Command::new(sendme);
    command.args(["receive", "--relay", "disabled", "--no-progress", ticket]).current_dir(&into);
    let started = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let time = started.elapsed();
    assert!(status.expect("sendme starts").success() && is_whole(&into.join("file")));
    std::fs::remove_dir_all(into).expect("removed");
    time
}

/// Hash and bytes over one TCP connection, checked while they are written.
fn receive_tcp(dir: &Path, port: u16) -> Duration {
    let out = dir.join("out");
    let started = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let mut wanted = [0; 32];
    stream.read_exact(&mut wanted).expect("a hash");
    let mut file = File::create(&out).expect("a file");
    let (mut hasher, mut piece) = (blake3::Hasher::new(), vec![0; PIECE_BYTES]);
    loop {
        let count = stream.read(&mut piece).expect("read");
        if count == 0 {
            break;
        }
        hasher.update(&piece[..count]);
        file.write_all(&piece[..count]).expect("written");
    }
    let time = started.elapsed();
    assert!(hasher.finalize() == wanted && is_whole(&out));
    std::fs::remove_file(out).expect("removed");
    time
}

/// Serves a file over TCP until it is killed, after its port on standard output.
pub(crate) fn serve_tcp(file: &Path) {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(file).expect("the file")).expect("read");
    let hash = hasher.finalize();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    println!("{}", listener.local_addr().expect("bound").port());
    for stream in listener.incoming() {
        let sent = stream.and_then(|mut stream| {
            stream.write_all(hash.as_bytes())?;
            io::copy(&mut File::open(file)?, &mut stream)
        });
        sent.expect("sent");
    }
}

fn is_whole(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| metadata.len() == BYTES as u64)
}

fn this() -> std::path::PathBuf {
    std::env::current_exe().expect("this program has a path")
}

/// Another program that serves until this is dropped.
struct Helper<T> {
    child: Child,
    /// What it said.
    said: T,
}

impl<T> Helper<T> {
    /// Starts it, and waits for the line that says how to reach it.
    fn start(command: &mut Command, understand: impl Fn(&str) -> Option<T>) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let said = lines.map_while(Result::ok).find_map(|line| understand(&line)).expect("it says how to reach it");
        Self { child, said }
    }
}

impl<T> Drop for Helper<T> {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
