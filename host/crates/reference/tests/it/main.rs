//! The reference device from outside, as a job sees it.

mod budgets;
mod description;
mod leaving;
mod sessions;
mod support;
