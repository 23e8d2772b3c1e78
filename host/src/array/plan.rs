//! The jobs of an array, by number: what they have in common, and what each has of its own.

use samebit_runner::spec::{Hash, JobId, JobSpec, Name, encode};

use super::each::{Entry, Own};
use crate::error::Failure;

/// The key derivation context of an array's id.
const CONTEXT: &str = "samebit 2026 job array v1";

/// An array of jobs.
#[derive(Debug)]
pub(crate) struct Plan {
    common: JobSpec,
    /// The input that jobs differ in, if it is one.
    input: Option<Name>,
    entries: Vec<Entry>,
    ids: Vec<JobId>,
}

impl Plan {
    /// An array of a job and what it is made for each of.
    pub(crate) fn new(common: JobSpec, input: Option<Name>, entries: Vec<Entry>) -> Result<Self, Failure> {
        if let Some(name) = input.as_ref().filter(|name| common.inputs.contains_key(name)) {
            let why = format!("input {name} is what --each makes jobs for: leave it out elsewhere");
            return Err(Failure::usage("each", why));
        }
        let mut plan = Self { common, input, entries, ids: Vec::new() };
        for number in 0..plan.entries.len() {
            let job = plan.job(number);
            job.check().map_err(|error| Failure::usage("job", error.to_string()))?;
            plan.ids.push(job.id());
        }
        Ok(plan)
    }

    /// How many jobs there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What every job has.
    pub(crate) fn common(&self) -> &JobSpec {
        &self.common
    }

    /// What a job has of its own.
    pub(crate) fn entry(&self, number: usize) -> &Entry {
        &self.entries[number]
    }

    /// A job's id.
    pub(crate) fn job_id(&self, number: usize) -> JobId {
        self.ids[number]
    }

    /// A job.
    pub(crate) fn job(&self, number: usize) -> JobSpec {
        let mut job = self.common.clone();
        match &self.entries[number].own {
            Own::Nothing => {}
            Own::Arg(arg) => job.args.push(arg.clone()),
            Own::File(_, blob) | Own::Bytes(_, blob) => {
                job.inputs.extend(self.input.clone().map(|name| (name, *blob)));
            }
        }
        job
    }

    /// Names the array: all its jobs in order, and what they are called.
    pub(crate) fn id(&self) -> Hash {
        let labels = self.entries.iter().map(|entry| entry.label.as_str());
        let named = labels.zip(&self.ids).collect::<Vec<_>>();
        Hash::from_bytes(blake3::derive_key(CONTEXT, &encode(&named)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use samebit_runner::spec::{BlobRef, Limits, Profile};

    use super::*;
    use crate::array::each::Each;

    pub(crate) fn common() -> JobSpec {
        let (inputs, tolerances) = (BTreeMap::new(), BTreeMap::new());
        let args = vec!["first".to_owned()];
        let module = BlobRef::of(b"module");
        JobSpec { module, args, inputs, limits: Limits::default(), profile: Profile::Exact, tolerances }
    }

    pub(crate) fn numbers(text: &str) -> Plan {
        let entries = Each::parse(text).expect("a range").entries().expect("entries");
        Plan::new(common(), None, entries).expect("a plan")
    }

    #[test]
    fn a_number_is_the_last_argument() {
        let plan = numbers("5..7");
        assert_eq!(plan.job(1).args, ["first", "6"]);
        assert_eq!((plan.len(), plan.job_id(0)), (2, plan.job(0).id()));
    }

    #[test]
    fn bytes_are_the_named_input() {
        let name = Name::new("x").expect("a name");
        let own = Own::Bytes(b"bytes".as_slice().into(), BlobRef::of(b"bytes"));
        let entries = vec![Entry { label: "1".to_owned(), own }];
        let plan = Plan::new(common(), Some(name.clone()), entries.clone()).expect("a plan");
        assert_eq!(plan.job(0).inputs[&name], BlobRef::of(b"bytes"));
        let mut taken = common();
        taken.inputs.insert(name.clone(), BlobRef::of(b"other"));
        let error = Plan::new(taken, Some(name), entries).expect_err("given twice");
        assert!(error.message().contains("input x"));
    }

    #[test]
    fn other_jobs_are_another_array() {
        assert_eq!(numbers("0..3").id(), numbers("0..=2").id());
        assert_ne!(numbers("0..3").id(), numbers("0..4").id());
        assert_ne!(numbers("0..3").id(), numbers("1..4").id());
    }
}
