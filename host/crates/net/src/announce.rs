//! Hosts tell of themselves, and everybody remembers for a while.
//!
//! An announcement is signed by the host that it is of, and expires. It is gossiped: each node passes on what it hears,
//! so what a stranger sends is checked before it is kept, and what is kept is bounded, in number and in what one
//! neighbor can add. An announcement proves who made it and nothing else: whether a host is up, idle or as able as it
//! says shows when it is asked.

mod crowd;
mod retell;
mod table;

use samebit_spec::{DecodeError, HostKey, SecretKey, Signature};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use crowd::gossip;
pub use crowd::{Crowd, CrowdError};
pub use table::HOSTS_MAX;

use crate::message::{HostInfo, Provider};

/// The longest announcement, in bytes.
pub const ANNOUNCEMENT_BYTES_MAX: usize = 8 << 10;
/// The longest that an announcement may say it is good for.
pub const LIFETIME_S_MAX: u32 = 3600;
/// How far another host's clock may be ahead of ours, in milliseconds.
pub const CLOCK_AHEAD_MS_MAX: u64 = 120_000;
/// The key-derivation context of what is signed.
const CONTEXT: &str = "samebit 2026 announcement v1";

/// A host's signed word about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// What it says.
    pub notice: Notice,
    /// Its signature over the notice's canonical bytes.
    pub signature: Signature,
}

/// What a host says of itself to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is and offers.
    pub info: HostInfo,
    /// How to reach it.
    pub provider: Provider,
    /// When it said so, in milliseconds since 1970-01-01 UTC by its clock.
    pub announced_unix_ms: u64,
    /// How long it is good for, in seconds, at most [`LIFETIME_S_MAX`].
    pub lifetime_s: u32,
}

/// Why an announcement is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnnouncementError {
    /// The bytes are no announcement.
    #[error("not an announcement: {0}")]
    Decode(#[from] DecodeError),
    /// The signature is not the host's.
    #[error("bad signature: it is not host {0}'s over this announcement; it was changed or forged")]
    BadSignature(HostKey),
    /// It is about another host than the one that signed.
    #[error("not an announcement: host {0} gives the addresses of another host")]
    OtherHost(HostKey),
    /// It says to be good for longer than any may.
    #[error("not an announcement: it says to be good for {0} s, at most {LIFETIME_S_MAX} are allowed")]
    Lifetime(u32),
    /// It is not good any more.
    #[error("the announcement has expired")]
    Expired,
    /// It comes from the future.
    #[error("the announcement is from the future: one of the clocks is wrong")]
    Future,
    /// A newer one of the same host is known.
    #[error("a newer announcement of the host is known")]
    Older,
    /// Too many hosts are known, or came from one neighbor.
    #[error("too many hosts: no room for another announcement")]
    Full,
}

impl Notice {
    /// Signs it.
    pub fn sign(self, key: &SecretKey) -> Announcement {
        let signature = key.sign_as(CONTEXT, &samebit_spec::encode(&self));
        Announcement { notice: self, signature }
    }

    /// When it stops being good, in milliseconds since 1970-01-01 UTC.
    pub fn expires_unix_ms(&self) -> u64 {
        self.announced_unix_ms.saturating_add(u64::from(self.lifetime_s) * 1000)
    }

    fn check(&self) -> Result<(), AnnouncementError> {
        self.info.check()?;
        self.provider.check()?;
        if self.provider.host != self.info.host {
            return Err(AnnouncementError::OtherHost(self.info.host));
        }
        if self.lifetime_s > LIFETIME_S_MAX {
            return Err(AnnouncementError::Lifetime(self.lifetime_s));
        }
        Ok(())
    }

    /// Checks it against this machine's clock.
    fn check_time(&self, now_unix_ms: u64) -> Result<(), AnnouncementError> {
        if self.expires_unix_ms() <= now_unix_ms {
            Err(AnnouncementError::Expired)
        } else if self.announced_unix_ms > now_unix_ms.saturating_add(CLOCK_AHEAD_MS_MAX) {
            Err(AnnouncementError::Future)
        } else {
            Ok(())
        }
    }
}

