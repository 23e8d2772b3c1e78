//! A first look at the text, linear in its length and without recursion: is it short and flat enough to parse?

use crate::{Refusal, RefusalReason, limits};

/// Refuses a text that is too long.
pub(crate) fn check(text: &str) -> Result<(), Refusal> {
    if text.len() > limits::TEXT_BYTES {
        let what = format!("the text has {} bytes, more than {}", text.len(), limits::TEXT_BYTES);
        return Err(Refusal::nowhere(RefusalReason::TooLarge, &what, "shorten it"));
    }
    Ok(())
}
