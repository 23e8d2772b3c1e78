//! What this host has promised, on disk: jobs taken on, how they ended, and the chain of receipts.
//!
//! A redb database in the store's folder. What a write has returned for survives `kill -9` and power loss: commits wait
//! for the disk, many writers share one. The daemon keeps what is going on in memory and reads this only when it starts
//! and for jobs of the past; so the order of writes is that in which they were asked for, and nothing here decides.
//!
//! That a job has one receipt follows from three rules. The store keeps a signed receipt before this is told. The chain
//! entry and the job's end are one commit, and nobody hears of the receipt before it. And a job that is found open at a
//! start takes the receipt that the store kept for it, if there is one; only without does it run again.

mod record;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use samebit_net::Peer;
use samebit_net::message::JobEvent;
use samebit_runner::spec::{ChainEntry, JobId};
use thiserror::Error;

pub(crate) use record::{End, JobRecord, Link, Submitter};
use writer::Writer;

/// Jobs by id.
const JOBS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("jobs");
/// Jobs that have not ended, and their order.
const OPEN: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("open");
/// All jobs in the order of acceptance.
const ORDER: TableDefinition<'_, u64, &[u8; 32]> = TableDefinition::new("order");
/// Jobs by the peers who want them, in the order of acceptance.
const WANTED: TableDefinition<'_, (&[u8; 32], u64), &[u8; 32]> = TableDefinition::new("wanted");
/// What happened to jobs that have ended.
const STORIES: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("stories");
/// The chain of receipts.
const CHAIN: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("chain");
/// The format of all this, for versions to come.
const FORMAT: TableDefinition<'_, (), u32> = TableDefinition::new("format");

/// How much of the database is kept in memory. Jobs that go on are in memory anyway, and the past is rarely asked for.
const CACHE_BYTES: usize = 16 << 20;

/// The format that this version reads and writes.
const FORMAT_VERSION: u32 = 2;

/// The state of a host.
#[derive(Clone)]
pub(crate) struct State {
    database: Arc<Database>,
    writer: Writer,
}

/// Why the state cannot be read or written.
#[derive(Debug, Clone, Error)]
pub(crate) enum StateError {
    /// It cannot be opened.
    #[error("the host's state {} cannot be opened: {why}; make sure that the disk has space, and move the file away if it is damaged", path.display())]
    Open {
        /// The database.
        path: PathBuf,
        /// The cause.
        why: String,
    },
    /// It is of another version.
    #[error(
        "the host's state is of format {0}, and this program knows format {FORMAT_VERSION}: use the version that wrote it"
    )]
    Format(u32),
    /// A record cannot be read.
    #[error("the host's state cannot be read: {0}")]
    Read(String),
    /// A record cannot be written.
    #[error("the host's state cannot be written: {0}; make sure that the disk has space, then start the host again")]
    Write(String),
}

/// What a host finds when it starts.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Jobs that have not ended, in their order.
    pub(crate) open: Vec<JobRecord>,
    /// The last entry of the chain.
    pub(crate) head: Option<ChainEntry>,
    /// The order that the next job gets.
    pub(crate) order_next: u64,
}

impl State {
    /// Opens the state, and makes one if there is none. Blocks.
    pub(crate) fn open(path: &Path) -> Result<(Self, Found), StateError> {
        let failed = |error: &dyn std::fmt::Display| StateError::Open { path: path.to_owned(), why: error.to_string() };
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(path).map_err(|error| failed(&error))?;
        let database = Arc::new(database);
        prepare(&database).map_err(|error| failed(&error))??;
        let found = find(&database).map_err(|error| failed(&error))??;
        let writer = Writer::start(&database).map_err(|error| failed(&error))?;
        Ok((Self { database, writer }, found))
    }

    /// Writes a job. As [`State::end`], it is in line when this returns.
    pub(crate) fn put(&self, record: &JobRecord) -> impl Future<Output = Result<(), StateError>> + Send + use<> {
        let record = record.clone();
        self.writer.write(Box::new(move |write| put_job(write, &record)))
    }