impl Announcement {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        samebit_spec::encode(self)
    }

    /// Reads an announcement, and checks its bounds and its signature. No part of one that fails is released.
    pub fn decode(bytes: &[u8]) -> Result<Self, AnnouncementError> {
        if bytes.len() > ANNOUNCEMENT_BYTES_MAX {
            return Err(DecodeError::TooLong(bytes.len()).into());
        }
        let announcement: Self = samebit_spec::decode(bytes)?;
        announcement.notice.check()?;
        let host = announcement.notice.info.host;
        let signed = samebit_spec::encode(&announcement.notice);
        if host.verifies_as(CONTEXT, &signed, &announcement.signature) {
            Ok(announcement)
        } else {
            Err(AnnouncementError::BadSignature(host))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use samebit_spec::Limits;

    use super::*;
    use crate::message::{Load, Text};

    pub(crate) fn notice(key: &SecretKey, announced_unix_ms: u64) -> Notice {
        let host = key.public();
        Notice {
            info: HostInfo {
                host,
                program: Text::fit("samebit test"),
                devices: Vec::new(),
                caps: Limits::default(),
                load: Load::default(),
                price: None,
                labels: vec![Text::fit("region=eu")],
                receipts: 0,
            },
            provider: Provider::of_key(host),
            announced_unix_ms,
            lifetime_s: 60,
        }
    }

    fn key(number: u8) -> SecretKey {
        SecretKey::from_bytes(&[number; 32])
    }

    #[test]
    fn an_announcement_is_its_hosts_alone() {
        let announcement = notice(&key(1), 1000).sign(&key(1));
        assert_eq!(Announcement::decode(&announcement.encode()).as_ref(), Ok(&announcement));
        let forged = notice(&key(1), 1000).sign(&key(2));
        let error = Announcement::decode(&forged.encode()).expect_err("forged");
        assert_eq!(error, AnnouncementError::BadSignature(key(1).public()));
        let bytes = announcement.encode();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            Announcement::decode(&changed).expect_err("one bit changed");
        }
    }

    #[test]
    fn what_breaks_a_rule_is_refused_though_signed() {
        let mut long = notice(&key(1), 1000);
        long.lifetime_s = LIFETIME_S_MAX + 1;
        let error = Announcement::decode(&long.sign(&key(1)).encode()).expect_err("too long");
        assert_eq!(error, AnnouncementError::Lifetime(LIFETIME_S_MAX + 1));
        let mut other = notice(&key(1), 1000);
        other.provider = Provider::of_key(key(2).public());
        let error = Announcement::decode(&other.sign(&key(1)).encode()).expect_err("another's address");
        assert_eq!(error, AnnouncementError::OtherHost(key(1).public()));
        let mut many = notice(&key(1), 1000);
        many.info.labels = vec![Text::fit("x"); 33];
        Announcement::decode(&many.sign(&key(1)).encode()).expect_err("too many labels");
    }

    #[test]
    fn the_clock_decides_what_is_good() {
        let notice = notice(&key(1), 1_000_000);
        assert_eq!(notice.check_time(1_000_000), Ok(()));
        assert_eq!(notice.check_time(1_059_999), Ok(()));
        assert_eq!(notice.check_time(1_060_000), Err(AnnouncementError::Expired));
        assert_eq!(notice.check_time(1_000_000 - CLOCK_AHEAD_MS_MAX), Ok(()));
        assert_eq!(notice.check_time(999_999 - CLOCK_AHEAD_MS_MAX), Err(AnnouncementError::Future));
        let mut for_ever = notice;
        for_ever.announced_unix_ms = u64::MAX;
        assert_eq!(for_ever.check_time(1), Err(AnnouncementError::Future));
    }
}
