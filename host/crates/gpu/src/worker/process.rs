//! Starting a worker, and finding out how it ended.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a worker whose output has ended may take to be gone by itself, which tells how it went.
const LINGER: Duration = Duration::from_secs(1);
/// How often to look.
const LOOK: Duration = Duration::from_millis(2);
/// How long what it wrote last may take to arrive.
const WORDS: Duration = Duration::from_millis(200);
/// How much of that is kept.
const WORDS_BYTES: usize = 2 << 10;

/// What to start as a worker.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    args: Vec<OsString>,
}

impl Program {
    /// A program that calls [`serve`](super::serve) when it is given these arguments.
    pub fn new(path: impl Into<PathBuf>, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self { path: path.into(), args: args.into_iter().map(Into::into).collect() }
    }

    /// This program, with these arguments.
    ///
    /// # Errors
    /// If the system does not say where it is.
    pub fn this(args: impl IntoIterator<Item = impl Into<OsString>>) -> io::Result<Self> {
        // What runs, and not what has been installed in its place since: the two sides must be of one build.
        let path = if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe()? };
        Ok(Self::new(path, args))
    }

    pub(super) fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.path);
        command.args(&self.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C goes to everything in front of the terminal. A worker is not to go before its host says so.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn()
    }
}

/// How a worker ended, for people: waits until it has, and makes it.
pub(super) fn end(child: &mut Child, ends_by_itself: bool) -> String {
    let until = Instant::now() + LINGER;
    while ends_by_itself && Instant::now() < until {
        match child.try_wait() {
            Ok(Some(status)) => return told(status),
            Ok(None) => std::thread::sleep(LOOK),
            Err(_) => break,
        }
    }
    // Fails only if it is gone already.
    let _ = child.kill();
    child.wait().map_or_else(|error| error.to_string(), told)
}

fn told(status: ExitStatus) -> String {
    status.to_string()
}

/// What a worker and its driver write to standard error. The last of it may say why they died.
pub(super) struct Words(mpsc::Receiver<Vec<u8>>);

impl Words {
    /// Reads on a thread of its own, which ends with the worker.
    pub(super) fn listen(from: ChildStderr) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new().name("samebit-gpu-words".to_owned());
        thread.spawn(move || drop(sender.send(read_tail(from))))?;
        Ok(Self(receiver))
    }

    /// The last words, in one line; nothing if there were none.
    pub(super) fn last(&self) -> String {
        let bytes = self.0.recv_timeout(WORDS).unwrap_or_default();
        let text = clean(&String::from_utf8_lossy(&bytes), WORDS_BYTES);
        if text.is_empty() { text } else { format!("; it said: {text}") }
    }
}

fn read_tail(mut from: impl Read) -> Vec<u8> {
    let (mut tail, mut buffer) = (Vec::new(), [0; 1024]);
    loop {
        match from.read(&mut buffer) {
            Ok(count) if count > 0 => {
                tracing::debug!("{}", clean(&String::from_utf8_lossy(&buffer[..count]), buffer.len()));
                tail.extend_from_slice(&buffer[..count]);
                tail.drain(..tail.len().saturating_sub(WORDS_BYTES));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return tail,
        }
    }
}

/// A stranger's text that may be shown: without control characters, and no longer than this.
pub(super) fn clean(text: &str, length: usize) -> String {
    let shown = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    shown.collect::<String>().trim().chars().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_words_are_kept() {
        let said = [vec![b'a'; 10_000], b"the end".to_vec()].concat();
        let tail = read_tail(said.as_slice());
        assert_eq!(tail.len(), WORDS_BYTES);
        assert!(tail.ends_with(b"the end"));
    }

    #[test]
    fn a_strangers_text_cannot_steer_a_terminal() {
        assert_eq!(clean("\u{1b}[2J a\nb\u{7}\n", 100), "[2J a b");
        assert_eq!(clean("abcdef", 3), "abc");
    }
}
