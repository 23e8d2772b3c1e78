//! Drives an array to its end: starts what is to be started, and notes what came of it.
//!
//! Everything happens in one loop, in answer to one event after the other, so that it can be dropped at any time: what
//! was noted in the state file by then is what was done.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use samebit_runner::spec::HostKey;
use samebit_runner::store::Pin;

use super::results::{Results, Standing};
use super::spread::{Spread, Step, Task, Trouble};
use super::state::State;
use super::view::View;
use super::work::{Got, Snag, Work};
use crate::error::Failure;
use crate::output::clean;

/// Something that came to its end.
enum Event {
    /// A job at a host.
    Tried(Task, Result<Got, Snag>),
    /// Writing what a job came to.
    Written(usize, Result<(), Failure>),
}

/// How a host did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// Jobs that it has signed for.
    pub(crate) done: u64,
    /// Jobs that came to nothing there.
    pub(crate) failed: u64,
    /// Why it got no more, if so.
    pub(crate) dropped: Option<String>,
}

/// An array under way.
pub(crate) struct Drive<'a> {
    work: &'a Work<'a>,
    spread: Spread,
    /// What it came to.
    pub(crate) results: Results,
    /// How each host did.
    pub(crate) records: BTreeMap<HostKey, Record>,
    state: Option<State>,
    view: View,
    going: FuturesUnordered<BoxFuture<'a, Event>>,
    /// What holds outputs in the store until they are written.
    pins: BTreeMap<usize, Vec<Pin>>,
    wrong: usize,
    began: Instant,
}

impl<'a> Drive<'a> {
    /// An array that goes on from what was done before.
    pub(crate) fn new(work: &'a Work<'a>, spread: Spread, results: Results, state: Option<State>, view: View) -> Self {
        let records = work.lines.keys().map(|host| (*host, Record::default())).collect();
        let (going, pins) = Default::default();
        Self { work, spread, results, records, state, view, going, pins, wrong: 0, began: Instant::now() }
    }

    /// Goes on until nothing more can be done. Errors are this machine's, and end the array.
    pub(crate) async fn run(&mut self) -> Result<(), Failure> {
        // What an earlier command had done, but not written.
        for job in 0..self.work.plan.len() {
            self.settle(job)?;
        }
        loop {
            let until = match self.spread.next(self.began.elapsed()) {
                Step::Start(task) => {
                    self.start(task);
                    continue;
                }
                Step::Over if self.going.is_empty() => break,
                Step::Over => None,
                Step::Wait(until) => until,
            };
            if let Some(event) = self.event(until).await {
                self.take(event)?;
            }
        }
        self.state.as_ref().map_or(Ok(()), State::sync)
    }

    /// Takes the view away, and makes sure that what was noted stays.
    pub(crate) fn finish(&self) {
        self.view.finish();
        if let Some(Err(failure)) = self.state.as_ref().map(State::sync) {
            self.view.note(failure.message());
        }
    }

    fn start(&mut self, task: Task) {
        let work = self.work;
        self.going.push(async move { Event::Tried(task, work.attempt(task).await) }.boxed());
        self.show(&task.host);
    }

    /// The next event, if there is one before this time.
    async fn event(&mut self, until: Option<Duration>) -> Option<Event> {
        let until = until.map(|until| tokio::time::Instant::from_std(self.began + until));
        let wake = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(event) = self.going.next() => Some(event),
            () = wake => None,
        }
    }

    fn take(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Tried(task, Ok((receipt, pins))) => {
                self.spread.done(task);
                if let Some(record) = self.records.get_mut(&task.host) {
                    record.done += 1;
                }
                if let Some(state) = &mut self.state {
                    state.receipt(task.job, &receipt)?;
                }
                self.results.add(task.job, *receipt);
                self.pins.entry(task.job).or_default().extend(pins);
                self.show(&task.host);
                self.settle(task.job)
            }
            Event::Tried(task, Err(Snag::Trouble(trouble, why))) => {
                self.suffer(task, trouble, &clean(&why));
                Ok(())
            }
            Event::Tried(_, Err(Snag::Fatal(failure))) => Err(failure),
            Event::Written(job, Ok(())) => self.settled(job),
            Event::Written(job, Err(failure)) if failure.kind() == "fetch" => {
                self.results.failed(job, format!("its outputs are gone from here and there: {}", failure.message()));
                Ok(())
            }
            Event::Written(_, Err(failure)) => Err(failure),
        }
    }

    fn suffer(&mut self, task: Task, trouble: Trouble, why: &str) {
        let effect = self.spread.failed(task, trouble, self.began.elapsed());
        let label = &self.work.plan.entry(task.job).label;
        if trouble.is_failure() {
            self.results.failed(task.job, why.to_owned());
            self.view.note(&format!("job {label} failed at host {}: {why}", task.host));
        }
        if let Some(record) = self.records.get_mut(&task.host) {
            record.failed += u64::from(trouble.is_failure());
            if effect.host_dropped {
                record.dropped = Some(why.to_owned());
                self.view.host_is_gone(&task.host, why);
            }
        }
        if effect.job_given_up {
            self.view.note(&format!("job {label} is given up"));
        }
        self.show(&task.host);
    }

    /// Writes what a job came to, once there is enough of it.
    fn settle(&mut self, job: usize) -> Result<(), Failure> {
        let Some(receipts) = self.results.unsettled(job) else { return Ok(()) };
        let work = self.work;
        if work.out.is_none() && work.receipts.is_none() {
            return self.settled(job);
        }
        let receipts = receipts.to_vec();
        self.going.push(async move { Event::Written(job, work.write(job, receipts).await) }.boxed());
        Ok(())
    }

    fn settled(&mut self, job: usize) -> Result<(), Failure> {
        self.pins.remove(&job);
        self.results.settle(job);
        if let Some(state) = &mut self.state {
            state.written(job)?;
        }
        let standing = self.results.standing(job);
        self.wrong += usize::from(standing != Standing::Done);
        self.view.job_is_over(self.wrong);
        Ok(())
    }

    fn show(&self, host: &HostKey) {
        if let Some(record) = self.records.get(host).filter(|record| record.dropped.is_none()) {
            self.view.host(host, self.spread.going_at(host), record.done, record.failed);
        }
    }
}
