//! Which UDP ports are open on the machines: those are what the others can send to.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::proxy::Proxy;
use super::world::Who;

/// How often is looked.
const LOOK: Duration = Duration::from_millis(10);

/// Looks for open ports, and has the proxy listen to what is sent to them, until this is dropped.
pub(super) struct Sockets {
    /// A process of each machine, through which its ports are seen.
    eyes: Arc<Mutex<BTreeMap<Who, u32>>>,
    ended: Arc<AtomicBool>,
}

impl Sockets {
    /// Begins to look.
    pub(super) fn watch(proxy: Proxy, prefix: String) -> Self {
        let watched = Self { eyes: Arc::default(), ended: Arc::default() };
        let (eyes, ended) = (watched.eyes.clone(), watched.ended.clone());
        thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let seen = eyes.lock().unwrap_or_else(PoisonError::into_inner).clone();
                for (who, process) in seen {
                    let namespace = Path::new("/run/netns").join(format!("{prefix}{}", who.name()));
                    open_ports(process, &namespace).into_iter().for_each(|port| proxy.listen(who.address(), port));
                }
                thread::sleep(LOOK);
            }
        });
        watched
    }

    /// A process was started on a machine.
    pub(super) fn look_through(&self, who: Who, process: u32) {
        let mut eyes = self.eyes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = |process: &u32| Path::new("/proc").join(process.to_string()).join("net/udp").exists();
        // The first one will do, until it ends.
        if !eyes.get(&who).is_some_and(is_there) {
            eyes.insert(who, process);
        }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// The ports that are open in a process's namespace, if that is already the one that it is to be in.
fn open_ports(process: u32, namespace: &Path) -> Vec<u16> {
    let of_process = Path::new("/proc").join(process.to_string());
    let number = |path: PathBuf| fs::metadata(path).ok().map(|link| link.ino());
    if number(of_process.join("ns/net")).is_none_or(|number_of| Some(number_of) != number(namespace.to_owned())) {
        return Vec::new();
    }
    ports(&fs::read_to_string(of_process.join("net/udp")).unwrap_or_default())
}

/// The ports in a table of `/proc`.
fn ports(table: &str) -> Vec<u16> {
    let port = |line: &str| u16::from_str_radix(line.split_whitespace().nth(1)?.split_once(':')?.1, 16).ok();
    table.lines().skip(1).filter_map(port).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            \x20 221: 0200A8C0:1151 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 23552 2 0 0\n";
        assert_eq!(ports(table), [0x1151]);
        assert!(ports("").is_empty());
    }
}
