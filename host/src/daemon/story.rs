//! What happened to one job: told to whoever follows it, from any event on, as often as they ask.
//!
//! Numbers go up and are never given twice. A story has a bound in bytes: progress replaces the progress before it, and
//! of a long log the oldest lines are dropped. State changes stay.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream::{self, BoxStream, StreamExt};
use samebit_net::message::{EventKind, JobEvent, LogLevel, Refusal, Text};
use samebit_runner::engine::{Event, Level, Observer};
use tokio::sync::Notify;

/// What a story may hold, in bytes of text.
const BYTES_MAX: usize = 256 << 10;
/// What is written down of it when the job ends.
const KEPT_BYTES_MAX: usize = 64 << 10;
/// What an event costs besides its text.
const EVENT_BYTES: usize = 64;

/// A job's events.
#[derive(Debug)]
pub(crate) struct Story {
    told: Mutex<Told>,
    /// Notified of each event. A `watch` would do it too, in ten times the memory, and thousands of stories wait.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Told {
    events: VecDeque<JobEvent>,
    bytes: usize,
    next: u64,
    ended: bool,
}

impl Story {
    /// A story that begins with this number.
    pub(crate) fn new(first: u64) -> Arc<Self> {
        let told = Told { next: first, ..Told::default() };
        Arc::new(Self { told: Mutex::new(told), changed: Notify::new() })
    }

    /// A story that was written down.
    pub(crate) fn of(events: Vec<JobEvent>) -> Arc<Self> {
        let next = events.last().map_or(0, |event| event.seq + 1);
        let story = Self::new(next);
        story.lock().events = events.into();
        story.lock().ended = true;
        story
    }

    /// Tells the next event. Nothing follows the last.
    pub(crate) fn tell(&self, kind: EventKind) {
        self.lock().tell(kind);
        self.changed.notify_waiters();
    }

    /// The number of the last event.
    pub(crate) fn last_seq(&self) -> u64 {
        self.lock().next.saturating_sub(1)
    }

    /// What is worth writing down, up to now and with this for an end.
    pub(crate) fn with_end(&self, end: EventKind) -> Vec<JobEvent> {
        let told = self.lock();
        let mut bytes = 0;
        let mut kept: Vec<_> = told
            .events
            .iter()
            .rev()
            .take_while(|event| {
                bytes += cost(&event.kind);
                bytes <= KEPT_BYTES_MAX
            })
            .cloned()
            .collect();
        kept.reverse();
        kept.push(JobEvent { seq: told.next, kind: end });
        kept
    }

    /// The events from a number on, and those to come.
    pub(crate) fn follow(self: &Arc<Self>, from_seq: u64) -> BoxStream<'static, Result<JobEvent, Refusal>> {
        let follower = Follower { story: self.clone(), at: from_seq, ready: VecDeque::new() };
        stream::unfold(follower, |mut follower| async move {
            let event = follower.next_event().await?;
            Some((Ok(event), follower))
        })
        .boxed()
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn tell(&mut self, kind: EventKind) {
        if self.ended {
            return;
        }
        if let Some(old) = self.replaced(&kind).and_then(|at| self.events.remove(at)) {
            self.bytes -= cost(&old.kind);
        }
        self.ended = kind.is_last();
        self.bytes += cost(&kind);
        if self.events.is_empty() {
            // Most jobs wait with one event, where room for several would be made.
            self.events.reserve_exact(1);
        }
        self.events.push_back(JobEvent { seq: self.next, kind });
        self.next += 1;
        while self.bytes > BYTES_MAX && self.drop_oldest() {}
    }

    /// The event that this one makes old news: the last, or if several blobs travel the last of the same one.
    fn replaced(&self, kind: &EventKind) -> Option<usize> {
        let travels = |event: &&JobEvent| matches!(event.kind, EventKind::Fetching { .. });
        let last = if matches!(kind, EventKind::Fetching { .. }) {
            self.events.iter().rev().take_while(travels).position(|event| replaces(kind, &event.kind))?
        } else {
            self.events.back().filter(|last| replaces(kind, &last.kind)).map(|_| 0)?
        };
        Some(self.events.len() - 1 - last)
    }

    /// Drops the oldest event that is not a change of state.
    fn drop_oldest(&mut self) -> bool {
        let passing = |event: &JobEvent| {
            matches!(event.kind, EventKind::Log { .. } | EventKind::Progress { .. } | EventKind::Fetching { .. })
        };
        let oldest = self.events.iter().position(passing).and_then(|at| self.events.remove(at));
        self.bytes -= oldest.as_ref().map_or(0, |event| cost(&event.kind));
        oldest.is_some()
    }
}

/// Somebody who follows a story.
struct Follower {
    story: Arc<Story>,
    at: u64,
    ready: VecDeque<JobEvent>,
}

