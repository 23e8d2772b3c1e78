//! Canonical bytes are accepted, and nothing else is.

mod codec;
mod fuzz;
mod receipts;
mod samples;
mod vectors;
