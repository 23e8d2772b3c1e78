//! What a host is told: flags, then the environment, then a file, then defaults. Lowered once; the rest sees the result.

pub(crate) mod reach;
mod shown;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use samebit_net::Reach;
use samebit_net::message::{Provider, Text};
use serde::Deserialize;

use super::disk::Bounds;
use super::policy::{HostCaps, Keys, Policy, PolicyFile};
use crate::cli::limits::{bytes, bytes_value};
use crate::device::DeviceChoice;
use crate::error::Failure;
use reach::reach;

/// More than any configuration has.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// The most jobs at once: each has a thread.
const JOBS_MAX: i64 = 64;
/// The file that is read where none is named, if it is there.
const FILE_NAME: &str = "host.toml";

/// A host's settings, each of which may be absent. Flags, environment and file share this.
#[derive(Debug, Clone, Default, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[command(next_help_heading = "Host (also in the configuration file, under the same names)")]
pub(crate) struct HostSettings {
    /// Take jobs of this key (repeatable), or of `any`. More is said in the policy
    #[arg(long, value_name = "KEY", env = "SAMEBIT_HOST_ALLOW", value_delimiter = ',')]
    allow: Vec<String>,
    /// The policy: who may submit what, and how much of it [default: only programs on this machine submit]
    #[arg(long, value_name = "FILE", env = "SAMEBIT_HOST_POLICY")]
    policy: Option<PathBuf>,
    /// How many jobs run at once [default: half the cores, at least 1]
    #[arg(long, value_name = "COUNT", env = "SAMEBIT_HOST_JOBS", value_parser = clap::value_parser!(u32).range(1..=JOBS_MAX))]
    jobs: Option<u32>,
    /// Memory of all jobs together [default: 8GiB]
    #[arg(long, value_name = "BYTES", env = "SAMEBIT_HOST_MEMORY", value_parser = bytes)]
    #[serde(deserialize_with = "bytes_value")]
    memory: Option<u64>,
    /// How many jobs wait or run, of everybody together [default: 10000]
    #[arg(long, value_name = "COUNT", env = "SAMEBIT_HOST_QUEUE")]
    queue: Option<u64>,
    /// How much blobs may take: over it, those that were used least recently go, but for published ones, receipts and what
    /// jobs need that have not ended [default: no bound, and nothing goes]
    #[arg(long, value_name = "BYTES", env = "SAMEBIT_HOST_DISK_QUOTA", value_parser = bytes)]
    #[serde(deserialize_with = "bytes_value")]
    disk_quota: Option<u64>,
    /// How much of the disk stays free: with less, no new jobs are taken on [default: 1GiB]
    #[arg(long, value_name = "BYTES", env = "SAMEBIT_HOST_DISK_FREE", value_parser = bytes)]
    #[serde(deserialize_with = "bytes_value")]
    disk_free: Option<u64>,
    /// Nothing leaves this machine: listen on loopback alone, and use no relay
    #[arg(long, env = "SAMEBIT_HOST_OFFLINE")]
    offline: bool,
    /// Listen at this address (repeatable) [default: any free port of every interface]
    #[arg(long, value_name = "ADDRESS:PORT", env = "SAMEBIT_HOST_BIND", value_delimiter = ',')]
    bind: Vec<SocketAddr>,
    /// Be reached through this relay's URL (repeatable), or through those of n0 with `public` [default: none]
    #[arg(long, value_name = "URL", env = "SAMEBIT_HOST_RELAY", value_delimiter = ',', conflicts_with = "offline")]
    relay: Vec<String>,
    /// Find and be found on the local network
    #[arg(long, env = "SAMEBIT_HOST_MDNS", conflicts_with = "offline")]
    mdns: bool,
    /// Publish this host's addresses where anybody can look them up by its key: in BitTorrent's distributed hash table, or
    /// in one of your own that is entered through this node (repeatable)
    #[arg(
        long, value_name = "NAME:PORT", env = "SAMEBIT_HOST_DHT", value_delimiter = ',', conflicts_with = "offline",
        num_args = 0..=1, require_equals = true, default_missing_value = "public"
    )]
    dht: Vec<String>,
    /// Tell others of this host, through the hosts named with --peer and those they know
    #[arg(long, env = "SAMEBIT_HOST_ANNOUNCE")]
    announce: bool,
    /// Listen to announcements, beginning with this host (repeatable)
    #[arg(long = "peer", value_name = "HOST", env = "SAMEBIT_HOST_PEERS", value_delimiter = ',')]
    peers: Vec<String>,
    /// What runs kernels, as for `samebit run`
    #[arg(long, value_name = "DEVICE", env = "SAMEBIT_HOST_DEVICE")]
    device: Option<String>,
    /// Give a job up after this many seconds on the clock [default: 3600]
    #[arg(long = "limit-wall-s", value_name = "SECONDS", env = "SAMEBIT_HOST_LIMIT_WALL_S")]
    limit_wall_s: Option<u64>,
    /// When asked to stop, wait this many seconds for jobs that run [default: 30]
    #[arg(long, value_name = "SECONDS", env = "SAMEBIT_HOST_DRAIN_S")]
    drain_s: Option<u64>,
    /// What this host asks for its work, in words
    #[arg(long, value_name = "TEXT", env = "SAMEBIT_HOST_PRICE")]
    price: Option<String>,
    /// A free-form label such as `region=eu` (repeatable)
    #[arg(long = "label", value_name = "TEXT", env = "SAMEBIT_HOST_LABELS", value_delimiter = ',')]
    labels: Vec<String>,
    /// Serve metrics for Prometheus at this address, such as 127.0.0.1:9464
    #[arg(long, value_name = "ADDRESS:PORT", env = "SAMEBIT_HOST_METRICS")]
    metrics: Option<SocketAddr>,
}

