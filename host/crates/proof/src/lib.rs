//! Verdicts: what a check of somebody's claim came to, and how it is reached.
//!
//! A claim is an [`Outcome`](samebit_spec::Outcome) that a host signed. Whoever checks it has one of its own, from
//! running the job again, and compares the two here. The comparison is pure: no file is opened, no clock read, and
//! nothing is iterated in hash order, so that equal claims always get equal verdicts. Running the job, and finding the
//! bytes to compare, is left to `samebit-runner`.

mod bytes;
mod deviation;
mod difference;
mod floats;
mod verdict;

pub use bytes::{ByteComparer, ByteDifference, Step};
pub use difference::{BlobDifference, Difference};
pub use floats::{Deviation, FloatComparer, FloatDifference, Within};
pub use verdict::{Agreement, Comparison, Doubt, Verdict, compare, compare_tolerantly};
