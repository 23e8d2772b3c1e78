//! The resolved settings, shown.

use samebit_net::message::Text;
use samebit_net::{Dht, Reach, Relays};
use serde_json::{Value, json};

use super::HostConfig;
use crate::daemon::policy::{Hashes, Keys, Lists, Policy};

impl HostConfig {
    /// The settings as they came out.
    pub(crate) fn to_json(&self) -> Value {
        let Policy { submitters, authors, modules, job, peer } = &self.policy;
        let keys =
            |lists: &Lists<Keys>| json!({ "allow": lists.allow.as_ref().map(Keys::texts), "deny": lists.deny.texts() });
        let (offline, relays, mdns, dht) = match &self.reach {
            Reach::Offline => (true, Vec::new(), false, Vec::new()),
            Reach::Network { relays, mdns, dht } => (false, relay_texts(relays), *mdns, dht_texts(dht)),
        };
        json!({
            "jobs": self.slots,
            "memory_bytes": self.caps.memory_bytes,
            "queue": self.caps.queued,
            "disk_quota_bytes": self.disk.quota_bytes,
            "disk_free_bytes": self.disk.free_bytes_min,
            "offline": offline,
            "bind": self.bind,
            "relay": relays,
            "mdns": mdns,
            "dht": dht,
            "announce": self.announce,
            "peers": self.peers.iter().map(|peer| peer.host.to_string()).collect::<Vec<_>>(),
            "device": format!("{:?}", self.device).to_lowercase(),
            "limit_wall_s": self.wall_time.as_secs(),
            "drain_s": self.drain.as_secs(),
            "price": self.price.as_ref().map(Text::as_str),
            "labels": self.labels.iter().map(Text::as_str).collect::<Vec<_>>(),
            "metrics": self.metrics,
            "policy": {
                "submitters": keys(submitters),
                "authors": keys(authors),
                "modules": {
                    "allow": modules.allow.as_ref().map(Hashes::texts), "deny": modules.deny.texts(),
                },
                "job": { "limits": job.limits, "input_bytes": job.input_bytes },
                "peer": {
                    "queued": peer.queued, "running": peer.running, "input_bytes": peer.input_bytes, "fuel": peer.fuel,
                    "gpu_time_per_hour_s": peer.gpu_time_per_hour.map(|time| time.as_secs()),
                    "output_bytes_per_hour": peer.output_bytes_per_hour,
                    "requests_per_s": peer.requests_per_s, "connections": peer.connections,
                },
            },
        })
    }
}

fn relay_texts(relays: &Relays) -> Vec<String> {
    match relays {
        Relays::None => Vec::new(),
        Relays::Public => vec!["public".to_owned()],
        Relays::Custom(urls) => urls.clone(),
    }
}

fn dht_texts(dht: &Dht) -> Vec<String> {
    match dht {
        Dht::Off => Vec::new(),
        Dht::Public => vec!["public".to_owned()],
        Dht::Custom(nodes) => nodes.clone(),
    }
}
