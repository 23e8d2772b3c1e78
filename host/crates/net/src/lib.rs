//! Samebit between machines: the protocol `samebit/1`, its server and its client.
//!
//! Every peer is hostile until shown otherwise. What arrives is authenticated by the peer's key, framed, bounded, paced
//! and decoded strictly before anything acts on it, and blobs are checked against their hashes as they come. The crate
//! moves messages and blobs. It decides nothing about jobs: that is for the [`Service`] behind it.
//!
//! The protocol is specified in `docs/PROTOCOL.md`, with vectors.

mod address;
mod announce;
mod client;
pub mod collection;
mod fetch;
pub mod frame;
pub mod local;
pub mod message;
mod node;
#[cfg(feature = "relay")]
pub mod relay;
mod server;
mod service;

pub use address::{AddressError, BlobAddress};
pub use announce::{
    ANNOUNCEMENT_BYTES_MAX, Announcement, AnnouncementError, CLOCK_AHEAD_MS_MAX, Crowd, CrowdError, HOSTS_MAX,
    LIFETIME_S_MAX, Notice,
};
pub use client::{Client, ClientError, Ending, Story};
pub use fetch::{FetchError, FetchProgress, Fetcher, ProviderFault, Wish};
pub use node::{CONNECT_TIME, Dht, MaySend, MayServe, Node, NodeConfig, NodeError, Reach, Relays};
pub use samebit_store as store;
pub use server::{Connection, Crowded, PeerBounds, Place, Server, ServerBounds};
pub use service::{Answer, Answers, CancelReason, Peer, Service};

/// The protocol's name where a connection is made.
pub const ALPN: &[u8] = b"samebit/1";
