//! The host as the rest of this crate sees it: on wasm32 the imports of the world `guest`, elsewhere the stand-in that
//! [`testing`](crate::testing) sets up.
//!
//! Both sides offer the same names with the same signatures, one for each operation in `wit/`, and nothing else decides
//! on which side the code runs.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod wasm;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::*;