    /// Notes somebody who wants a job that has ended: in what is on disk then, whatever was in line before.
    pub(crate) fn add_submitter(
        &self,
        id: &JobId,
        submitter: Submitter,
    ) -> impl Future<Output = Result<(), StateError>> + Send + use<> {
        let id = *id;
        self.writer.write(Box::new(move |write| {
            let known = write.open_table(JOBS)?.get(id.as_bytes())?.map(|bytes| bytes.value().to_vec());
            // A record that cannot be read is noticed by whoever reads the job, who can say so.
            let Some(Ok(mut record)) = known.map(|bytes| JobRecord::decode(&bytes)) else { return Ok(()) };
            record.add(submitter);
            put_job(write, &record)
        }))
    }

    /// Writes a job's end and its story, and if it ends in a receipt the link of the chain.
    ///
    /// The write is in line when this returns a future, which resolves once it is on disk: so ends that are asked for in
    /// the order of the chain are written in that order.
    pub(crate) fn end(
        &self,
        record: &JobRecord,
        story: &[JobEvent],
        link: Option<&Link>,
    ) -> impl Future<Output = Result<(), StateError>> + Send + use<> {
        let (id, record) = (record.id(), record.clone());
        let story = record::encode_story(story);
        let link = link.map(|link| (link.entry.sequence, link.encode()));
        self.writer.write(Box::new(move |write| {
            put_job(write, &record)?;
            write.open_table(STORIES)?.insert(id.as_bytes(), story.as_slice())?;
            if let Some((sequence, bytes)) = link {
                write.open_table(CHAIN)?.insert(sequence, bytes.as_slice())?;
            }
            Ok(())
        }))
    }

    /// A job, whether it has ended or not.
    pub(crate) fn job(&self, id: &JobId) -> Result<Option<JobRecord>, StateError> {
        let read = || {
            let table = self.database.begin_read()?.open_table(JOBS)?;
            Ok::<_, redb::Error>(table.get(id.as_bytes())?.map(|bytes| bytes.value().to_vec()))
        };
        read().map_err(StateError::read)?.map(|bytes| JobRecord::decode(&bytes)).transpose()
    }

    /// What happened to a job that has ended, without its last event.
    pub(crate) fn story(&self, id: &JobId) -> Result<Vec<JobEvent>, StateError> {
        let read = || {
            let table = self.database.begin_read()?.open_table(STORIES)?;
            Ok::<_, redb::Error>(table.get(id.as_bytes())?.map(|bytes| bytes.value().to_vec()))
        };
        read().map_err(StateError::read)?.map_or_else(|| Ok(Vec::new()), |bytes| record::decode_story(&bytes))
    }

    /// Links of the chain from a place on.
    pub(crate) fn links(&self, from: u64, count_max: usize) -> Result<Vec<Link>, StateError> {
        let read = || {
            let table = self.database.begin_read()?.open_table(CHAIN)?;
            let links = table.range(from..)?.take(count_max);
            links.map(|link| Ok(link?.1.value().to_vec())).collect::<Result<Vec<_>, redb::Error>>()
        };
        read().map_err(StateError::read)?.iter().map(|bytes| Link::decode(bytes)).collect()
    }

    /// The jobs that a peer may see, the latest first, at most so many. Those of others are not even looked at.
    pub(crate) fn latest(&self, peer: Peer, count_max: usize) -> Result<Vec<JobRecord>, StateError> {
        let read = || {
            let transaction = self.database.begin_read()?;
            let ids: Vec<[u8; 32]> = match peer {
                Peer::Local => {
                    let order = transaction.open_table(ORDER)?;
                    let latest = order.iter()?.rev().take(count_max);
                    latest.map(|entry| Ok(*entry?.1.value())).collect::<Result<_, redb::Error>>()?
                }
                Peer::Remote(key) => {
                    let (wanted, key) = (transaction.open_table(WANTED)?, key.as_bytes());
                    let latest = wanted.range((key, 0)..=(key, u64::MAX))?.rev().take(count_max);
                    latest.map(|entry| Ok(*entry?.1.value())).collect::<Result<_, redb::Error>>()?
                }
            };
            let jobs = transaction.open_table(JOBS)?;
            let bytes = |id: &[u8; 32]| Ok(jobs.get(id)?.map(|bytes| bytes.value().to_vec()));
            ids.iter().filter_map(|id| bytes(id).transpose()).collect::<Result<Vec<_>, redb::Error>>()
        };
        read().map_err(StateError::read)?.iter().map(|bytes| JobRecord::decode(bytes)).collect()
    }
}

