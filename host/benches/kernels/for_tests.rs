//! The kernels of the suite with what they need, for tests that run them too.

pub(crate) mod cases;
pub(crate) mod random;
pub(crate) mod suite;
