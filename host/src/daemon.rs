//! This machine as a host for others: what it takes on, what it runs, and what it has signed.
//!
//! [`serve`] puts everything together. [`policy`] decides who may have what run; [`queue`] whose turn it is; [`state`]
//! keeps on disk what was promised; [`jobs`] takes each job along its way, with the steps of `samebit-runner`; and
//! [`service`] answers the protocol from all this. What is pure (policy, queue) knows no clock, disk or network.

pub(crate) mod config;
mod disk;
mod endpoint;
mod jobs;
mod metrics;
mod node;
mod open;
pub(crate) mod policy;
mod queue;
pub(crate) mod serve;
mod service;
mod spent;
mod state;
mod story;
