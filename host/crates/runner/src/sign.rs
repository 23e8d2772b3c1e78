//! The last step: the host puts its name under the outcome.

use samebit_engine::spec::{Receipt, ReceiptError, SecretKey};
use samebit_store::KeepError;
use thiserror::Error;

use crate::{Committed, Host};

/// Why there is no receipt, though the job has an outcome.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignError {
    /// The receipt would be one that nobody accepts: too many or too long names, arguments and messages together.
    #[error("the receipt cannot be written down: {0}; use fewer or shorter names of inputs and outputs")]
    Unreadable(#[source] ReceiptError),
    /// The store could not keep it.
    #[error("the receipt could not be kept: {0}")]
    Keep(#[from] KeepError),
}

impl Committed {
    /// Signs the outcome, and keeps the receipt and all that it names in the store.
    pub async fn sign(self, host: &Host, key: &SecretKey) -> Result<Receipt, SignError> {
        let receipt = Receipt::sign(self.job, self.outcome, self.measured, key);
        // Read as a stranger would: what is released is what others accept.
        Receipt::decode(&receipt.encode()).map_err(SignError::Unreadable)?;
        host.store.keep(&receipt).await?;
        drop(self.pins);
        Ok(receipt)
    }
}
