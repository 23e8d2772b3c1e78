//! How a job ends: once, on disk first, then told.

use samebit_net::message::{EventKind, Text};
use samebit_runner::spec::{BlobRef, ChainHead, JobId, Receipt};

use super::Jobs;
use super::table::Phase;
use crate::daemon::state::{End, Link};

impl Jobs {
    /// Ends a job with a receipt that the store keeps.
    pub(super) async fn finish(&self, id: &JobId, receipt: Receipt) {
        let (job, bytes) = (*id, receipt.encode());
        let file = BlobRef::of(&bytes);
        self.means().metrics.ran(receipt.outcome.fuel, receipt.measured.run_time_us);
        self.means().open.add_receipt(file.hash, &receipt);
        let key = &self.means().machine.key;
        self.end_as(id, |head| {
            let entry = head.sign(receipt.id(), file, key);
            (End::Done { sequence: entry.sequence }, Some(Link { job, entry, receipt: bytes }))
        })
        .await;
    }

    /// Ends a job without a receipt.
    pub(super) async fn end(&self, id: &JobId, end: End) {
        self.end_as(id, |_| (end, None)).await;
    }

    /// Cancels a job if it waits in line, where no task would.
    pub(super) async fn cancel_if_waiting(&self, id: &JobId) {
        let waits = {
            let mut table = self.lock();
            let waits = table.active.get(id).is_some_and(|active| active.phase == Phase::Waiting);
            // Out of the line first, so that it is not begun meanwhile.
            waits && (table.runs.remove(id) || table.fetches.remove(id))
        };
        if waits {
            let (jobs, id) = (self.clone(), *id);
            // On its own, so that it is finished even if the peer goes away.
            let ended = self.means().guests.spawn(async move { jobs.end(&id, End::Cancelled).await });
            let _ = ended.await;
        }
    }

    async fn end_as(&self, id: &JobId, how: impl FnOnce(&ChainHead) -> (End, Option<Link>)) {
        let (written, event, story) = {
            let mut table = self.lock();
            let table = &mut *table;
            let Some(active) = table.active.get_mut(id).filter(|active| active.record.end.is_none()) else { return };
            let (end, link) = how(&table.head);
            if let Some(link) = &link {
                table.head = ChainHead::after(&link.entry);
            }
            let event = last_event(&end, link.as_ref());
            // The receipt is in the chain, and not written twice.
            let kept = active.story.with_end(last_event(&end, None));
            active.record.last_seq = kept.last().map_or(0, |event| event.seq);
            active.record.end = Some(end);
            (self.means().state.end(&active.record, &kept, link.as_ref()), event, active.story.clone())
        };
        if let Err(error) = written.await {
            self.broken(&error);
            return;
        }
        let ended = self.lock().remove(id);
        // What it needed may go from here on, and what it wrote too.
        drop(ended);
        tracing::info!("{}", word(&event));
        self.means().metrics.ended(&event);
        story.tell(event);
        self.0.changed.send_replace(());
        self.pump();
        drop(self.means().room.make(0).await);
    }
}

fn last_event(end: &End, link: Option<&Link>) -> EventKind {
    match end {
        End::Done { .. } => EventKind::Done { receipt: link.map(|link| link.receipt.clone()).unwrap_or_default() },
        End::Failed { reason } => EventKind::Failed { reason: Text::fit(reason) },
        End::Cancelled => EventKind::Cancelled,
    }
}

fn word(event: &EventKind) -> &'static str {
    match event {
        EventKind::Done { .. } => "done",
        EventKind::Failed { .. } => "failed",
        _ => "cancelled",
    }
}
