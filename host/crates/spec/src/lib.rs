//! Jobs, outcomes, receipts and chains of them, publications: what they say, their canonical bytes, ids and signatures.
//!
//! Everything two machines must agree on to the bit lives here, and nothing else does. The crate is pure data: it opens
//! no file, reads no clock, and iterates over ordered collections only, so that it also builds for a browser. It does
//! not know how a job is run or how an outcome is compared; see `samebit-engine` and `samebit-proof` for that.
//!
//! The byte formats are specified in `docs/RECEIPT.md`, with test vectors beside it.

mod chain;
mod encoding;
mod hash;
mod hex;
mod job;
mod key;
mod limits;
mod name;
mod outcome;
mod publication;
mod receipt;
mod tolerance;

pub use chain::{ChainEntry, ChainEntryError, ChainError, ChainHead};
pub use encoding::{DecodeError, ENCODED_BYTES_MAX, decode, encode};
pub use hash::{BlobRef, EntryId, Hash, HashParseError, JobId, OutcomeId, PublicationId, ReceiptId};
pub use job::{ARGS_BYTES_MAX, ARGS_MAX, INPUTS_MAX, JobSpec, JobSpecError, Profile};
pub use key::{HostKey, KeyParseError, SecretKey, Signature};
pub use limits::{LOOP_ITERATIONS_MAX, Limit, LimitError, Limits};
pub use name::{NAME_BYTES_MAX, Name, NameError};
pub use outcome::{MESSAGE_BYTES_MAX, OUTPUTS_MAX, Outcome, Status, Trap};
pub use publication::{Publication, PublicationError};
pub use receipt::{
    DeviceClass, DeviceUsed, MEASURED_TEXT_BYTES_MAX, Measured, RECEIPT_MAGIC, Receipt, ReceiptError, Statement,
};
pub use tolerance::{Tolerance, ToleranceError, ULPS_MAX};
