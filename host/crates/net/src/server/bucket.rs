//! How much somebody may have now of what comes at a rate, such as requests.

use std::time::Instant;

/// A bucket of tokens, one for each of what is counted, that fills steadily.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        let burst = f64::from(burst);
        Self { per_second: f64::from(per_second), burst, tokens: burst, filled: now }
    }

    /// Follows a policy that has changed since.
    pub(crate) fn adjust(&mut self, per_second: u32, burst: u32) {
        self.per_second = f64::from(per_second);
        self.burst = f64::from(burst);
        self.tokens = self.tokens.min(self.burst);
    }

    /// How many tokens there are.
    pub(crate) fn level(&self, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.tokens + seconds * self.per_second).min(self.burst)
    }

    /// True if it might as well be a new one.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.level(now) >= self.burst
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
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
        let start = Instant::now();
        let mut bucket = Bucket::new(10, 3, start);
        let taken = |bucket: &mut Bucket, now| (0..10).filter(|_| bucket.take(now)).count();
        assert_eq!(taken(&mut bucket, start), 3);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(210)), 2);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(3600)), 3);
        assert_eq!(taken(&mut bucket, start), 0, "a clock that goes back gives nothing");
    }
}
