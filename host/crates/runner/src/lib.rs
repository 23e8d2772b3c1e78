//! The way of a job, and the way of a check, one file per step.
//!
//! ```text
//! JobSpec → Fetched → Compiled → Ran → Committed → Receipt
//! Receipt → Fetched → Compiled → Ran → Replayed → Verdict
//! ```
//!
//! Each step is a type that is consumed to make the next, so that nothing is signed that was not run and nothing run
//! that was not verified. Each has its own error, which tells apart whose fault it was: a guest's fault is no error but
//! an outcome, and is signed; what is wrong with the job or its blobs is for whoever asked; what is wrong with this
//! machine is for its operator, and leaves no receipt.
//!
//! The crate names no concrete device, keeps no queue and knows no command line: a [`Host`] is handed in.

mod agree;
mod commit;
mod compile;
mod fetch;
mod hashing;
mod host;
mod replay;
mod run;
mod side;
mod sign;
mod verdict;

#[cfg(test)]
mod tests;

pub use commit::{CommitError, Committed};
pub use compile::{CompileError, Compiled};
pub use fetch::{FetchError, Fetched, Missing, Part};
pub use host::Host;
pub use replay::{ReplayError, Replayed};
pub use run::{Ran, RunError};
pub use samebit_engine as engine;
pub use samebit_engine::spec;
pub use samebit_proof as proof;
pub use samebit_store as store;
pub use sign::SignError;
pub use verdict::{Bring, Claims, ClaimsError, FoundFile, Verification, verify};
