//! The reference device from outside, as a job sees it.

mod budgets;
mod conformance;
mod large;
mod leaving;
mod sessions;
mod support;