/// The resolved settings.
#[derive(Debug, Clone)]
pub(crate) struct HostConfig {
    /// Who may submit what.
    pub(crate) policy: Policy,
    /// What everybody together has.
    pub(crate) caps: HostCaps,
    /// How many jobs run at once.
    pub(crate) slots: usize,
    /// What blobs may take, and what stays free of the disk.
    pub(crate) disk: Bounds,
    /// Whom to speak to.
    pub(crate) reach: Reach,
    /// Where to listen.
    pub(crate) bind: Vec<SocketAddr>,
    /// True to tell others of this host.
    pub(crate) announce: bool,
    /// Through whom announcements are heard first.
    pub(crate) peers: Vec<Provider>,
    /// What runs kernels.
    pub(crate) device: DeviceChoice,
    /// How long a job may take.
    pub(crate) wall_time: Duration,
    /// How long to wait for jobs when asked to stop.
    pub(crate) drain: Duration,
    /// What is asked for the work.
    pub(crate) price: Option<Text<128>>,
    /// Labels.
    pub(crate) labels: Vec<Text<64>>,
    /// Where metrics are served.
    pub(crate) metrics: Option<SocketAddr>,
}

impl HostSettings {
    /// Puts these over a file: the one that is named, or `host.toml` in the store if it is there.
    pub(crate) fn resolve(self, file: Option<&Path>, store: &Path) -> Result<HostConfig, Failure> {
        let default = store.join(FILE_NAME);
        let path = file.map(Path::to_owned).or_else(|| default.exists().then_some(default));
        let file = path.as_deref().map(read).transpose()?.unwrap_or_default();
        self.over(file).lower()
    }

    fn over(self, file: Self) -> Self {
        fn list<T>(flags: Vec<T>, file: Vec<T>) -> Vec<T> {
            if flags.is_empty() { file } else { flags }
        }
        Self {
            allow: list(self.allow, file.allow),
            policy: self.policy.or(file.policy),
            jobs: self.jobs.or(file.jobs),
            memory: self.memory.or(file.memory),
            queue: self.queue.or(file.queue),
            disk_quota: self.disk_quota.or(file.disk_quota),
            disk_free: self.disk_free.or(file.disk_free),
            offline: self.offline || file.offline,
            bind: list(self.bind, file.bind),
            relay: list(self.relay, file.relay),
            mdns: self.mdns || file.mdns,
            dht: list(self.dht, file.dht),
            announce: self.announce || file.announce,
            peers: list(self.peers, file.peers),
            device: self.device.or(file.device),
            limit_wall_s: self.limit_wall_s.or(file.limit_wall_s),
            drain_s: self.drain_s.or(file.drain_s),
            price: self.price.or(file.price),
            labels: list(self.labels, file.labels),
            metrics: self.metrics.or(file.metrics),
        }
    }