impl StateError {
    fn read(error: impl Into<redb::Error>) -> Self {
        Self::Read(error.into().to_string())
    }
}

/// Makes the tables, or finds out that they are of another version.
fn prepare(database: &Database) -> Result<Result<(), StateError>, redb::Error> {
    let write = database.begin_write()?;
    {
        let mut format = write.open_table(FORMAT)?;
        let found = format.get(())?.map(|version| version.value());
        match found {
            Some(FORMAT_VERSION) => return Ok(Ok(())),
            Some(other) => return Ok(Err(StateError::Format(other))),
            None => format.insert((), FORMAT_VERSION)?,
        };
        write.open_table(JOBS)?;
        write.open_table(OPEN)?;
        write.open_table(ORDER)?;
        write.open_table(WANTED)?;
        write.open_table(STORIES)?;
        write.open_table(CHAIN)?;
    }
    write.commit()?;
    Ok(Ok(()))
}

fn find(database: &Database) -> Result<Result<Found, StateError>, redb::Error> {
    let read = database.begin_read()?;
    let (jobs, open) = (read.open_table(JOBS)?, read.open_table(OPEN)?);
    let mut found = Found::default();
    for entry in open.iter()? {
        let (id, _) = entry?;
        let Some(bytes) = jobs.get(id.value())? else { continue };
        match JobRecord::decode(bytes.value()) {
            Ok(record) => found.open.push(record),
            Err(error) => return Ok(Err(error)),
        }
    }
    found.open.sort_by_key(|record| record.order);
    found.order_next = read.open_table(ORDER)?.last()?.map_or(0, |(order, _)| order.value() + 1);
    let last = read.open_table(CHAIN)?.last()?.map(|(_, bytes)| Link::decode(bytes.value()));
    match last.transpose() {
        Ok(link) => found.head = link.map(|link| link.entry),
        Err(error) => return Ok(Err(error)),
    }
    Ok(Ok(found))
}

fn put_job(write: &WriteTransaction, record: &JobRecord) -> Result<(), redb::Error> {
    let id = record.id();
    let mut jobs = write.open_table(JOBS)?;
    let before = jobs.insert(id.as_bytes(), record.encode().as_slice())?;
    // One that cannot be read leaves its places behind, which lead to this one.
    let before = before.and_then(|bytes| JobRecord::decode(bytes.value()).ok());
    let mut orders = write.open_table(ORDER)?;
    // A job that begins anew has a new place, and no other.
    if let Some(before) = before.as_ref().filter(|before| before.order != record.order) {
        orders.remove(before.order)?;
    }
    orders.insert(record.order, id.as_bytes())?;
    put_wanted(write, before.as_ref(), record)?;
    let mut open = write.open_table(OPEN)?;
    if record.end.is_none() {
        open.insert(id.as_bytes(), record.order)?;
    } else {
        open.remove(id.as_bytes())?;
    }
    Ok(())
}

/// Notes who wants a job, and forgets who does not any more.
fn put_wanted(write: &WriteTransaction, before: Option<&JobRecord>, record: &JobRecord) -> Result<(), redb::Error> {
    let places = |record: &JobRecord| -> Vec<_> {
        record.submitters.iter().filter_map(|submitter| Some((submitter.key?, record.order))).collect()
    };
    let (was, is) = (before.map(places).unwrap_or_default(), places(record));
    if was == is {
        return Ok(());
    }
    let (id, mut wanted) = (record.id(), write.open_table(WANTED)?);
    for (key, order) in was.iter().filter(|place| !is.contains(place)) {
        wanted.remove((key.as_bytes(), *order))?;
    }
    for (key, order) in is.iter().filter(|place| !was.contains(place)) {
        wanted.insert((key.as_bytes(), *order), id.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