impl Follower {
    async fn next_event(&mut self) -> Option<JobEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.at = event.seq + 1;
                return Some(event);
            }
            // Made before the story is read, so that what is told in between wakes us.
            let changed = self.story.changed.notified();
            let ended = {
                let told = self.story.lock();
                self.ready.extend(told.events.iter().filter(|event| event.seq >= self.at).take(64).cloned());
                told.ended
            };
            match (self.ready.is_empty(), ended) {
                (false, _) => {}
                (true, true) => return None,
                (true, false) => changed.await,
            }
        }
    }
}

/// True if an event makes the one before it old news.
fn replaces(kind: &EventKind, last: &EventKind) -> bool {
    match (kind, last) {
        (EventKind::Progress { .. }, EventKind::Progress { .. })
        | (EventKind::Queued { .. }, EventKind::Queued { .. }) => true,
        (EventKind::Fetching { blob, .. }, EventKind::Fetching { blob: last, .. }) => blob == last,
        _ => false,
    }
}

fn cost(kind: &EventKind) -> usize {
    let text = match kind {
        EventKind::Log { text, .. } => text.as_str().len(),
        EventKind::Done { receipt } => receipt.len(),
        _ => 0,
    };
    EVENT_BYTES + text
}

impl Observer for Story {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Progress { done, total } => self.tell(EventKind::Progress { done, total }),
            Event::Log(level, text) => self.tell(EventKind::Log { level: log_level(level), text: Text::fit(text) }),
            // The operator's to know: the wording is the compiler's, and the device is in the receipt.
            Event::KernelRefused(text) => tracing::info!("kernel refused: {}", crate::output::clean(text)),
            Event::DeviceOpened(name) => tracing::debug!("device: {}", crate::output::clean(name)),
        }
    }
}

fn log_level(level: Level) -> LogLevel {
    match level {
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warn,
        Level::Info => LogLevel::Info,
        Level::Debug => LogLevel::Debug,
        Level::Trace => LogLevel::Trace,
    }
}

#[cfg(test)]
mod tests {
    use samebit_runner::spec::BlobRef;

    use super::*;

    fn log(text: &str) -> EventKind {
        EventKind::Log { level: LogLevel::Info, text: Text::fit(text) }
    }

    async fn follow(story: &Arc<Story>, from_seq: u64) -> Vec<u64> {
        story.follow(from_seq).map(|event| event.expect("told").seq).collect().await
    }

    #[tokio::test]
    async fn a_follower_resumes_where_it_left() {
        let story = Story::new(0);
        for kind in [EventKind::Queued { position: 0 }, EventKind::Compiling, EventKind::Running, log("a")] {
            story.tell(kind);
        }
        let mut events = story.follow(2);
        assert_eq!(events.next().await.map(|event| event.expect("told").seq), Some(2));
        assert_eq!(events.next().await.map(|event| event.expect("told").seq), Some(3));
        let late = tokio::spawn(async move { events.next().await.map(|event| event.expect("told").kind) });
        tokio::task::yield_now().await;
        story.tell(EventKind::Cancelled);
        assert_eq!(late.await.expect("no panic"), Some(EventKind::Cancelled));
        story.tell(log("too late"));
        assert_eq!(follow(&story, 0).await, [0, 1, 2, 3, 4]);
        assert!(follow(&story, 9).await.is_empty());
    }

    #[tokio::test]
    async fn progress_replaces_progress() {
        let story = Story::new(7);
        for done in 0..1_000 {
            story.tell(EventKind::Progress { done, total: 1_000 });
        }
        story.tell(EventKind::Cancelled);
        assert_eq!(follow(&story, 0).await, [1_006, 1_007]);
    }

    #[tokio::test]
    async fn blobs_that_travel_together_take_one_event_each() {
        let story = Story::new(0);
        for done_bytes in 0..10_000 {
            for blob in [BlobRef::of(b"a"), BlobRef::of(b"b")] {
                story.tell(EventKind::Fetching { blob, done_bytes });
            }
        }
        story.tell(EventKind::Cancelled);
        assert_eq!(follow(&story, 0).await, [19_998, 19_999, 20_000]);
    }

    #[tokio::test]
    async fn a_long_log_loses_its_oldest_lines_and_no_change_of_state() {
        let story = Story::new(0);
        story.tell(EventKind::Running);
        for _ in 0..1_000 {
            story.tell(log(&"x".repeat(4_000)));
        }
        assert!(story.lock().bytes <= BYTES_MAX);
        let kept = story.with_end(EventKind::Cancelled);
        assert!(kept.len() > 10 && kept.iter().map(|event| cost(&event.kind)).sum::<usize>() <= KEPT_BYTES_MAX + 100);
        assert_eq!(kept.last().map(|event| event.seq), Some(1_001));
        story.tell(EventKind::Cancelled);
        let seen = follow(&story, 0).await;
        assert_eq!((seen[0], seen.last()), (0, Some(&1_001)));
        assert!(seen.is_sorted());
    }

    #[tokio::test]
    async fn a_story_that_was_written_down_is_told_as_it_was() {
        let story = Story::new(3);
        story.tell(EventKind::Running);
        let kept = Story::of(story.with_end(EventKind::Cancelled));
        assert_eq!((follow(&kept, 0).await, kept.last_seq()), (vec![3, 4], 4));
    }
}