    fn lower(self) -> Result<HostConfig, Failure> {
        let wrong = |what: &str, why: &dyn std::fmt::Display| Failure::usage("config", format!("{what}: {why}"));
        let allowed = Keys::parse(self.allow.iter().map(String::as_str)).map_err(|why| wrong("allow", &why))?;
        let policy = match &self.policy {
            Some(path) => PolicyFile::read(path).map_err(|error| Failure::usage("policy", error.to_string()))?,
            None => PolicyFile::default(),
        };
        let policy = policy.resolve(Some(allowed).filter(|_| !self.allow.is_empty()));
        let device =
            self.device.as_deref().map(DeviceChoice::parse).transpose().map_err(|why| wrong("device", &why))?;
        if let Some(address) = self.metrics.filter(|address| !address.ip().is_loopback()) {
            return Err(wrong(
                "metrics",
                &format_args!("{address} is not a loopback address: metrics are for this machine"),
            ));
        }
        if self.jobs.is_some_and(|jobs| !(1..=JOBS_MAX).contains(&i64::from(jobs))) {
            return Err(wrong("jobs", &format_args!("it is 1 to {JOBS_MAX}")));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(HostConfig {
            caps: HostCaps { queued: self.queue.unwrap_or(10_000), memory_bytes: self.memory.unwrap_or(8 << 30) },
            slots: self.jobs.map_or((cores / 2).max(1), |jobs| jobs as usize),
            disk: Bounds { quota_bytes: self.disk_quota, free_bytes_min: self.disk_free.unwrap_or(1 << 30) },
            reach: reach(self.offline, self.relay, self.mdns, self.dht)?,
            bind: self.bind,
            announce: self.announce,
            peers: self
                .peers
                .iter()
                .map(|peer| Provider::parse(peer))
                .collect::<Result<_, _>>()
                .map_err(|error| wrong("peer", &error))?,
            device: device.unwrap_or_default(),
            wall_time: Duration::from_secs(self.limit_wall_s.unwrap_or(3_600).max(1)),
            drain: Duration::from_secs(self.drain_s.unwrap_or(30)),
            price: self.price.map(Text::new).transpose().map_err(|error| wrong("price", &error))?,
            labels: self
                .labels
                .into_iter()
                .map(Text::new)
                .collect::<Result<_, _>>()
                .map_err(|error| wrong("label", &error))?,
            metrics: self.metrics,
            policy,
        })
    }
}

fn read(path: &Path) -> Result<HostSettings, Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        Failure::usage("config", format!("the configuration {} cannot be used: {why}", path.display()))
    };
    let size = std::fs::metadata(path).map_err(|error| failed(&error))?.len();
    if size > FILE_BYTES_MAX {
        return Err(failed(&format_args!("it has {size} bytes, at most {FILE_BYTES_MAX} are allowed")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    let mut settings: HostSettings = toml::from_str(&text).map_err(|error| failed(&error))?;
    // Relative to the file, as everything in files is.
    let folder = path.parent().unwrap_or(Path::new(""));
    settings.policy = settings.policy.map(|policy| folder.join(policy));
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolve(flags: HostSettings, file: &str) -> Result<HostConfig, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE_NAME), file).expect("written");
        flags.resolve(None, folder.path()).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn flags_go_over_the_file_and_the_file_over_defaults() {
        let file = "jobs = 3\nmemory = '1GiB'\noffline = true\nlabels = ['a']\nallow = ['any']";
        let flags = HostSettings { jobs: Some(5), ..HostSettings::default() };
        let config = resolve(flags, file).expect("valid");
        assert_eq!((config.slots, config.caps.memory_bytes, config.caps.queued), (5, 1 << 30, 10_000));
        assert_eq!(config.reach, Reach::Offline);
        assert_eq!(config.to_json()["policy"]["submitters"]["allow"], json!(["any"]));
        let config = resolve(HostSettings::default(), "").expect("nothing need be said");
        assert_eq!(config.policy.submitters.allow, None);
    }

    #[test]
    fn mistakes_are_named() {
        for (file, wanted) in [
            ("job = 3", "job"),
            ("memory = '1G'", "expected bytes"),
            ("disk-quota = 'much'", "expected bytes"),
            ("allow = ['me']", "allow"),
            ("policy = 'gone.toml'", "gone.toml"),
            ("offline = true\nmdns = true", "offline"),
            ("offline = true\ndht = ['public']", "offline"),
            ("relay = ['relay.example']", "relay.example"),
            ("dht = ['192.0.2.1']", "NAME:PORT"),
            ("metrics = '0.0.0.0:1'", "loopback"),
            ("price = \"\\u001b\"", "price"),
            ("bind = ['here']", "bind"),
        ] {
            let message = resolve(HostSettings::default(), file).expect_err(file);
            assert!(message.contains(wanted), "{file}: {message}");
        }
    }
}
