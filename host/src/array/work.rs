//! One job of an array at one host, and what is written of it in the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use samebit_net::message::OnDisconnect;
use samebit_net::{ClientError, Ending};
use samebit_runner::spec::{HostKey, Publication, Receipt};
use samebit_runner::store::{ImportBy, Pin};

use super::compare::Agreement;
use super::each::Own;
use super::plan::Plan;
use super::spread::{Task, Trouble};
use crate::cli::files;
use crate::error::Failure;
use crate::remote::{Desk, Line, Order};

/// How often a lost connection is made again for a job before it is tried elsewhere.
const RETRIES: u32 = 1;

/// What all jobs have in common on their way.
pub(crate) struct Work<'a> {
    /// From where.
    pub(crate) desk: &'a Desk,
    /// The jobs.
    pub(crate) plan: &'a Plan,
    /// The ways to the hosts.
    pub(crate) lines: &'a BTreeMap<HostKey, Line>,
    /// The author's publication of the module.
    pub(crate) publication: Option<&'a Publication>,
    /// What becomes of a job when this side goes away.
    pub(crate) on_disconnect: OnDisconnect,
    /// How long a host may take for a job, from its submission to its last output.
    pub(crate) try_time: Duration,
    /// Where outputs go.
    pub(crate) out: Option<&'a Path>,
    /// Where receipts go.
    pub(crate) receipts: Option<&'a Path>,
    /// How many hosts do each job.
    pub(crate) replicas: usize,
}

/// A receipt, with what holds its blobs in the store.
pub(crate) type Got = (Box<Receipt>, Vec<Pin>);

/// Why a job came to nothing at a host.
#[derive(Debug)]
pub(crate) enum Snag {
    /// It can go on elsewhere, or later.
    Trouble(Trouble, String),
    /// It cannot go on at all: something is wrong here.
    Fatal(Failure),
}

impl Work<'_> {
    /// Has a host do a job, and brings everything here.
    pub(crate) async fn attempt(&self, task: Task) -> Result<Got, Snag> {
        let attempt = tokio::time::timeout(self.try_time, self.attempt_slowly(task)).await;
        attempt.unwrap_or_else(|_| {
            let why = format!("it took longer than {} s", self.try_time.as_secs());
            Err(Snag::Trouble(Trouble::Gone, why))
        })
    }

    async fn attempt_slowly(&self, task: Task) -> Result<Got, Snag> {
        let Some(line) = self.lines.get(&task.host) else {
            return Err(Snag::Trouble(Trouble::Unable, "nothing is known of this host".to_owned()));
        };
        let own = self.import(task.job).await.map_err(Snag::Fatal)?;
        let order = self.order(line);
        let (_, story) = order.place(&self.plan.job(task.job)).await?;
        let ending = order.follow(story, &mut |_| ()).await?;
        drop(own);
        let failed = |why: String| Snag::Trouble(Trouble::Failed, why);
        let gone = |why: String| Snag::Trouble(Trouble::Gone, why);
        match ending {
            Some(Ending::Done(receipt)) => {
                let pins = order.bring(&receipt).await.map_err(|failure| match failure.kind() {
                    "fetch" => gone(format!("it does not hand out what it made: {}", failure.message())),
                    _ => Snag::Fatal(failure),
                })?;
                Ok((receipt, pins))
            }
            Some(Ending::Failed(why)) => Err(failed(format!("it could not do the job: {why}"))),
            Some(Ending::Cancelled) => Err(failed("the job was cancelled there".to_owned())),
            None => Err(gone("its story has no end".to_owned())),
        }
    }

    /// Takes the job's own input into the store, where the host fetches it from.
    async fn import(&self, job: usize) -> Result<Option<Pin>, Failure> {
        let store = &self.desk.store;
        let entry = self.plan.entry(job);
        let (planned, (blob, pin)) = match &entry.own {
            Own::Nothing | Own::Arg(_) => return Ok(None),
            Own::File(path, planned) => (planned, store.import_file(path, ImportBy::Auto).await?),
            Own::Bytes(bytes, planned) => (planned, store.import_bytes(bytes.to_vec().into()).await?),
        };
        if blob == *planned {
            return Ok(Some(pin));
        }
        let why = format!("the input of job {} was changed since the array began: begin it again", entry.label);
        Err(Failure::usage("input", why))
    }

    /// Writes the outputs that a job's hosts agree on, and all its receipts.
    pub(crate) async fn write(&self, job: usize, receipts: Vec<Receipt>) -> Result<(), Failure> {
        let outcomes = receipts.iter().map(|receipt| (receipt.host, receipt.outcome.id())).collect::<Vec<_>>();
        let agreed = Agreement::of(&outcomes).and_then(|agreement| agreement.outcome());
        if let Some(out) = self.out {
            let good = receipts.iter().filter(|receipt| Some(receipt.outcome.id()) == agreed).collect::<Vec<_>>();
            self.write_outputs(&good, &out.join(&self.plan.entry(job).label)).await?;
        }
        let Some(folder) = self.receipts else { return Ok(()) };
        for receipt in &receipts {
            files::write_whole(&self.receipt_path(folder, job, &receipt.host), &receipt.encode())?;
        }
        Ok(())
    }

    /// Writes the outputs of receipts with the same outcome, from the first host that still has what is not here.
    async fn write_outputs(&self, receipts: &[&Receipt], folder: &Path) -> Result<(), Failure> {
        let mut last = None;
        for receipt in receipts {
            let Some(line) = self.lines.get(&receipt.host) else { continue };
            match self.write_outputs_of(&self.order(line), receipt, folder).await {
                Err(failure) if failure.kind() == "fetch" => last = Some(failure),
                done => return done,
            }
        }
        let nobody = || Failure::host("fetch", "none of the hosts that have them is among those of this command");
        if receipts.is_empty() { Ok(()) } else { Err(last.unwrap_or_else(nobody)) }
    }

    async fn write_outputs_of(&self, order: &Order<'_>, receipt: &Receipt, folder: &Path) -> Result<(), Failure> {
        files::make_folder(folder)?;
        for (name, blob) in &receipt.outcome.outputs {
            order.export(blob, &folder.join(name.as_str())).await?;
        }
        Ok(())
    }

    fn order<'b>(&'b self, line: &'b Line) -> Order<'b> {
        Order {
            desk: self.desk,
            line,
            detach: false,
            on_disconnect: self.on_disconnect,
            publication: self.publication,
            retries: RETRIES,
        }
    }

    /// Where a receipt goes: named after the job, and where there are several also after the host.
    fn receipt_path(&self, folder: &Path, job: usize, host: &HostKey) -> PathBuf {
        let label = &self.plan.entry(job).label;
        match self.replicas {
            1 => folder.join(format!("{label}.receipt")),
            _ => folder.join(format!("{label}.{}.receipt", short(host))),
        }
    }
}

/// The first digits of a host's key, for people and for names of files.
pub(crate) fn short(host: &HostKey) -> String {
    host.to_string().chars().take(16).collect()
}

impl From<ClientError> for Snag {
    fn from(error: ClientError) -> Self {
        Self::Trouble(Trouble::of(&error), error.to_string())
    }
}
