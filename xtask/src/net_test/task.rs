//! Processes, with an end in every case.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// How often a process, or what it says, is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A process, and the files that it writes to. Killed when this is dropped.
pub(crate) struct Task {
    child: Child,
    line: String,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// What a process came to.
#[derive(Debug)]
pub(crate) struct Done {
    /// Its exit code; -1 if it was killed.
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
    line: String,
}

impl Task {
    /// Starts a process that writes to files of this name.
    pub(crate) fn start(mut command: Command, files: &Path) -> Result<Self> {
        let line = crate::command::line(&command);
        let (stdout, stderr) = (files.with_extension("out"), files.with_extension("err"));
        command.stdin(Stdio::null()).stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
        let child = command.spawn().with_context(|| format!("`{line}` could not be started"))?;
        Ok(Self { child, line, stdout, stderr })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self, time: Duration) -> Result<Done> {
        let began = Instant::now();
        while !self.has_ended()? {
            ensure!(began.elapsed() < time, "`{}` does not end in {time:?}: {}", self.line, self.said()?);
            std::thread::sleep(LOOK);
        }
        self.done()
    }

    /// Waits until it has said something, or has ended. True if it said that.
    pub(crate) fn says(&mut self, text: &str, time: Duration) -> Result<bool> {
        let began = Instant::now();
        loop {
            let ended = self.has_ended()?;
            if self.said()?.contains(text) {
                return Ok(true);
            }
            if ended {
                return Ok(false);
            }
            ensure!(began.elapsed() < time, "`{}` does not say {text:?} in {time:?}: {}", self.line, self.said()?);
            std::thread::sleep(LOOK);
        }
    }

    /// All that it said so far.
    pub(crate) fn said(&self) -> Result<String> {
        let read = |path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(read(&self.stdout)? + &read(&self.stderr)?)
    }

    /// Asks it to end, and waits.
    pub(crate) fn terminate(self, time: Duration) -> Result<Done> {
        kill(self.id(), "TERM");
        self.wait(time)
    }

    /// Kills it at once.
    pub(super) fn kill(mut self) -> Result<Done> {
        // It may have ended.
        let _ = self.child.kill();
        self.done()
    }

    /// True once it has ended.
    pub(super) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    fn done(&mut self) -> Result<Done> {
        let status = self.child.wait()?;
        let read = |path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let (stdout, stderr) = (read(&self.stdout)?, read(&self.stderr)?);
        Ok(Done { code: status.code().unwrap_or(-1), stdout, stderr, line: self.line.clone() })
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Done {
    /// An error unless the exit code is this one.
    pub(crate) fn exits(self, code: i32) -> Result<Self> {
        ensure!(
            self.code == code,
            "`{}` exited with {}, not {code}: {}{}",
            self.line,
            self.code,
            self.stdout,
            self.stderr
        );
        Ok(self)
    }

    /// Its answer, as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout)
            .with_context(|| format!("`{}` answered no JSON: {}{}", self.line, self.stdout, self.stderr))
    }

    /// The job that it said is accepted.
    pub(super) fn accepted(&self) -> Option<String> {
        accepted(&self.stderr)
    }
}

/// The job that `samebit submit` said is accepted.
pub(super) fn accepted(said: &str) -> Option<String> {
    let line = said.lines().find(|line| line.ends_with(" is accepted") || line.ends_with(" is known there"))?;
    line.split_whitespace().find(|word| word.len() == 64).map(str::to_owned)
}

/// Sends a process a signal. It may have ended.
pub(super) fn kill(id: u32, signal: &str) {
    let _ = quiet(Command::new("kill").args([&format!("-{signal}"), &id.to_string()])).status();
}

/// What a short program prints, if it succeeds.
pub(super) fn words(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("`{}`", crate::command::line(command)))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("`{}` failed: {}", crate::command::line(command), why.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program whose words do not matter.
pub(super) fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}
