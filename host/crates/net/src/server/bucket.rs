//! How many requests a peer may make now.

use std::time::Instant;

use super::PeerBounds;

/// A bucket of tokens, one for each request, that fills steadily.
pub(super) struct Bucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    pub(super) fn new(bounds: &PeerBounds, now: Instant) -> Self {
        let burst = f64::from(bounds.requests_burst);
        Self { per_second: f64::from(bounds.requests_per_second), burst, tokens: burst, filled: now }
    }

    /// Follows a policy that has changed since.
    pub(super) fn adjust(&mut self, bounds: &PeerBounds) {
        self.per_second = f64::from(bounds.requests_per_second);
        self.burst = f64::from(bounds.requests_burst);
        self.tokens = self.tokens.min(self.burst);
    }

    fn level(&self, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.tokens + seconds * self.per_second).min(self.burst)
    }

    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.level(now) >= self.burst
    }

    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.tokens = self.level(now);
        self.filled = now;
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_allows_a_burst_and_then_a_rate() {
        let bounds = PeerBounds { requests_per_second: 10, requests_burst: 3, ..PeerBounds::default() };
        let start = Instant::now();
        let mut bucket = Bucket::new(&bounds, start);
        let taken = |bucket: &mut Bucket, now| (0..10).filter(|_| bucket.take(now)).count();
        assert_eq!(taken(&mut bucket, start), 3);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(210)), 2);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(3600)), 3);
        assert_eq!(taken(&mut bucket, start), 0, "a clock that goes back gives nothing");
    }
}
