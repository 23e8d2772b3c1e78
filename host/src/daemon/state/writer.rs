//! One thread that writes for everybody, so that many writes share one wait for the disk.

use std::io;
use std::sync::{Arc, Weak, mpsc};

use redb::{Database, WriteTransaction};
use tokio::sync::oneshot;

use super::StateError;

/// The most writes in one commit.
const BATCH_MAX: usize = 512;

pub(super) type Work = Box<dyn FnOnce(&WriteTransaction) -> Result<(), redb::Error> + Send>;

/// A write, and who waits for it.
struct Wish {
    work: Work,
    done: oneshot::Sender<Result<(), StateError>>,
}

/// Hands writes to the thread. The thread ends with the last of these, after what was asked for.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Wish>);

impl Writer {
    pub(super) fn start(database: &Arc<Database>) -> io::Result<Self> {
        let (sender, wishes) = mpsc::channel();
        // Weak, so that the database closes with its last user, though this thread may end a moment later.
        let database = Arc::downgrade(database);
        std::thread::Builder::new().name("samebit-state".to_owned()).spawn(move || run(&database, &wishes))?;
        Ok(Self(sender))
    }

    /// Puts a write in line. It is on disk when the future resolves, whether or not anybody waits for it.
    pub(super) fn write(&self, work: Work) -> impl Future<Output = Result<(), StateError>> + Send + use<> {
        let (done, answer) = oneshot::channel();
        let sent = self.0.send(Wish { work, done });
        async move {
            sent.map_err(|_| StateError::Write("the writer has ended".to_owned()))?;
            answer.await.unwrap_or_else(|_| Err(StateError::Write("the writer has ended".to_owned())))
        }
    }
}

/// Writes until nobody can ask any more, or until a write failed: what came after it may build on it.
fn run(database: &Weak<Database>, wishes: &mpsc::Receiver<Wish>) {
    while let Ok(first) = wishes.recv() {
        let batch = std::iter::once(first).chain(wishes.try_iter().take(BATCH_MAX - 1));
        let (work, waiting): (Vec<_>, Vec<_>) = batch.map(|wish| (wish.work, wish.done)).unzip();
        // Gone with everybody who could care: what nobody waits for may be lost.
        let Some(open) = database.upgrade() else { return };
        let written = commit(&open, work).map_err(|error| StateError::Write(error.to_string()));
        drop(open);
        let failed = written.is_err();
        for done in waiting {
            // Whoever is gone need not be told.
            let _ = done.send(written.clone());
        }
        if failed {
            return;
        }
    }
}

fn commit(database: &Database, work: Vec<Work>) -> Result<(), redb::Error> {
    let write = database.begin_write()?;
    for one in work {
        one(&write)?;
    }
    write.commit()?;
    Ok(())
}
