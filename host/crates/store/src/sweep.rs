//! Removing blobs from the index, which iroh-blobs does for nobody but its own garbage collection.
//!
//! That would run at intervals and remove what nothing marks, and it may lose blobs that are marked while it runs (its
//! issue 247). Here it runs when it is told to, and is told what stays: everything that the index lists but the victims,
//! which were chosen because nobody holds them. What comes into the index between that list and the sweep has a mark
//! from before, and no mark is dropped until the sweep is over ([`Shelf::sweeping`](crate::shelf::Shelf::sweeping)).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use iroh_blobs::Hash;
use iroh_blobs::store::{GcConfig, ProtectCb, ProtectOutcome};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::DatabaseError;

/// What the collection is told.
enum Order {
    /// To remove everything but these, and to say when it is done.
    Sweep { stay: Vec<Hash>, done: oneshot::Sender<()> },
    /// That the index is closed: it finds that out itself, and ends.
    End,
}

/// Gives orders to the collection of one index.
#[derive(Debug, Clone)]
pub(crate) struct Sweeper(mpsc::UnboundedSender<Order>);

struct Orders {
    orders: mpsc::UnboundedReceiver<Order>,
    under_way: Option<oneshot::Sender<()>>,
}

/// A sweeper, and how the index is configured for it.
pub(crate) fn sweeper() -> (Sweeper, GcConfig) {
    let (sender, orders) = mpsc::unbounded_channel();
    let orders = Arc::new(Mutex::new(Orders { orders, under_way: None }));
    // Asked before every run. The runs follow each other without a pause, so this is where they wait.
    let add_protected: ProtectCb = Arc::new(move |stays: &mut HashSet<Hash>| {
        let orders = orders.clone();
        Box::pin(async move { orders.lock().await.next(stays).await })
    });
    (Sweeper(sender), GcConfig { interval: Duration::ZERO, add_protected: Some(add_protected) })
}

impl Orders {
    async fn next(&mut self, stays: &mut HashSet<Hash>) -> ProtectOutcome {
        // It asks again: what it did before is done. Had that failed, it would not ask.
        if let Some(done) = self.under_way.take() {
            // Whoever waited may be gone.
            let _ = done.send(());
        }
        match self.orders.recv().await {
            Some(Order::Sweep { stay, done }) => {
                stays.extend(stay);
                self.under_way = Some(done);
                ProtectOutcome::Continue
            }
            // Nothing stays, and nothing is there to be removed from: the next step fails, and that is the end.
            Some(Order::End) => ProtectOutcome::Continue,
            None => std::future::pending().await,
        }
    }
}

impl Sweeper {
    /// Removes everything from the index but what stays and what is marked.
    pub(crate) async fn sweep(&self, stay: Vec<Hash>) -> Result<(), DatabaseError> {
        let (done, swept) = oneshot::channel();
        let ended = |_| DatabaseError::new("its collection has ended");
        self.0.send(Order::Sweep { stay, done }).map_err(|error| DatabaseError::new(error.to_string()))?;
        swept.await.map_err(ended)
    }

    /// Ends the collection of an index that is closed. Without this its threads would stay.
    pub(crate) fn end(&self) {
        // It may have ended by itself.
        let _ = self.0.send(Order::End);
    }
}
