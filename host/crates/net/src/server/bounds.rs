//! How much a peer, and all peers together, may take of a host.

use std::time::Duration;

/// What all peers together may take.
#[derive(Debug, Clone)]
pub struct ServerBounds {
    /// Connections at once.
    pub connections: usize,
    /// Requests over 64 KiB in memory at once: only jobs with very many inputs are that long. One peer has half of them
    /// at most.
    pub long_requests: usize,
    /// How long a request may take to arrive, from the beginning of its stream.
    pub request_time: Duration,
    /// How long a peer may take to make room for a response.
    pub response_time: Duration,
}

/// What one peer may take. A host's policy gives each its own.
#[derive(Debug, Clone)]
pub struct PeerBounds {
    /// Connections at once.
    pub connections: usize,
    /// Streams of one connection that are answered at once. Further ones wait.
    pub streams: usize,
    /// Requests per second in the long run.
    pub requests_per_second: u32,
    /// Requests that may come at once, after a quiet time.
    pub requests_burst: u32,
}

impl Default for ServerBounds {
    fn default() -> Self {
        Self {
            connections: 512,
            long_requests: 4,
            request_time: Duration::from_secs(5),
            response_time: Duration::from_secs(30),
        }
    }
}

impl Default for PeerBounds {
    fn default() -> Self {
        Self { connections: 8, streams: 64, requests_per_second: 1000, requests_burst: 2000 }
    }
}
