//! Samebit between machines: the protocol `samebit/1`, its server and its client.
//!
//! Every peer is hostile until shown otherwise. What arrives is authenticated by the peer's key, framed, bounded, paced
//! and decoded strictly before anything acts on it, and blobs are checked against their hashes as they come. The crate
//! moves messages and blobs. It decides nothing about jobs: that is for the [`Service`] behind it.
//!
//! The protocol is specified in `docs/PROTOCOL.md`, with vectors.

pub mod frame;
pub mod message;
mod service;

pub use samebit_store as store;
pub use service::{Answer, Answers, CancelReason, Peer, Service};
