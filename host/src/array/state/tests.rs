//! State files that were left in every way.

use std::collections::BTreeMap;

use samebit_runner::spec::{BlobRef, Measured, Outcome, SecretKey, Status};
use tempfile::TempDir;

use super::*;
use crate::array::plan::tests::numbers;

struct Lab {
    folder: TempDir,
    plan: Plan,
}

/// A receipt that a key signs, with this much fuel in the outcome.
pub(crate) fn receipt(plan: &Plan, job: usize, key: u8, fuel: u64) -> Receipt {
    let outcome = Outcome { status: Status::Ok, outputs: BTreeMap::new(), log: BlobRef::of(b""), fuel };
    let measured = Measured {
        program: "test".to_owned(),
        started_unix_ms: 0,
        run_time_us: 0,
        memory_peak_bytes: 0,
        gpu_memory_peak_bytes: 0,
        dispatches: 0,
        device: None,
        energy_mj: None,
    };
    Receipt::sign(plan.job(job), outcome, measured, &SecretKey::from_bytes(&[key; 32]))
}

impl Lab {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), plan: numbers("0..5") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn open(&self) -> Result<(State, Vec<Done>), Failure> {
        self.open_for(&Head::new(&self.plan, None, None))
    }

    fn open_for(&self, head: &Head) -> Result<(State, Vec<Done>), Failure> {
        let mut past = Vec::new();
        let state = State::open(&self.path(), head, &self.plan, |done| past.push(done))?;
        Ok((state, past))
    }

    /// A file with two receipts, one of which is written.
    fn begun(&self) -> Vec<Done> {
        let (mut state, past) = self.open().expect("new");
        assert_eq!(past, []);
        let receipts = [0, 3].map(|job| receipt(&self.plan, job, 1, 7));
        state.receipt(0, &receipts[0]).expect("written");
        state.written(0).expect("written");
        state.receipt(3, &receipts[1]).expect("written");
        let [first, second] = receipts.map(Box::new);
        vec![Done::Receipt(0, first), Done::Written(0), Done::Receipt(3, second)]
    }
}

#[test]
fn what_was_noted_is_there_again() {
    let lab = Lab::new();
    let wanted = lab.begun();
    assert_eq!(lab.open().expect("again").1, wanted);
    assert_eq!(lab.open().expect("and again").1, wanted);
}

#[test]
fn a_cut_line_is_dropped_wherever_it_is_cut_and_the_file_goes_on() {
    let lab = Lab::new();
    let wanted = lab.begun();
    let bytes = std::fs::read(lab.path()).expect("read");
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("lines") + 1;
    for cut in [last, last + 1, last + 40, bytes.len() - 2, bytes.len() - 1] {
        std::fs::write(lab.path(), &bytes[..cut]).expect("written");
        let (mut state, past) = lab.open().expect("opened");
        assert_eq!(past, wanted[..2], "cut at {cut}");
        state.written(4).expect("written");
        drop(state);
        let past = lab.open().expect("opened").1;
        assert_eq!((past.len(), past.last()), (3, Some(&Done::Written(4))), "cut at {cut}");
    }
}

#[test]
fn a_receipt_that_was_changed_counts_as_none() {
    let lab = Lab::new();
    lab.begun();
    let text = std::fs::read_to_string(lab.path()).expect("text");
    let changed = text.replace("{\"job\":3,", "{\"job\":2,");
    assert_ne!(text, changed);
    std::fs::write(lab.path(), changed).expect("written");
    assert_eq!(lab.open().expect("opened").1.len(), 2, "of another job");
    let mut bytes = text.into_bytes();
    let at = bytes.len() - 20;
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    std::fs::write(lab.path(), bytes).expect("written");
    assert_eq!(lab.open().expect("opened").1.len(), 2, "not signed");
}

#[test]
fn a_file_of_something_else_is_refused_and_left_alone() {
    let lab = Lab::new();
    lab.begun();
    let of_other = Head::new(&numbers("0..6"), None, None);
    assert!(lab.open_for(&of_other).expect_err("another").message().contains("another array"));
    let elsewhere = Head::new(&lab.plan, Some(Path::new("out")), None);
    assert!(lab.open_for(&elsewhere).expect_err("elsewhere").message().contains("nowhere"));
    for text in ["precious", "precious\nlines\n", "{\"samebit_array\":1}\n"] {
        std::fs::write(lab.path(), text).expect("written");
        assert!(lab.open().expect_err("no state file").message().contains("no state file"));
        assert_eq!(std::fs::read_to_string(lab.path()).expect("read"), text);
    }
}

#[test]
fn two_commands_do_not_share_one() {
    let lab = Lab::new();
    let held = lab.open().expect("new");
    assert!(lab.open().expect_err("held").message().contains("another command"));
    drop(held);
    lab.open().expect("free");
}
