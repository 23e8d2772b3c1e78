//! The way of one job at a host: it is submitted, followed, and what its receipt names is brought here.
//!
//! Where the connection breaks, it is made again and the story goes on where it was. A receipt that comes back is signed
//! by the host that was asked and of the job that was asked for: the client hands on no other.

use std::path::Path;
use std::time::Duration;

use samebit_net::message::{Accepted, EventKind, FetchWish, JobEvent, LocalRequest, OnDisconnect, Submit};
use samebit_net::{ClientError, Ending, Story};
use samebit_runner::spec::{BlobRef, JobSpec, Publication, Receipt};
use samebit_runner::store::Pin;

use super::{Desk, Line};
use crate::error::Failure;

/// How long to wait before a lost connection is made again the first time. Doubled for each further one.
const RETRY_WAIT: Duration = Duration::from_millis(250);

/// What is to be done with jobs, and where.
pub(crate) struct Order<'a> {
    /// From where.
    pub(crate) desk: &'a Desk,
    /// The host.
    pub(crate) line: &'a Line,
    /// True to leave as soon as the host has everything it needs.
    pub(crate) detach: bool,
    /// What becomes of a job when this side goes away.
    pub(crate) on_disconnect: OnDisconnect,
    /// The author's publication of the module.
    pub(crate) publication: Option<&'a Publication>,
    /// How often a lost connection is made again before the job is given up.
    pub(crate) retries: u32,
}

impl Order<'_> {
    /// Submits a job, whose blobs the host fetches from here.
    pub(crate) async fn place(&self, job: &JobSpec) -> Result<(Accepted, Story), ClientError> {
        self.desk.offer(job.blobs().map(|blob| blob.hash));
        let submit = Submit {
            job: job.clone(),
            publication: self.publication.cloned(),
            providers: vec![self.desk.provider()],
            on_disconnect: self.on_disconnect,
        };
        self.line.client(self.desk).await?.submit(submit).await
    }

    /// Follows a job to its end, or if detaching until the host needs nothing more: then there is no ending. Connects
    /// again where the connection breaks.
    pub(crate) async fn follow(
        &self,
        mut story: Story,
        tell: &mut (dyn FnMut(&JobEvent) + Send),
    ) -> Result<Option<Ending>, ClientError> {
        let mut broken = 0;
        loop {
            let lost = match self.follow_once(&mut story, tell).await {
                Ok(ending) => return Ok(ending),
                Err(error) => error,
            };
            if !lost.is_transient() || broken == self.retries {
                return Err(lost);
            }
            tracing::info!("{lost}");
            tokio::time::sleep(RETRY_WAIT * (1 << broken)).await;
            broken += 1;
            let (job, next_seq) = (story.job(), story.next_seq());
            let again = async { self.line.client(self.desk).await?.events(job, next_seq).await };
            match again.await {
                Ok(found) => story = found,
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn follow_once(
        &self,
        story: &mut Story,
        tell: &mut (dyn FnMut(&JobEvent) + Send),
    ) -> Result<Option<Ending>, ClientError> {
        if !self.detach {
            return story.finish(|event| tell(&event)).await.map(Some);
        }
        let mut fetched = false;
        while let Some(event) = story.next().await? {
            tell(&event);
            match event.kind {
                EventKind::Fetching { .. } => fetched = true,
                // In line again, and this time to run.
                EventKind::Queued { .. } if fetched => break,
                EventKind::Queued { .. } => {}
                _ => break,
            }
        }
        Ok(None)
    }

    /// Fetches what a receipt names into the store, and keeps all of it there if the store lasts. This user's daemon has
    /// both already.
    pub(crate) async fn bring(&self, receipt: &Receipt) -> Result<Vec<Pin>, Failure> {
        let Some(provider) = self.line.provider() else { return Ok(Vec::new()) };
        let blobs = receipt.outcome.outputs.values().chain([&receipt.outcome.log]).copied().collect::<Vec<_>>();
        let pins = self.desk.fetch(&blobs, std::slice::from_ref(provider)).await?;
        if self.desk.is_lasting() {
            self.desk.store.keep(receipt).await.map_err(|error| Failure::host("store", error.to_string()))?;
        }
        Ok(pins)
    }

    /// Writes a blob that the host has made to a file: from the store, or if the daemon has the store, by the daemon.
    pub(crate) async fn export(&self, blob: &BlobRef, path: &Path) -> Result<(), Failure> {
        let desk = self.desk;
        if let Some(provider) = self.line.provider() {
            let pins = desk.fetch(&[*blob], std::slice::from_ref(provider)).await?;
            desk.store.export(&blob.hash, path).await?;
            drop(pins);
            return Ok(());
        }
        let failed =
            |why: &dyn std::fmt::Display| Failure::host("output", format!("cannot write {}: {why}", path.display()));
        let path = std::path::absolute(path).map_err(|error| failed(&error))?;
        let text = path.to_str().ok_or_else(|| failed(&"the path is not UTF-8"))?.to_owned();
        let wish =
            FetchWish { hash: blob.hash, size_bytes: Some(blob.size_bytes), providers: Vec::new(), out: Some(text) };
        let client = self.line.client(desk).await?;
        Ok(client.local(LocalRequest::Fetch(wish), |_| ()).await?)
    }
}
