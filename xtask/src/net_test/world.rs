//! Five machines that have no way to each other but through the proxy.
//!
//! Each is a network namespace with one address. Its cable leads to a namespace of its own, where a port of the proxy
//! has the addresses of all the others. Nothing is routed, so what does not go through the proxy goes nowhere.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::janitor::{hire, namespaces, processes};
use super::proxy::{Proxy, Weather};
use super::random::Random;
use super::sockets::Sockets;
use super::task::{Done, Task, words};

/// How many worlds this process has made.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Nothing that must happen takes longer. Generous, since machines are shared.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Author,
    Host1,
    Host2,
    Host3,
    Verifier,
}

/// All machines.
pub(super) const ALL: [Who; 5] = [Who::Author, Who::Host1, Who::Host2, Who::Host3, Who::Verifier];

impl Who {
    /// Its name, which is that of its store as well.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Host1 => "host1",
            Self::Host2 => "host2",
            Self::Host3 => "host3",
            Self::Verifier => "verifier",
        }
    }

    /// Its address.
    pub(super) fn address(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, 0, self as u8 + 1)
    }
}

/// What a run is made with.
#[derive(Debug, Clone)]
pub(super) struct Means {
    /// The program.
    pub(super) samebit: PathBuf,
    /// The peer that keeps to no protocol.
    pub(super) rogue: PathBuf,
    /// Where everything is written.
    pub(super) folder: PathBuf,
    /// What the program logs.
    pub(super) log: String,
}

/// The machines of one run, and the network between them.
pub(super) struct World {
    /// What the run does by chance.
    pub(super) random: Random,
    /// The network.
    pub(super) proxy: Proxy,
    means: Means,
    prefix: String,
    commands: u32,
    ports: Vec<Child>,
    janitor: Child,
    sockets: Sockets,
}

impl World {
    /// Makes the machines in an empty folder.
    pub(super) fn make(means: &Means, seed: u64, weather: Weather) -> Result<Self> {
        let folder = &means.folder;
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("samebit-{}-{number}-", std::process::id());
        let proxy = Proxy::start(seed, weather);
        let mut world = Self {
            random: Random::new(seed),
            sockets: Sockets::watch(proxy.clone(), prefix.clone()),
            proxy,
            janitor: hire(&prefix, &folder.join(Who::Host1.name()))?,
            means: means.clone(),
            prefix,
            commands: 0,
            ports: Vec::new(),
        };
        ALL.iter().try_for_each(|who| world.plug_in(*who))?;
        Ok(world)
    }

    /// Makes a machine's namespace and its port's, and the cable between.
    fn plug_in(&mut self, who: Who) -> Result<()> {
        let (node, port) = (self.namespace(who), self.port(who));
        for name in [&node, &port] {
            ip(&["netns", "add", name])?;
            // There is IPv4 alone, so that there is one address each.
            let quiet = ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"];
            let sysctl = words(Command::new("ip").args(["netns", "exec", name, "sysctl", "-qw"]).args(quiet));
            // Where there is no IPv6 there is nothing to switch off.
            drop(sysctl);
            ip(&["-n", name, "link", "set", "lo", "up"])?;
        }
        ip(&["link", "add", "cable", "netns", &node, "type", "veth", "peer", "name", "cable", "netns", &port])?;
        ip(&["-n", &node, "address", "add", &format!("{}/24", who.address()), "dev", "cable"])?;
        for other in ALL.into_iter().filter(|other| *other != who) {
            ip(&["-n", &port, "address", "add", &format!("{}/24", other.address()), "dev", "cable"])?;
        }
        ip(&["-n", &node, "link", "set", "cable", "up"])?;
        ip(&["-n", &port, "link", "set", "cable", "up"])?;
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &port]).arg(std::env::current_exe()?).arg("net-port");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("a port of the proxy")?;
        if let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) {
            self.proxy.connect(who.address(), to, from);
        }
        self.ports.push(child);
        Ok(())
    }

    fn namespace(&self, who: Who) -> String {
        format!("{}{}", self.prefix, who.name())
    }

    fn port(&self, who: Who) -> String {
        format!("{}port-{}", self.prefix, who.name())
    }

    /// A path in the run's folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.means.folder.join(name)
    }

    /// Writes a file to the run's folder.
    pub(super) fn file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        fs::write(self.path(name), bytes).with_context(|| format!("{name} cannot be written"))
    }

    /// Starts `samebit` on a machine, in the run's folder.
    pub(super) fn start(&mut self, who: Who, args: &[&str]) -> Result<Task> {
        let program = self.means.samebit.to_string_lossy().into_owned();
        self.start_program(who, &[&[program.as_str(), "--store", who.name()], args].concat())
    }

    /// The peer that keeps to no protocol.
    pub(super) fn rogue(&self) -> String {
        self.means.rogue.to_string_lossy().into_owned()
    }

    /// Starts a program on a machine, in the run's folder.
    pub(super) fn start_program(&mut self, who: Who, line: &[&str]) -> Result<Task> {
        self.commands += 1;
        let mut command = Command::new("ip");
        command.current_dir(&self.means.folder).args(["netns", "exec", &self.namespace(who)]).args(line);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SAMEBIT_") {
                command.env_remove(name);
            }
        }
        command.env("SAMEBIT_LOG", &self.means.log);
        let task = Task::start(command, &self.path(&format!("{:03}-{}", self.commands, who.name())))?;
        self.sockets.look_through(who, task.id());
        Ok(task)
    }

    /// Runs `samebit` on a machine to its end.
    pub(super) fn samebit(&mut self, who: Who, args: &[&str]) -> Result<Done> {
        self.start(who, args)?.wait(PATIENCE)
    }

    /// The same with `--json`.
    pub(super) fn json(&mut self, who: Who, args: &[&str]) -> Result<serde_json::Value> {
        self.samebit(who, &[args, &["--json"]].concat())?.json()
    }

    /// The processes on a machine.
    pub(super) fn processes(&self, who: Who) -> Result<Vec<u32>> {
        processes(&self.namespace(who))
    }

    /// Ends the run and clears up. An error if that leaves anything.
    pub(super) fn end(mut self) -> Result<()> {
        self.proxy.end();
        for port in &mut self.ports {
            let began = Instant::now();
            while port.try_wait()?.is_none() {
                ensure!(began.elapsed() < PATIENCE, "a port of the proxy does not end");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        drop(self.janitor.stdin.take());
        ensure!(self.janitor.wait()?.success(), "not everything could be cleared up; see above");
        let left = namespaces(&self.prefix)?;
        ensure!(left.is_empty(), "namespaces are left: {left:?}");
        Ok(())
    }
}

impl Drop for World {
    /// What is left after a failure is the janitor's, whose input ends here. The next run needs the names.
    fn drop(&mut self) {
        self.proxy.end();
        drop(self.janitor.stdin.take());
        let _ = self.janitor.wait();
        for port in &mut self.ports {
            let _ = port.kill();
            let _ = port.wait();
        }
    }
}

fn ip(words_of: &[&str]) -> Result<()> {
    words(Command::new("ip").args(words_of)).map(drop)
}

/// Tells whether this machine makes namespaces for this user, and why not.
pub(super) fn check() -> Result<()> {
    let name = format!("samebit-{}-try", std::process::id());
    ip(&["netns", "add", &name])?;
    let made = ip(&["link", "add", "cable", "netns", &name, "type", "veth", "peer", "name", "other", "netns", &name]);
    ip(&["netns", "delete", &name])?;
    made
}
